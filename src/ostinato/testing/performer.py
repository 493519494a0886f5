"""The agent of a rehearsal: it performs attempts in this process, and knows when each ends on the rehearsal's clock."""

from collections.abc import Mapping
from heapq import heappop, heappush

from ostinato.authoring.fill import call_of, refused
from ostinato.authoring.perform import Performed, perform
from ostinato.control.stored import StoredValues
from ostinato.decide.step import Dispatch
from ostinato.model.errors import OstinatoError
from ostinato.model.message import Call, Failure, Finished
from ostinato.model.spec import ItemOf, OutputOf
from ostinato.model.time import Instant

from .ledger import Ledger
from .outcomes import Outcomes
from .part import Part
from .script import Raising, Returning, Script

_INTERRUPT = f"{KeyboardInterrupt.__module__}.{KeyboardInterrupt.__qualname__}"


class Performer:
    """``parts`` are the dags by version; ``ledger`` has the outputs that arguments are filled in from."""

    def __init__(self, parts: Mapping[str, Part], outcomes: Outcomes, ledger: Ledger) -> None:
        self._parts = parts
        self._outcomes = outcomes
        self._ledger = ledger
        self._ends: list[tuple[Instant, int]] = []
        self._reports: dict[int, Finished] = {}

    def perform(self, dispatch: Dispatch, now: Instant) -> None:
        """Call the task's function, or what stands in for it, now; its end is told when its time has passed."""
        self._end(self._performed(dispatch, now))

    def stop(self, attempt: int, now: Instant) -> None:
        """An attempt is to stop: it does so at once. One that has ended stays as it ended."""
        report = self._reports.get(attempt)
        if report is not None and report.finished_at > now:
            self._end(Finished(attempt, "cancelled", report.started_at, now))

    def ended(self, now: Instant) -> list[Finished]:
        """The attempts that have ended by ``now``, in order."""
        found: list[Finished] = []
        while self._ends and self._ends[0][0] <= now:
            at, attempt = heappop(self._ends)
            if attempt in self._reports and self._reports[attempt].finished_at == at:
                found.append(self._reports.pop(attempt))
        return found

    def next_due(self) -> Instant | None:
        """When the next attempt ends; None: none is going on."""
        return self._ends[0][0] if self._ends else None

    def goes_on(self, attempt: int, until: Instant) -> bool:
        """Whether an attempt ends at ``until`` or later."""
        return self._reports[attempt].finished_at >= until

    def _end(self, report: Finished) -> None:
        self._reports[report.attempt] = report
        heappush(self._ends, (report.finished_at, report.attempt))

    def _performed(self, dispatch: Dispatch, now: Instant) -> Finished:
        part, run = self._parts[dispatch.run.version], dispatch.run
        instance = dispatch.task_no, dispatch.map_index
        try:
            call = self._call(part, dispatch)
        except OstinatoError as error:
            return Finished(dispatch.attempt, "failed", now, now, failure=refused(error))
        script = self._outcomes.script(part, run, instance, dispatch.attempt, dispatch.number)
        act = script.act(dispatch.number)
        timeout = part.spec.tasks[dispatch.task_no].timeout
        if timeout is not None and act.takes > timeout * 1000:
            return _timed_out(dispatch.attempt, timeout, now)
        done = _called(part, call, act.stand_in or self._answer(dispatch, script, now))
        return Finished(
            attempt=dispatch.attempt,
            verdict=done.verdict,
            started_at=now,
            finished_at=now + act.takes,
            output=done.output,
            failure=done.failure,
            dead_letters=done.dead_letters,
            follow=done.follow,
        )

    def _call(self, part: Part, dispatch: Dispatch) -> Call:
        run, task_no, map_index = dispatch.run, dispatch.task_no, dispatch.map_index
        values = StoredValues(self._ledger)
        scope_no = part.spec.tasks[task_no].scope

        def stored(argument: OutputOf | ItemOf) -> bytes:
            return values.of(argument, part.spec, run, scope_no, map_index)

        return call_of(part.compiled, run, (task_no, map_index), dispatch.attempt, dispatch.number, stored)

    def _answer(self, dispatch: Dispatch, script: Script, now: Instant) -> Returning | None:
        """What answers for a sensor whose script says when that arrives which it waits for."""
        if script.arrival is None or self._parts[dispatch.run.version].spec.tasks[dispatch.task_no].sensor is None:
            return None
        waited = self._ledger.waited(dispatch.run.run_id, (dispatch.task_no, dispatch.map_index), now)
        return Returning(waited >= script.arrival)


def _called(part: Part, call: Call, stand_in: Returning | Raising | None) -> Performed:
    """Perform, and let an interrupt of the person who waits through."""
    done = perform(part.loaded, call, stand_in)
    if done.failure is not None and _INTERRUPT in done.failure.types:
        raise KeyboardInterrupt
    return done


def _timed_out(attempt: int, timeout: float, now: Instant) -> Finished:
    failure = Failure("timed_out", f"it was stopped because it ran longer than its time limit of {timeout:g} s")
    return Finished(attempt, "failed", now, now + round(timeout * 1000), failure=failure)
