"""Framed messages over a stream socket: four bytes of length, then msgpack. Many messages travel in one frame."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from msgspec import msgpack

from .model.errors import AgentFailed

T = TypeVar("T")

MAX_FRAME: Final = 256 << 20
"""A frame that announces more bytes than this is not one of ours."""

_LENGTH: Final = 4


def frame(messages: Sequence[object]) -> bytes:
    """One frame holding all the messages, in order."""
    body = msgpack.encode(messages)
    return len(body).to_bytes(_LENGTH, "big") + body


class Unframer(Generic[T]):
    """Collects bytes as they come and gives back whole messages."""

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgpack.Decoder(list[kind])
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """The messages completed by ``data``. Raises AgentFailed for a frame that cannot be ours."""
        buffer = self._buffer
        buffer += data
        messages: list[T] = []
        position, end = 0, len(buffer)
        while end - position >= _LENGTH:
            body = position + _LENGTH
            size = int.from_bytes(buffer[position:body], "big")
            if size > MAX_FRAME:
                raise AgentFailed(f"a frame announces {size:,} bytes")
            if end - body < size:
                break
            with memoryview(buffer) as view:
                messages += self._decoder.decode(view[body : body + size])
            position = body + size
        if position:
            del buffer[:position]
        return messages


def connect(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A connected Unix socket. Socket paths are short by nature; going through the folder's descriptor lifts that."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    client = socket.socket(socket.AF_UNIX, kind)
    try:
        client.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        client.close()
        raise
    finally:
        os.close(folder)
    return client


def listen(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A Unix socket at ``path``, replacing a dead one, open to its owner only."""
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    server = socket.socket(socket.AF_UNIX, kind)
    try:
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)
        if kind == socket.SOCK_STREAM:
            server.listen(8)
    except OSError:
        server.close()
        raise
    finally:
        os.close(folder)
    return server
