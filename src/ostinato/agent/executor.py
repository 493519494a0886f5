"""The process that performs attempts: it loads the source of a dag version once, then performs one call after another.

It is forked from the zygote, so it starts in milliseconds and has seen no user code. Whatever a task does to it, the
agent learns of exactly one end: by its report, or by the way the process ended. What the executor keeps for itself,
its sockets and its log, has high descriptor numbers, where a task that closes and opens files does not meet them.
"""

import fcntl
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from msgspec import Struct, msgpack

from ostinato.authoring.failure import failure_of
from ostinato.authoring.load import Loaded, load_source
from ostinato.authoring.perform import Performed, perform, unloadable
from ostinato.clock import SystemClock
from ostinato.model.message import Assignment, Call, Finished, LogRange
from ostinato.model.spec import Source
from ostinato.wire import frame

from .capture import Capture
from .hygiene import Hygiene, left_processes
from .lane import Inbox
from .message import Report

UNHEARD: Final = 70
"""The exit code of an executor that could not report: a task has closed its connection."""

TERMINATED: Final = 128 + signal.SIGTERM
"""The code with which ``SystemExit`` is raised in a task that is to stop."""

_OUT_OF_THE_WAY: Final = 500
_CALL: Final = msgpack.Decoder(Call)
_SOURCE: Final = msgpack.Decoder(Source)
_CLOCK: Final = SystemClock()


class Surroundings(Struct, frozen=True):
    """What all executors of an agent share: where sources are, and the bytes of memory a task may use by default."""

    sources: Path
    memory: int


class Provisions(Struct, frozen=True):
    """What one executor is given: descriptors of its work socket, report socket and log, and what the log is called."""

    work: int
    reports: int
    log: int
    segment: str


class Executor:
    """One process, one source at a time, one call at a time. It owns the descriptors it is given."""

    def __init__(self, provisions: Provisions, surroundings: Surroundings, capture: Capture) -> None:
        self._pid = os.getpid()
        self._work = socket.socket(fileno=_out_of_the_way(provisions.work))
        self._reports = socket.socket(fileno=_out_of_the_way(provisions.reports))
        self._inbox = Inbox(self._work)
        self._log = _out_of_the_way(provisions.log)
        self._segment = provisions.segment
        self._sources = surroundings.sources
        self._memory = surroundings.memory
        self._memory_before = resource.getrlimit(resource.RLIMIT_DATA)
        self._capture = capture
        self._capture.attach(self._log)
        self._hygiene: Hygiene | None = None
        self._source = ""
        self._dag_id: str | None = None
        self._loaded: Loaded | None = None
        self._performing = False
        self._terminated = False
        self._cpu = _usage()[0]
        signal.signal(signal.SIGTERM, self._terminate)
        os.register_at_fork(after_in_child=self._let_go)

    def serve(self) -> NoReturn:
        """Perform until the agent closes the work socket, or until a task leaves something behind."""
        while (assignment := self._inbox.receive()) is not None:
            try:
                report = self._attempt(assignment)
                self._reports.sendall(frame([report]))
            except OSError:
                os._exit(UNHEARD)
            if report.leaving or assignment.isolation == "process":
                break
        os._exit(0)

    def _attempt(self, assignment: Assignment) -> Report:
        started_at = _CLOCK.now()
        self._limit_memory(assignment.memory or self._memory)
        performed = self._perform(assignment)
        if os.getpid() != self._pid:
            os._exit(0)  # the task forked, and this is the child, come back from it
        resource.setrlimit(resource.RLIMIT_DATA, self._memory_before)
        cpu, peak_kib = _usage()
        leaving, remark = self._judge(performed, assignment, peak_kib)
        begin, end = self._capture.close_range(remark)
        finished = Finished(
            attempt=assignment.attempt,
            verdict=performed.verdict,
            started_at=started_at,
            finished_at=_CLOCK.now(),
            log=LogRange(self._segment, begin, end - begin) if end > begin and self._segment else None,
            peak_kib=peak_kib,
            cpu_ms=round((cpu - self._cpu) * 1000),
            output=performed.output,
            failure=performed.failure,
            dead_letters=performed.dead_letters,
            follow=performed.follow,
        )
        self._cpu = cpu
        return Report(finished, end, leaving)

    def _perform(self, assignment: Assignment) -> Performed:
        self._performing = True
        try:
            if self._terminated:
                sys.exit(TERMINATED)
            call = _CALL.decode(assignment.call)
            try:
                loaded = self._load(assignment.source, call)
            except BaseException as error:  # noqa: BLE001 - the author's imports may raise anything
                return unloadable(error)
            if self._hygiene is None and assignment.isolation == "reuse":
                self._hygiene = Hygiene(self._log)
            return perform(loaded, call)
        except BaseException as error:  # noqa: BLE001 - being told to stop, or being out of memory, in the code above
            return Performed("failed", failure=failure_of(error, {}))
        finally:
            self._performing = False

    def _load(self, source: str, call: Call) -> Loaded:
        """The source, imported once. Only the dag that is asked for is laid out, until another one is asked for too.

        A dag that guards against the clock has the source imported once more, so that it can be watched.
        """
        loaded = self._loaded if self._source == source else None
        watched = call.clock != "off" or (loaded is not None and loaded.watch is not None)
        if loaded is not None and self._dag_id in {call.dag_id, None} and watched == (loaded.watch is not None):
            return loaded
        self._dag_id = call.dag_id if self._loaded is None else None
        code = _SOURCE.decode((self._sources / source).read_bytes())
        with suppress(OSError):  # the dag file's folder may be gone since; its code is not
            os.chdir(Path(code.file).parent)  # where it was when it was compiled, for what it opens beside it
        self._loaded = load_source(code, self._dag_id, watched=watched)
        self._source = source
        self._hygiene = None
        return self._loaded

    def _judge(self, performed: Performed, assignment: Assignment, peak_kib: int) -> tuple[str, str]:
        """Why this process ends itself now, if it does; and what is to be said of that in the log."""
        if assignment.isolation == "process":
            return left_processes(), ""
        if performed.verdict == "failed" or self._hygiene is None:
            return "failed", ""
        difference = self._hygiene.difference(peak_kib)
        return difference, f"the task {difference}; its process is replaced" if difference else ""

    def _limit_memory(self, limit: int) -> None:
        """Data that goes beyond it raises MemoryError, or ends native code that does not ask."""
        hard = self._memory_before[1]
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))

    def _terminate(self, number: int, where: FrameType | None) -> None:
        """The task is to stop: it may still clean up. If none has begun yet, the one that is on its way is meant."""
        self._terminated = True
        if self._performing:
            raise SystemExit(TERMINATED)

    def _let_go(self) -> None:
        """A process that a task forks is none of ours: it can neither receive work nor report."""
        self._work.close()
        self._reports.close()
        os.close(self._log)


def _out_of_the_way(fd: int) -> int:
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(fd)
    return high


def _usage() -> tuple[float, int]:
    """Seconds of processor time, ended children's included, and the most memory in KiB."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime, own.ru_maxrss
