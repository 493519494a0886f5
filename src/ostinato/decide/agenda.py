"""What the calendar asks for: which intervals are due for a run, and which deadlines are being watched.

A deadline is expected because the calendar says so, whether or not a run was ever made: that is how the absence of a
run is noticed. Expectations are opened with the tick that ends their interval.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from msgspec import structs

from ostinato.model.change import Alert, Commit, ExpectationMove, NewRun, ScheduleCursor
from ostinato.model.record import Dag, Expectation, Run, run_key
from ostinato.model.spec import DagSpec, Schedule
from ostinato.model.time import DataInterval, Instant
from ostinato.model.value import encode

from .alarm import deadline_alert, deadline_recovery, schedule_alert
from .deadline import due_at
from .timetable import due, first_interval_after
from .zone import ScheduleInvalid

MAX_RUNS_PER_TICK = 1_000
"""A schedule that has fallen far behind catches up in portions of this many runs."""


class Agenda:
    """Facts in (`replan`, `expect`, `succeeded`), decisions out (`tick` writes them into a commit)."""

    def __init__(self) -> None:
        self._dags: dict[str, tuple[Dag, DagSpec]] = {}
        self._until: dict[str, Instant] = {}
        self._ticks: list[tuple[Instant, str]] = []
        self._next_tick: dict[str, Instant] = {}
        self._begun: list[ScheduleCursor] = []
        self._to_tell: list[Alert] = []
        self._open: dict[tuple[str, Instant], Instant] = {}
        self._missed: set[tuple[str, Instant]] = set()
        self._deadlines: list[tuple[Instant, str, Instant]] = []

    def replan(self, dags: Iterable[Dag], spec_of: Callable[[str], DagSpec], now: Instant) -> None:
        """All dags as deployed now; ``spec_of`` gives a version's spec. Only what changed is planned anew."""
        deployed = {dag.dag_id: dag for dag in dags}
        for gone in self._dags.keys() - deployed.keys():
            self._dags.pop(gone)
            self._forget(gone)
        for dag in deployed.values():
            known = self._dags.get(dag.dag_id)
            if known is None or (known[0].version, known[0].paused) != (dag.version, dag.paused):
                self._plan_or_tell(dag, spec_of(dag.version), now)

    def _plan_or_tell(self, dag: Dag, spec: DagSpec, now: Instant) -> None:
        """One dag whose schedule means nothing on this machine (a zone it does not know, say) must not stop the others."""
        try:
            self._plan(dag, spec, now)
        except ScheduleInvalid as error:
            self._forget(dag.dag_id)
            self._to_tell.append(schedule_alert(dag.dag_id, str(error), now))

    def _plan(self, dag: Dag, spec: DagSpec, now: Instant) -> None:
        """A dag as deployed now: new, changed, paused or unpaused. A schedule seen for the first time starts now."""
        self._dags[dag.dag_id] = (dag, structs.replace(spec, tasks=(), scopes=()))  # no plan is made of steps
        if spec.schedule is None or dag.paused:
            self._forget(dag.dag_id)
            return
        since = self._until.get(dag.dag_id, dag.scheduled_until)
        if since is None:
            since = spec.start if spec.catchup == "all" and spec.start is not None else now
            self._begun.append(ScheduleCursor(dag.dag_id, since))
        self._await_tick(dag.dag_id, spec.schedule, since)

    def _await_tick(self, dag_id: str, schedule: Schedule, since: Instant) -> None:
        """The schedule was followed up to ``since``; the next tick replaces one that was awaited before."""
        self._until[dag_id] = since
        self._next_tick[dag_id] = at = first_interval_after(schedule, since).end
        heappush(self._ticks, (at, dag_id))

    def _forget(self, dag_id: str) -> None:
        self._until.pop(dag_id, None)
        self._next_tick.pop(dag_id, None)

    def expect(self, expectation: Expectation) -> None:
        """A deadline that is open, or was missed and is not made good yet, as the store has it."""
        key = (expectation.dag_id, expectation.start)
        if expectation.state == "missed":
            self._missed.add(key)
        else:
            self._watch(expectation.dag_id, expectation.start, expectation.due_at)

    def succeeded(self, run: Run, now: Instant, commit: Commit) -> None:
        """An interval is done: its deadline is met, or made good late. A backfill's run may be for several."""
        starts = [run.interval.start]
        if run.kind == "backfill":
            watched = {start for dag_id, start in (*self._open, *self._missed) if dag_id == run.dag_id}
            starts = sorted(start for start in watched if run.interval.start <= start < run.interval.end)
        for start in starts:
            self._done(run.dag_id, start, now, commit)

    def _done(self, dag_id: str, start: Instant, now: Instant, commit: Commit) -> None:
        key = (dag_id, start)
        late = key in self._missed
        due_at = self._open.pop(key, None)
        if due_at is None and not late:
            return
        self._missed.discard(key)
        commit.expectations.append(ExpectationMove(*key, due_at or now, "met", now))
        if late:
            commit.alerts.append(deadline_recovery(*key, now))

    def tick(self, now: Instant, commit: Commit, succeeded: Callable[[str, Instant], bool]) -> None:
        """Write what is due by ``now``: runs for ended intervals, and deadlines that have passed.

        ``succeeded`` says whether any run of a dag's interval has; one may have before the interval had ended.
        """
        commit.cursors += self._begun
        self._begun = []
        commit.alerts += self._to_tell
        self._to_tell = []
        for dag_id in self._ticking(now):
            self._follow(dag_id, now, commit)
        while self._deadlines and self._deadlines[0][0] < now:
            at, dag_id, start = heappop(self._deadlines)
            if self._open.get((dag_id, start)) != at:
                continue
            del self._open[dag_id, start]
            if succeeded(dag_id, start):
                commit.expectations.append(ExpectationMove(dag_id, start, at, "met", now))
            else:
                self._miss(dag_id, start, at, now, commit)

    def next_due(self) -> Instant | None:
        """When `tick` will next have something to do; None: never."""
        heads = [head[0][0] + late for head, late in ((self._ticks, 0), (self._deadlines, 1)) if head]
        return min(heads, default=None)

    def _ticking(self, now: Instant) -> list[str]:
        """The dags whose next tick is due, each once: one that is far behind goes on with its next portion later."""
        found: list[str] = []
        while self._ticks and self._ticks[0][0] <= now:
            at, dag_id = heappop(self._ticks)
            if self._next_tick.get(dag_id) == at:
                del self._next_tick[dag_id]
                found.append(dag_id)
        return found

    def _follow(self, dag_id: str, now: Instant, commit: Commit) -> None:
        since = self._until[dag_id]
        dag, spec = self._dags[dag_id]
        assert spec.schedule is not None
        intervals, until = due(spec.schedule, spec.catchup, since, now, spec.start, spec.end, MAX_RUNS_PER_TICK)
        params = encode({param.name: param.default for param in spec.params})
        for interval in intervals:
            commit.new_runs.append(_scheduled(dag, interval, params, now))
            if spec.deadline is not None:
                at = due_at(spec.deadline, interval)
                commit.expectations.append(ExpectationMove(dag_id, interval.start, at, "expected", now))
                self._watch(dag_id, interval.start, at)
        commit.cursors.append(ScheduleCursor(dag_id, until))
        self._await_tick(dag_id, spec.schedule, until)

    def _watch(self, dag_id: str, start: Instant, at: Instant) -> None:
        self._open[dag_id, start] = at
        heappush(self._deadlines, (at, dag_id, start))

    def _miss(self, dag_id: str, start: Instant, at: Instant, now: Instant, commit: Commit) -> None:
        self._missed.add((dag_id, start))
        commit.expectations.append(ExpectationMove(dag_id, start, at, "missed", now))
        commit.alerts.append(deadline_alert(dag_id, start, at, now))


def _scheduled(dag: Dag, interval: DataInterval, params: bytes, now: Instant) -> NewRun:
    return NewRun(
        dag_id=dag.dag_id,
        version=dag.version,
        run_key=run_key(interval.start),
        kind="scheduled",
        start=interval.start,
        end=interval.end,
        params=params,
        at=now,
        by="schedule",
    )
