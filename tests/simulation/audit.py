"""At the end: the rows against what was witnessed, the histories replayed, the calendar asked what is missing."""

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate

from ostinato.decide.timetable import ON_TIME_MS, interval_at, intervals_between
from ostinato.decide.transition import RUN_BIRTHS, next_run, next_task
from ostinato.model.cause import Cause
from ostinato.model.record import Attempt, Instance, LoggedEvent, Run, Task
from ostinato.model.spec import After, DagSpec
from ostinato.model.state import FINAL_RUN, FINAL_TASK, AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval, Instant
from ostinato.store import Store

from .people import People
from .seen import SeenRun
from .trace import demand
from .witness import Witness
from .world import World

ALL = 1_000_000


def audit(store: Store, witness: Witness, world: World, people: People) -> None:
    """Raise Violation for anything that does not fit."""
    store.check()
    runs = {run.run_id: run for run in store.runs(limit=ALL)}
    demand(runs.keys() == witness.runs.keys(), "there are other runs than were made")
    for run_id, run in runs.items():
        if run_id in witness.forgotten:
            _only_its_end_is_known(store, witness.runs[run_id], run)
        else:
            _run_is_as_witnessed(store, witness.runs[run_id], run)
    for dag_id, key in people.accepted:
        demand((dag_id, key) in witness.keys, f"the run {key} of {dag_id} was accepted and is not there")
    demand(not witness.wishes.decisions, f"nobody has taken in {witness.wishes.decisions}")
    _results_are_kept(store, witness)
    _people_were_told(store, witness, world)
    _calendar(people, witness, witness.calls)


def _run_is_as_witnessed(store: Store, seen: SeenRun, run: Run) -> None:
    run_id = run.run_id
    demand(run.state is seen.run.state, f"run {run_id} is {run.state}, witnessed {seen.run.state}", run_id)
    demand(run.state in FINAL_RUN, f"run {run_id} is {run.state} at the end", run_id)
    tasks = {(task.task_no, task.map_index): task for task in store.tasks(run_id)}
    attempts: defaultdict[Instance, list[Attempt]] = defaultdict(list)
    for attempt in store.attempts(run_id):
        attempts[attempt.task_no, attempt.map_index].append(attempt)
    demand(tasks.keys() <= seen.states.keys(), "there are task instances that never came to be", run_id)
    for at, state in seen.states.items():
        found = tasks[at].state if at in tasks else TaskState.NONE
        demand(found is state, f"task {at} is {found}, witnessed {state}", run_id)
        never = run.state is RunState.CANCELLED and run.started_at is None
        demand(found in FINAL_TASK or never, f"task {at} is {found} in an ended run", run_id)
        _effect_is_one(seen, at, state, attempts[at])
    _history_replays(store.events(run_id, limit=ALL), run, tasks)


def _only_its_end_is_known(store: Store, seen: SeenRun, run: Run) -> None:
    run_id = run.run_id
    demand(run.state is seen.run.state, f"run {run_id} is {run.state}, witnessed {seen.run.state}", run_id)
    left = [*store.tasks(run_id), *store.attempts(run_id), *store.events(run_id, limit=1)]
    demand(not left, f"run {run_id} is forgotten, and there is {left}", run_id)


def _effect_is_one(seen: SeenRun, at: Instance, state: TaskState, attempts: list[Attempt]) -> None:
    run_id = seen.run.run_id
    demand([a.attempt for a in attempts] == seen.attempts[at], f"task {at} has other attempts", run_id)
    successes = [a for a in attempts if a.state is AttemptState.SUCCESS]
    wanted = int(_by_attempt(seen, at))
    demand(len(successes) == wanted, f"task {at} is {state} with {len(successes)} successes", run_id)


def _by_attempt(seen: SeenRun, at: Instance) -> bool:
    """Whether a task instance ended by what one of its attempts said."""
    causes = [event.cause for event in seen.events if (event.task_no, event.map_index) == at]
    return bool(causes) and causes[-1] in {Cause.REPORTED_SUCCESS, Cause.REPORTED_SKIP}


def _history_replays(events: list[LoggedEvent], run: Run, tasks: dict[Instance, Task]) -> None:
    """The states that the events lead to, by the tables alone, are those of the rows."""
    run_id = run.run_id
    demand(events and events[0].cause in RUN_BIRTHS, f"run {run_id} was not born", run_id)
    state: RunState | None = RunState.QUEUED
    states: defaultdict[Instance, TaskState | None] = defaultdict(lambda: TaskState.NONE)
    attempts: dict[Instance, int] = {}
    for seq, event in enumerate(events):
        demand(event.seq == seq, f"event {seq} is missing", run_id)
        if seq == 0 or event.cause in {Cause.CANCEL_REQUESTED, Cause.DECISION_REFUSED}:
            continue
        if event.task_no is None:
            assert state is not None
            state = next_run(state, event.cause)
            demand(state == event.becomes, f"event {seq} does not replay", run_id)
        else:
            at = event.task_no, event.map_index
            was = states[at]
            assert was is not None
            states[at] = next_task(was, event.cause)
            demand(states[at] == event.becomes, f"event {seq} does not replay", run_id)
            if event.attempt is not None:
                attempts[at] = event.attempt
    demand(state is run.state, f"the history ends {state}, the run is {run.state}", run_id)
    demand(dict(states) == {at: task.state for at, task in tasks.items()}, "the history ends with other tasks", run_id)
    last = {at: task.attempt for at, task in tasks.items() if task.attempt is not None}
    demand(attempts == last, "the history ends with other attempts", run_id)


