"""The network between a scheduler and its database, which can be pulled out and put back."""

import socket
import threading
from contextlib import suppress


class Cable:
    """Carries connections to a port of this machine. Cut, it refuses; frozen, it carries nothing and says nothing."""

    def __init__(self, port: int) -> None:
        self._far = ("127.0.0.1", port)
        self._carries = threading.Event()
        self._carries.set()
        self._ends: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def cut(self) -> None:
        """From now on nothing connects, and what was connected is not any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or it would accept one more
        self._listener.close()
        self._hang_up()

    def freeze(self) -> None:
        """From now on nothing arrives."""
        self._carries.clear()

    def mend(self) -> None:
        """It works again; what was under way when it froze arrives late."""
        if self._listener.fileno() < 0:
            self._listener = self._listen(self.port)
        self._carries.set()

    def close(self) -> None:
        """Take it away."""
        self._carries.set()
        self.cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # cut
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._far)
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                self._carries.wait()
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _hang_up(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()
