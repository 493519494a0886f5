"""Who may ask: with a token whoever has it; without one whoever is on this machine, and means to."""

import hmac
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ostinato.model.errors import QueryInvalid, TokenMissing

from .problem import problem

_OPEN: Final = "/health/"
_HERE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)


class Guard:
    """Lets through what may be asked. ``token`` None: this server is reached from its own machine alone.

    Then a request must name that machine, or a page of another site, whose name somebody has pointed here, could read
    along in a browser. How the server fares may be asked by everybody: what checks that has no secrets.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refused = None if scope["path"].startswith(_OPEN) else self._refusal(Headers(scope=scope))
        await (self._app if refused is None else problem(refused))(scope, receive, sent)

    def _refusal(self, headers: Headers) -> TokenMissing | QueryInvalid | None:
        if self._token is None:
            host = headers.get("host", "").lower()
            name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
            return None if name in _HERE else QueryInvalid(f'this server is not called "{host}"', help="Ask localhost.")
        given = headers.get("authorization", "").encode("latin-1")  # as it came
        return None if hmac.compare_digest(given, self._token) else TokenMissing("the request has no valid token")
