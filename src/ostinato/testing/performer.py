"""The agent of a rehearsal: it performs attempts in this process, and knows when each ends on the rehearsal's clock."""

from collections.abc import Mapping
from heapq import heappop, heappush

from ostinato.authoring.fill import awaited_file, call_of, refused
from ostinato.authoring.perform import Performed, context_of, perform
from ostinato.decide.step import Dispatch, Probe
from ostinato.model.errors import OstinatoError
from ostinato.model.message import Call, Failure, Finished
from ostinato.model.record import Run
from ostinato.model.spec import ItemOf, OutputOf
from ostinato.model.time import Instant
from ostinato.model.value import encode

from .ledger import Ledger, Place, place_of
from .outcomes import Outcomes
from .part import Part
from .script import Script, StandIn

_NOTHING = encode(None)
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

    def look(self, probe: Probe, now: Instant) -> bool:
        """Whether the file that a sensor waits for is there: by its script, else really."""
        part = self._parts[probe.run.version]
        task = part.spec.tasks[probe.task_no]
        call = self._call(part, probe.run, probe.task_no, 0, 0)
        script = self._outcomes.script(probe.run.dag_id, task, lambda: context_of(part.dag, call))
        if script.arrival is not None:
            return self._has_arrived(probe.run, place_of(probe), script.arrival, now)
        try:
            return awaited_file(part.compiled, probe.run, probe.task_no).exists()
        except OSError:
            return False

    def _end(self, report: Finished) -> None:
        self._reports[report.attempt] = report
        heappush(self._ends, (report.finished_at, report.attempt))

    def _performed(self, dispatch: Dispatch, now: Instant) -> Finished:
        part, run = self._parts[dispatch.run.version], dispatch.run
        task = part.spec.tasks[dispatch.task_no]
        try:
            call = self._call(part, run, dispatch.task_no, dispatch.attempt, dispatch.number)
        except OstinatoError as error:
            return Finished(dispatch.attempt, "failed", now, now, failure=refused(error))
        script = self._outcomes.script(run.dag_id, task, lambda: context_of(part.dag, call))
        act = script.act(dispatch.number)
        stand_in = act.stand_in or self._answer(dispatch, script, now)
        if task.timeout is not None and act.takes > task.timeout * 1000:
            return _timed_out(dispatch.attempt, task.timeout, now)
        done = _called(part, call, stand_in)
        return Finished(
            attempt=dispatch.attempt,
            verdict=done.verdict,
            started_at=now,
            finished_at=now + act.takes,
            output=done.output,
            failure=done.failure,
            dead_letters=done.dead_letters,
        )

    def _call(self, part: Part, run: Run, task_no: int, attempt: int, number: int) -> Call:
        outputs = self._ledger.accounts[run.run_id].outputs

        def stored(argument: OutputOf | ItemOf) -> bytes:
            assert isinstance(argument, OutputOf), f"task {task_no} of {run.dag_id} has no item"
            return outputs.get((argument.task_no, -1), _NOTHING)

        return call_of(part.compiled, run, task_no, attempt, number, stored)

    def _answer(self, dispatch: Dispatch, script: Script, now: Instant) -> StandIn | None:
        """What answers for a sensor whose script says when that arrives which it waits for."""
        if script.arrival is None:
            return None
        answer = self._has_arrived(dispatch.run, place_of(dispatch), script.arrival, now)
        return lambda *_, **__: answer

    def _has_arrived(self, run: Run, place: Place, after: int, now: Instant) -> bool:
        since = self._ledger.accounts[run.run_id].tasks[place].waiting_since
        return since is not None and now >= since + after


def _called(part: Part, call: Call, stand_in: StandIn | None) -> Performed:
    """Perform, and let an interrupt of the person who waits through."""
    done = perform(part.loaded, call, stand_in)
    if done.failure is not None and _INTERRUPT in done.failure.types:
        raise KeyboardInterrupt
    return done


def _timed_out(attempt: int, timeout: float, now: Instant) -> Finished:
    failure = Failure("timed_out", f"it was stopped because it ran longer than its time limit of {timeout:g} s")
    return Finished(attempt, "failed", now, now + round(timeout * 1000), failure=failure)