def _results_are_kept(store: Store, witness: Witness) -> None:
    remembered = [run_id for run_id in witness.runs if run_id not in witness.forgotten]
    kept = store.outputs([(run_id, *at) for run_id, seen in witness.runs.items() for at in seen.states])
    outputs = {at: value for at, value in witness.outputs.items() if at[0] not in witness.forgotten}
    demand(kept == outputs, "other outputs are kept than took effect")
    rows: defaultdict[int, list[object]] = defaultdict(list)
    for rejected in reversed(store.rejected(limit=ALL)):
        rows[rejected.attempt].append(rejected.letters)
    attempts = {no for run_id in remembered for nos in witness.runs[run_id].attempts.values() for no in nos}
    rejected = {attempt: letters for attempt, letters in witness.rejected.items() if attempt in attempts}
    demand(rows == rejected, "other dead letters are kept than took effect")
    watched = {(e.dag_id, e.start): (e.due_at, e.state) for e in store.open_expectations()}
    expected = {key: value for key, value in witness.promises.expected.items() if value[1] != "met"}
    demand(watched == expected, "other deadlines are watched than were promised")


def _people_were_told(store: Store, witness: Witness, world: World) -> None:
    open_alerts: dict[str, bool] = {}
    for alert in reversed(store.alerts(limit=ALL)):
        is_trigger = alert.action == "trigger"
        was_open = open_alerts.get(alert.dedup_key, witness.has_forgotten and not is_trigger)
        demand(is_trigger != was_open, f"{alert.dedup_key}: {alert.action} when {'open' if was_open else 'closed'}")
        open_alerts[alert.dedup_key] = is_trigger
        demand(alert.outbox_id in world.deliveries, f"alert {alert.outbox_id} was never delivered")
    for key, failed in witness.promises.failed.items():
        demand(open_alerts.get(key, False) == failed, f"the alert {key} is open: {not failed}")
    first_time = list(dict.fromkeys(world.deliveries))
    by_key: dict[str, int] = {}
    keys = {alert.outbox_id: alert.dedup_key for alert in store.alerts(limit=ALL)}
    for outbox_id in filter(keys.__contains__, first_time):  # what is dealt with may be forgotten
        key = keys[outbox_id]
        demand(outbox_id > by_key.get(key, 0), f"alerts of {key} left out of order")
        by_key[key] = outbox_id
    for key, (due, state) in witness.promises.expected.items():
        met = key in witness.promises.succeeded
        may_be = state == "met" and key in witness.promises.covered
        ahead = state == "expected" and due >= witness.timeline.wall(witness.machine)
        as_it_should = (state == "met") == met or may_be or ahead
        demand(as_it_should, f"the deadline {key}, due {due}, is {state}")


def _calendar(people: People, witness: Witness, calls: list[Instant]) -> None:
    """No run for an interval that is none, and none missing for a tick that was seen in time."""
    by_dag: defaultdict[str, set[Instant]] = defaultdict(set)
    for seen in witness.runs.values():
        by_dag[seen.run.dag_id].add(seen.run.interval.start)
        whole = interval_at(seen.spec.schedule, seen.run.interval.start)
        if seen.run.kind == "backfill":
            ticks = [each.end for each in intervals_between(seen.spec.schedule, whole.start, seen.run.interval.end - 1)]
            whole = DataInterval(whole.start, ticks[-1])
            batch = people.batches[seen.run.backfill_id or 0]
            demand(len(ticks) <= batch, f"{len(ticks)} intervals in a run, {batch} may", seen.run.run_id)
        if seen.run.kind != "called":
            demand(seen.run.interval == whole, f"run for {seen.run.interval}, which is no interval", seen.run.run_id)
    for dag_id, spec in people.dags.items():
        ticks = spec.schedule is not None and not isinstance(spec.schedule, After)  # for those see `Followers`
        if dag_id not in people.disturbed and ticks and calls:
            for start in _owed(spec, calls):
                demand(start in by_dag[dag_id], f"{dag_id} has no run for {start}, catchup {spec.catchup}")


def _owed(spec: DagSpec, calls: list[Instant]) -> list[Instant]:
    """The starts of the intervals that must have a run: ended after the dag was first seen, and looked at in time."""
    assert spec.schedule is not None
    looked = list(accumulate(calls, max))  # a clock that was set back shows nothing new
    first, last = calls[0], looked[-1]
    since = spec.start if spec.catchup == "all" and spec.start is not None else first
    owed: list[Instant] = []
    for interval in intervals_between(spec.schedule, since - 400_000, last):
        allowed = (spec.start is None or interval.start >= spec.start) and (
            spec.end is None or interval.start <= spec.end
        )
        if not (allowed and since < interval.end <= last):
            continue
        next_look = looked[bisect_left(looked, interval.end)]
        if spec.catchup == "all" or next_look <= interval.end + ON_TIME_MS:
            owed.append(interval.start)
    return owed
