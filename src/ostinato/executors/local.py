"""The agent of this host, from the scheduler's side: found or started, listened to, and never waited for."""

import os
import select
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from msgspec import structs

from ostinato.home import Home
from ostinato.model.errors import AgentFailed
from ostinato.model.message import Assignment, FromAgent, Hello, Launch, Stop, ToAgent
from ostinato.wire import connect

from .link import Link
from .port import Arrival

READY: Final = b"ready"
"""What a starting agent writes to its announcement pipe once it listens. Anything else is why it cannot."""

MOST_SILENT: Final = 5
"""So many connections in a row may end before the agent has said who it is: agents may be killed, but not all of them."""

_FRAME_BYTES: Final = 8 << 20


class LocalAgent:
    """An `AgentPort` with one agent: that of a home. It is joined if it lives, and started if it does not.

    It survives us: on the next connection it tells what it still has. `receive` does all the work, and needs to be
    called when `fileno`, which never changes, is readable. While the agent starts, others need not wait for it.
    """

    def __init__(self, home: Home, slots: int) -> None:
        """``slots`` is how many attempts an agent that is started here performs at once."""
        self._home = home
        self._slots = slots
        self._epoll = select.epoll()
        self._link: Link[FromAgent] | None = None
        self._starting: _Starting | None = None
        self._name = ""
        self._silent = 0
        self._stop: Stop | None = None
        self._join_or_start()

    def fileno(self) -> int:
        """Readable when `receive` has something to do."""
        return self._epoll.fileno()

    def connected(self) -> bool:
        """Whether there is a connection to an agent, or will be once it has started."""
        return self._link is not None or self._starting is not None

    def receive(self) -> list[Arrival]:
        """What has arrived since the last call, without waiting. Raises AgentFailed if an agent cannot be started."""
        if not self.connected() and self._stop is None:
            self._join_or_start()
        if self._starting is not None and self._starting.over():
            self._starting = None
            self._join()
        if self._link is None:
            return []
        self._link.flush()
        arrived = [self._arrival(message) for message in self._link.receive()]
        if self._link.closed:
            arrived += self._hung_up(self._link)
        else:
            self._watch(self._link)
        return arrived

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """Send in order, without waiting. Messages to any but the connected agent are dropped."""
        if self._link is None or agent != self._name:
            return
        for message in messages:
            for portion in _portions(message):
                self._link.send([portion])
        self._watch(self._link)

    def stop(self, grace: float) -> None:
        """End the agent in order; what runs gets ``grace`` seconds. `receive` until it is not `connected` any more."""
        self._stop = Stop(grace)
        if self._link is not None:
            self._link.send([self._stop])
            self._watch(self._link)
        elif self._starting is None:
            with suppress(AgentFailed):  # none lives that could be stopped
                self._join()

    def drop(self) -> None:
        """Hang up. The next `receive` connects again."""
        if self._link is not None:
            self._link.close()
            self._link = None
            self._name = ""

    def close(self) -> None:
        """Hang up for good. The agent goes on with what it has."""
        self.drop()
        if self._starting is not None:
            self._starting.close()
            self._starting = None
        self._epoll.close()

    def _join_or_start(self) -> None:
        try:
            self._join()
        except AgentFailed:
            self._starting = _Starting(self._home, self._slots)
            self._epoll.register(self._starting, select.EPOLLIN)

    def _join(self) -> None:
        try:
            connection = connect(self._home.agent_socket)
        except OSError as error:
            where = str(self._home.agent_socket)
            raise AgentFailed(f"the agent does not answer: {error.strerror}", where=where) from error
        self._link = Link(connection, FromAgent)  # pyright: ignore[reportArgumentType] - a union is no type, but decodes
        self._epoll.register(self._link, select.EPOLLIN)
        if self._stop is not None:
            self._link.send([self._stop])

    def _arrival(self, message: FromAgent) -> Arrival:
        if isinstance(message, Hello):
            self._name = message.agent
        return Arrival(self._name, message)

    def _hung_up(self, link: Link[FromAgent]) -> list[Arrival]:
        """An agent that was killed is followed by another; agents that never say a word are given up on."""
        name, self._name, self._link = self._name, "", None
        self._silent = 0 if name else self._silent + 1
        if link.nonsense or self._silent >= MOST_SILENT:
            what = link.trouble or "it hangs up without a word"
            raise AgentFailed(f"the agent cannot be understood: {what}", where=str(self._home.path))
        if self._stop is None:
            self._join_or_start()
        return [Arrival(name, None)] if name else []

    def _watch(self, link: Link[FromAgent]) -> None:
        if not link.closed:
            self._epoll.modify(link, select.EPOLLIN | (select.EPOLLOUT if link.unsent else 0))


class _Starting:
    """An agent process on its way. It detaches itself, and writes to a pipe how that went."""

    def __init__(self, home: Home, slots: int) -> None:
        self._home = home
        self._read, write = os.pipe2(os.O_CLOEXEC)
        words = ["--home", str(home.path), "--slots", str(slots), "--announce", str(write)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ostinato.agent", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[write],
            )
        except OSError as error:
            os.close(self._read)
            raise AgentFailed(f"the agent cannot be started: {error}", where=str(home.path)) from error
        finally:
            os.close(write)

    def fileno(self) -> int:
        """Readable when it is ready or has failed."""
        return self._read

    def over(self) -> bool:
        """Whether it is ready. Raises AgentFailed if it will not be."""
        if not select.select([self._read], [], [], 0)[0]:
            return False
        said = os.read(self._read, 4096)
        self.close()
        if said != READY:
            why = said.decode(errors="replace") or "it ended without a word"
            raise AgentFailed(f"the agent cannot start: {why}", where=str(self._home.path))
        return True

    def close(self) -> None:
        """Wait for the process that was started, which ends once the agent is detached."""
        os.close(self._read)
        self._process.wait()


def _portions(message: ToAgent) -> Iterable[ToAgent]:
    """A message, or a large Launch in several, so that no frame gets out of hand."""
    if not isinstance(message, Launch):
        yield message
        return
    portion: list[Assignment] = []
    size = 0
    for assignment in message.assignments:
        portion.append(assignment)
        size += len(assignment.call)
        if size > _FRAME_BYTES:
            yield structs.replace(message, assignments=tuple(portion))
            portion, size = [], 0
    if portion:
        yield structs.replace(message, assignments=tuple(portion))
