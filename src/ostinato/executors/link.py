"""A conversation in framed messages over a stream socket that never blocks: what cannot be sent yet waits here."""

import socket
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from msgspec import MsgspecError

from ostinato.model.errors import AgentFailed
from ostinato.wire import Unframer, frame

T = TypeVar("T")

_CHUNK: Final = 64 << 10
_MOST_AT_ONCE: Final = 16 << 20


class Link(Generic[T]):
    """One end. ``T`` is what the other end says. ``closed`` once it has gone.

    ``trouble`` says why, if it went without hanging up; ``nonsense`` that it had said what cannot be understood.
    """

    def __init__(self, connection: socket.socket, kind: type[T]) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._unframer = Unframer(kind)
        self._unsent = bytearray()
        self.closed = False
        self.trouble = ""
        self.nonsense = False

    def fileno(self) -> int:
        """For a selector; -1 when closed."""
        return self._socket.fileno()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the other end to read. While there are some, watch for writability and `flush`."""
        return len(self._unsent)

    def send(self, messages: Sequence[object]) -> None:
        """Send messages in one frame, now or when there is room. Messages to a closed end are dropped."""
        if not self.closed:
            self._unsent += frame(messages)
            self.flush()

    def flush(self) -> None:
        """Send as much of what waits as there is room for."""
        try:
            while self._unsent and not self.closed:
                with memoryview(self._unsent) as view:
                    sent = self._socket.send(view[:_MOST_AT_ONCE])
                del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))

    def receive(self) -> list[T]:
        """The messages that have come. Whether there can be more, ``closed`` tells."""
        messages: list[T] = []
        size = 0
        try:
            while not self.closed and size < _MOST_AT_ONCE:
                data = self._socket.recv(_CHUNK)
                if not data:
                    self.close()
                size += len(data)
                messages += self._unframer.feed(data)
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(str(error))
        except (AgentFailed, MsgspecError) as error:
            self.nonsense = True
            self._lose(str(error))
        return messages

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._unsent.clear()
        self._socket.close()

    def _lose(self, trouble: str) -> None:
        self.trouble = trouble
        self.close()
