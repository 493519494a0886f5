"""The agent's ends of what connects it with one executor: work goes out, reports and unbegun work come back.

Work travels as one message per attempt over a socket that keeps messages apart. The agent also keeps the end that the
executor reads from. Whoever receives a message has it, alone: that is how unbegun work is taken back from a process
that is busy and cannot be asked. A message too large for the socket lies in a memory file that is sent along instead.
"""

import array
import os
import socket
from collections.abc import Sequence
from typing import Final

from msgspec import msgpack

from ostinato.model.message import Assignment
from ostinato.wire import Unframer

from .message import Report
from .segment import Segment

LARGEST_INLINE: Final = 16 << 10
_FD_SPACE: Final = socket.CMSG_SPACE(array.array("i").itemsize)
_ENCODER: Final = msgpack.Encoder()
_DECODER: Final = msgpack.Decoder(Assignment)


class Inbox:
    """The end of a work socket that is read: by its executor, and by the agent to take back."""

    def __init__(self, work: socket.socket) -> None:
        self._work = work
        self._buffer = bytearray(LARGEST_INLINE)

    def receive(self, flags: int = 0) -> Assignment | None:
        """The next assignment; None when the agent has closed its end. Raises BlockingIOError as the flags say."""
        size, extra, _, _ = self._work.recvmsg_into([self._buffer], _FD_SPACE, flags | socket.MSG_CMSG_CLOEXEC)
        if extra:
            return _DECODER.decode(_contents(int.from_bytes(extra[0][2], "little")))
        return _DECODER.decode(memoryview(self._buffer)[:size]) if size else None


class Lane:
    """One executor's connection. Make it, send `for_executor` to the zygote, then close those with `opened`."""

    def __init__(self, number: int, segment: Segment) -> None:
        self.number = number
        self.segment = segment
        self._work, self._work_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reports, self._reports_there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._work.setblocking(False)
        self._reports.setblocking(False)
        self._inbox = Inbox(self._work_there)
        self._unframer = Unframer(Report)

    def fileno(self) -> int:
        """Readable when there are reports, or the executor is gone."""
        return self._reports.fileno()

    @property
    def for_executor(self) -> list[int]:
        """The descriptors that the executor gets: work, reports, log."""
        return [self._work_there.fileno(), self._reports_there.fileno(), self.segment.fd]

    def opened(self) -> None:
        """The executor has its end of the reports; ours must go, or we would not see it close."""
        self._reports_there.close()

    def hand(self, assignments: Sequence[Assignment]) -> Sequence[Assignment]:
        """Send as many as the executor takes and the machine can carry, in order. Returns the rest."""
        for n, assignment in enumerate(assignments):
            try:
                self._send(_ENCODER.encode(assignment))
            except OSError:
                return assignments[n:]
        return ()

    def take_back(self) -> list[int]:
        """The attempts that the executor had not begun. They are ours again."""
        back: list[int] = []
        while True:
            try:
                assignment = self._inbox.receive(socket.MSG_DONTWAIT)
            except BlockingIOError:
                return back
            if assignment is None:
                return back
            back.append(assignment.attempt)

    def read(self) -> tuple[list[Report], bool]:
        """The reports that have come, and whether more can. Raises AgentFailed or MsgspecError if they are not ours."""
        reports: list[Report] = []
        while True:
            try:
                data = self._reports.recv(64 << 10)
            except BlockingIOError:
                return reports, True
            except ConnectionError:
                return reports, False
            if not data:
                return reports, False
            reports += self._unframer.feed(data)

    def close(self) -> None:
        """Let go of everything but the log segment."""
        for end in (self._work, self._work_there, self._reports, self._reports_there):
            end.close()

    def _send(self, data: bytes) -> None:
        if len(data) <= LARGEST_INLINE:
            self._work.send(data)
            return
        file = os.memfd_create("assignment", os.MFD_CLOEXEC)
        try:
            with open(file, "wb", closefd=False) as writer:
                writer.write(data)
            socket.send_fds(self._work, [b"."], [file])
        finally:
            os.close(file)


def _contents(file: int) -> bytes:
    try:
        return os.pread(file, os.fstat(file).st_size, 0)
    finally:
        os.close(file)
