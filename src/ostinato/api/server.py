"""A server of the HTTP application, in a thread of its own."""

import socket
from contextlib import suppress
from ipaddress import ip_address
from threading import Lock, Thread
from typing import Final

import uvicorn

from ostinato.asker import seat
from ostinato.home import Home
from ostinato.model.errors import AddressUnusable, StoreUnavailable
from ostinato.store import Store, open_store

from .application import application

_SHORTEST_TOKEN: Final = 16
_AT_ONCE: Final = 100
_GRACE_S: Final = 3


class Server:
    """Answers at an address until it is closed. Raises AddressUnusable, and what `open_store` raises.

    Where others than this machine reach it, a ``token`` is needed. A database that is away is no reason not to begin:
    answers say so until it is there.
    """

    def __init__(self, home: Home, host: str, port: int, token: str | None, version: str) -> None:
        _refuse(host, token)
        self._home = home
        self._store: Store | None = None
        self._opening = Lock()
        self._socket = _listening(host, port)
        try:
            with suppress(StoreUnavailable):
                self._opened()
        except BaseException:
            self._socket.close()
            raise
        config = uvicorn.Config(
            application(self._opened, token, version),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="ostinato-api", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it answers."""
        host, port, *_ = self._socket.getsockname()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def wait(self) -> None:
        """Until it ends."""
        self._thread.join()

    def close(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        if self._store is not None:
            self._store.close()

    def _opened(self) -> Store:
        with self._opening:
            if self._store is None:
                self._store = open_store(self._home.state, seat("api"))
            return self._store


def _refuse(host: str, token: str | None) -> None:
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError as error:
        raise AddressUnusable(f'"{host}" is no address', help="Give an IP address, or localhost.") from error
    if token is not None and len(token) < _SHORTEST_TOKEN:
        advice = f"Use at least {_SHORTEST_TOKEN} characters that nobody can guess."
        raise AddressUnusable("OSTINATO_API_TOKEN is too short", help=advice)
    if not is_here and token is None:
        advice = "Set OSTINATO_API_TOKEN, and put a proxy with TLS in front of it; or listen at 127.0.0.1."
        raise AddressUnusable(f"whoever reaches {host} could read everything", help=advice)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        created = socket.create_server((host, port), family=family)
    except OSError as error:
        where = f"{host}:{port}"
        raise AddressUnusable(error.strerror or str(error), where=where, help="Choose another --port.") from error
    # what it accepts inherits this: else the end of an answer waits 40 ms until its beginning is acknowledged
    created.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return created
