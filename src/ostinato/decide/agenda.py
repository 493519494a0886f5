"""What the calendar asks for: which intervals are due for a run, and which deadlines are being watched.

A deadline is expected because the calendar says so, whether or not a run was ever made: that is how the absence of a
run is noticed. Expectations are opened with the tick that ends their interval.

A dag that runs after others has its run in the commit of the success that completes the interval. Its own ticks look for
what was completed while nobody looked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush

from msgspec import structs

from ostinato.model.change import Alert, Commit, ExpectationMove, NewRun, ScheduleCursor
from ostinato.model.record import Dag, Expectation, Run, run_key
from ostinato.model.spec import After, Continuous, DagSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant
from ostinato.model.value import encode

from .after import KnownRuns, completed, owed
from .alarm import deadline_alert, deadline_recovery, schedule_alert
from .deadline import due_at
from .timetable import begin, due, next_due
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
        self._held: dict[str, None] = {}  # a set that keeps its order
        self._followers: defaultdict[str, dict[str, None]] = defaultdict(dict)  # also of dags that were others once
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
            since = begin(spec, now)
            self._begun.append(ScheduleCursor(dag.dag_id, since))
        at = next_due(spec, since)
        if isinstance(spec.schedule, After):
            for other in spec.schedule.dags:
                self._followers[other][dag.dag_id] = None
            at = now  # something may have been completed meanwhile
        self._await_tick(dag.dag_id, since, at)

    def _await_tick(self, dag_id: str, since: Instant, at: Instant | None) -> None:
        """The schedule was followed up to ``since``; the tick ``at`` replaces one that was awaited before."""
        self._forget(dag_id)
        self._until[dag_id] = since
        if at is not None:
            self._next_tick[dag_id] = at
            heappush(self._ticks, (at, dag_id))

    def _forget(self, dag_id: str) -> None:
        self._until.pop(dag_id, None)
        self._next_tick.pop(dag_id, None)
        self._held.pop(dag_id, None)

    def expect(self, expectation: Expectation) -> None:
        """A deadline that is open, or was missed and is not made good yet, as the store has it."""
        key = (expectation.dag_id, expectation.start)
        if expectation.state == "missed":
            self._missed.add(key)
        else:
            self._watch(expectation.dag_id, expectation.start, expectation.due_at)

    def succeeded(self, runs: Sequence[Run], now: Instant, commit: Commit, known: KnownRuns) -> None:
        """Intervals are done: their deadlines are met, or made good late, and the dags that come after may run."""
        successes: defaultdict[str, list[DataInterval]] = defaultdict(list)
        for run in runs:
            self._meet(run, now, commit)
            successes[run.dag_id].append(run.interval)
        for dag_id in dict.fromkeys(each for other in successes for each in self._followers_of(other)):
            dag, spec = self._dags[dag_id]
            if isinstance(spec.schedule, After):
                self._make(dag, spec, completed(spec, spec.schedule, successes, known), now, commit)

    def stop_ticking(self) -> None:
        """From now on the clock brings no runs; only the dags that come after others go on."""
        self._ticks.clear()
        self._next_tick.clear()
        self._held.clear()

    def _followers_of(self, dag_id: str) -> Iterator[str]:
        """The dags that are followed and come after this one, or did in an earlier version."""
        return (each for each in self._followers.get(dag_id, ()) if each in self._until)

    def _meet(self, run: Run, now: Instant, commit: Commit) -> None:
        """A backfill's run may be for several intervals."""
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

    def tick(self, now: Instant, commit: Commit, known: KnownRuns, going: Callable[[str], bool]) -> None:
        """Write what is due by ``now``: runs for ended intervals, and deadlines that have passed.

        ``going`` says whether a scheduled run of a dag is not over: a continuous schedule waits for it.
        """
        commit.cursors += self._begun
        self._begun = []
        commit.alerts += self._to_tell
        self._to_tell = []
        for dag_id in (*self._held, *self._ticking(now)):
            if isinstance(self._dags[dag_id][1].schedule, Continuous) and going(dag_id):
                self._held[dag_id] = None
            else:
                self._follow(dag_id, now, commit, known)
        while self._deadlines and self._deadlines[0][0] < now:
            at, dag_id, start = heappop(self._deadlines)
            if self._open.get((dag_id, start)) != at:
                continue
            del self._open[dag_id, start]
            if _has_succeeded(dag_id, start, known):
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

    def _follow(self, dag_id: str, now: Instant, commit: Commit, known: KnownRuns) -> None:
        since = self._until[dag_id]
        dag, spec = self._dags[dag_id]
        intervals, until = due(spec, since, now, MAX_RUNS_PER_TICK)
        schedule = spec.schedule
        wanted = owed(spec, schedule, since, now, known) if isinstance(schedule, After) else intervals
        self._make(dag, spec, wanted[:MAX_RUNS_PER_TICK], now, commit)
        if len(wanted) > MAX_RUNS_PER_TICK:  # after others; those made now will not be wanted again
            self._await_tick(dag_id, since, now)
            return
        if spec.deadline is not None:
            for interval in intervals:
                at = due_at(spec.deadline, interval)
                commit.expectations.append(ExpectationMove(dag_id, interval.start, at, "expected", now))
                self._watch(dag_id, interval.start, at)
        if until != since:
            commit.cursors.append(ScheduleCursor(dag_id, until))
        self._await_tick(dag_id, until, next_due(spec, until))

    def _make(self, dag: Dag, spec: DagSpec, intervals: Iterable[DataInterval], now: Instant, commit: Commit) -> None:
        params = encode({param.name: param.default for param in spec.params})
        commit.new_runs += [_scheduled(dag, interval, params, now) for interval in intervals]

    def _watch(self, dag_id: str, start: Instant, at: Instant) -> None:
        self._open[dag_id, start] = at
        heappush(self._deadlines, (at, dag_id, start))

    def _miss(self, dag_id: str, start: Instant, at: Instant, now: Instant, commit: Commit) -> None:
        self._missed.add((dag_id, start))
        commit.expectations.append(ExpectationMove(dag_id, start, at, "missed", now))
        commit.alerts.append(deadline_alert(dag_id, start, at, now))


def _has_succeeded(dag_id: str, start: Instant, known: KnownRuns) -> bool:
    """Whether any run over the instant at which an interval begins has: one may have before the interval had ended."""
    return any(run.state is RunState.SUCCESS for run in known.runs_over(dag_id, start, start + 1))


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
