"""The agent of this host, from the scheduler's side: found or started, listened to, and never waited for."""

import os
import select
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from ostinato.home import STATE_VARIABLE, Home
from ostinato.model.errors import AgentFailed
from ostinato.model.message import Assignment, FromAgent, Hello, Launch, Stop, ToAgent
from ostinato.wire import connect

from .link import Link
from .port import Arrival

READY: Final = b"ready"
"""What a starting agent writes to its announcement pipe once it listens. Anything else is why it cannot."""

MOST_SILENT: Final = 5
"""So many tries in a row may come to nothing, or to an agent that hangs up before it has said who it is."""

_FRAME_BYTES: Final = 8 << 20


class LocalAgent:
    """An `AgentPort` with one agent: that of a home. It is joined if it lives; if it does not, started, or waited for.

    It survives us: on the next connection it tells what it still has. `receive` does all the work, and needs to be
    called when `fileno`, which never changes, is readable. While the agent starts, others need not wait for it.
    """

    def __init__(self, home: Home, slots: int | None) -> None:
        """``slots`` is how many attempts an agent that is started here performs at once; None: others start it."""
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
            starting, self._starting = self._starting, None
            starting.succeed()
            self._join_or_start()
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
        for frame in _frames(messages):
            self._link.send(frame)
        self._watch(self._link)

    def stop(self, grace: float) -> None:
        """End the agent in order; what runs gets ``grace`` seconds. `receive` until it is not `connected` any more."""
        self._stop = Stop(grace)
        if self._link is not None:
            self._link.send([self._stop])
            self._watch(self._link)
        elif self._starting is None:
            with suppress(OSError):  # none lives that could be stopped
                self._join()

    def drop(self) -> None:
        """Hang up. The next `receive` connects again."""
        if self._link is not None:
            self._link.close()
            self._link = None
            self._name = ""
            self._silent = 0  # it was not the agent that hung up

    def close(self) -> None:
        """Hang up for good. The agent goes on with what it has."""
        self.drop()
        if self._starting is not None:
            self._starting.close()
            self._starting = None
        self._epoll.close()

    def _join_or_start(self) -> None:
        """Try again and again, for agents may be killed; but not for ever if none ever says a word."""
        if self._slots is None:
            with suppress(OSError):  # none lives yet: the next `receive` tries again
                self._join()
            return
        if self._silent >= MOST_SILENT:
            raise AgentFailed("the agent hangs up without a word, again and again", where=str(self._home.path))
        self._silent += 1
        try:
            self._join()
        except OSError:
            self._starting = _Starting(self._home, self._slots)
            self._epoll.register(self._starting, select.EPOLLIN)

    def _join(self) -> None:
        """Connect. Raises OSError if no agent listens."""
        self._link = Link(connect(self._home.agent_socket), FromAgent)  # pyright: ignore[reportArgumentType] - a union is no type, but decodes
        self._epoll.register(self._link, select.EPOLLIN)
        if self._stop is not None:
            self._link.send([self._stop])

    def _arrival(self, message: FromAgent) -> Arrival:
        if isinstance(message, Hello):
            self._name = message.agent
            self._silent = 0
        return Arrival(self._name, message)

    def _hung_up(self, link: Link[FromAgent]) -> list[Arrival]:
        name, self._name, self._link = self._name, "", None
        if link.nonsense:
            raise AgentFailed(f"the agent cannot be understood: {link.trouble}", where=str(self._home.path))
        if self._stop is None and self._slots is not None:
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
        try:
            self._process = agent_process(
                home, slots, "--announce", str(write), pass_fds=[write], output=subprocess.DEVNULL
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
        """Whether it is ready, or never will be."""
        return bool(select.select([self._read], [], [], 0)[0])

    def succeed(self) -> None:
        """Take in how it went. Raises AgentFailed if it will never be ready."""
        said = os.read(self._read, 4096)
        self.close()
        if said != READY:
            why = said.decode(errors="replace") or "it ended without a word"
            raise AgentFailed(f"the agent cannot start: {why}", where=str(self._home.path))

    def close(self) -> None:
        """Wait for the process that was started, which ends once the agent is detached."""
        os.close(self._read)
        self._process.wait()


def agent_process(
    home: Home,
    slots: int,
    *words: str,
    pass_fds: Sequence[int] = (),
    output: int | None = None,
    own_session: bool = False,
) -> "subprocess.Popen[bytes]":
    """Start the agent of a home, with further words. It does not learn the address of the state.

    ``pass_fds`` are descriptors that it inherits, ``output`` where it writes if not where we do.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ostinato.agent", "--home", str(home.path), "--slots", str(slots), *words],
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != STATE_VARIABLE},
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=own_session,
    )


def _frames(messages: Sequence[ToAgent]) -> Iterable[Sequence[ToAgent]]:
    """All messages in one frame, which wakes the agent once; a large Launch in several, so that none gets out of hand."""
    together: list[ToAgent] = []
    for message in messages:
        if isinstance(message, Launch):
            *before, message = _portions(message)  # noqa: PLW2901 - the last portion goes with the others
            yield from ([portion] for portion in before)
        together.append(message)
    yield together


def _portions(launch: Launch) -> list[Launch]:
    """A Launch as one or several, none of them much over ``_FRAME_BYTES``, in order."""
    portions: list[Launch] = []
    portion: list[Assignment] = []
    size = 0
    for assignment in launch.assignments:
        portion.append(assignment)
        size += len(assignment.call)
        if size > _FRAME_BYTES:
            portions.append(Launch(tuple(portion)))
            portion, size = [], 0
    return [*portions, Launch(tuple(portion))]
