"""Sees every commit that was done, holds it against the tables, the limits and the truth, and remembers it.

It counts from what was written, never asks the scheduler, and knows the graph as edges, not as gates.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from ostinato.decide.transition import next_attempt, next_run, next_task
from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, Item, NewAttempt, NewRun, RunMove, TaskMove
from ostinato.model.message import Acknowledge, Launch, ToAgent
from ostinato.model.record import Instance, Run
from ostinato.model.spec import After, CompiledDag, DagSpec, Schedule, TaskSpec
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, LIVE_ATTEMPT, RunState, TaskState
from ostinato.model.time import Instant

from .edges import Edges, whole
from .followers import Followers
from .needed import note_what_is_met
from .outside import hold_callers, hold_overlap, hold_stop
from .promises import Promises
from .scoped import hold_items
from .seen import SeenAttempt, SeenRun
from .timeline import Timeline
from .trace import demand
from .truth import hold_against_the_truth
from .wishes import ENDS_BY, Granted, TakenIn, Wishes, open_runs
from .world import World

DISPATCHES: Final = frozenset({Cause.READY, Cause.RETRY_DUE, Cause.CHECK_DUE})
DECIDED: Final = frozenset(cause for causes in ENDS_BY.values() for cause in causes)


class Pending(Struct):
    """What of a commit is not yet explained by one of its events."""

    runs: deque[RunMove]
    tasks: deque[TaskMove]
    new_attempts: dict[int, NewAttempt]
    attempts: defaultdict[int, deque[AttemptMove]]
    commit: Commit
    decisions: TakenIn


class Witness:
    """See the module."""

    def __init__(self, world: World, timeline: Timeline) -> None:
        self.world = world
        self.timeline = timeline
        self.specs: dict[str, DagSpec] = {}
        self.edges: dict[str, dict[int | None, Edges]] = {}
        self.runs: dict[int, SeenRun] = {}
        self.attempts: dict[int, SeenAttempt] = {}
        self.keys: dict[tuple[str, str], int] = {}
        self.outputs: dict[tuple[int, int, int], bytes] = {}
        self.rejected: defaultdict[int, list[object]] = defaultdict(list)
        self.promises = Promises()
        self.followers = Followers()
        self.wishes = Wishes()
        self.deployed_now: dict[str, DagSpec] = {}
        self.schedules: dict[str, Schedule | None] = {}
        self.needy: dict[int, None] = {}
        self.open: dict[int, None] = {}
        self.ended_at: dict[int, Instant] = {}
        self.forgotten: set[int] = set()
        self.has_forgotten = False
        self.moves: set[tuple[str, str, str]] = set()
        self.launched: set[int] = set()
        self.lost: set[int] = set()
        self.unproven: set[int] = set()
        self.set_backs = 0
        self.stopped: set[int] = set()
        self.goes_on_from: Instant = 0
        self.commits = 0
        self.epoch = 0
        self.machine = ""
        self.storming = True
        self.calls: list[Instant] = []
        world.counts = self._counts
        self._running: defaultdict[str, set[int]] = defaultdict(set)
        self._active: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._used: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._held: defaultdict[str, set[int]] = defaultdict(set)
        self._slots: dict[str, int] = {"default": 1_024}
        self._allowed: dict[str, int] = dict(self._slots)
        self._most: dict[str, int] = {}

    # --- what people write --------------------------------------------------------------------------------------

    def deployed(self, dag: CompiledDag) -> None:
        """A dag version was put."""
        self.specs[dag.version] = spec = dag.spec
        self.deployed_now[spec.dag_id] = spec
        self.schedules[spec.dag_id] = spec.schedule
        if dag.version not in self.edges:
            self.edges[dag.version] = {scope: Edges(spec, scope) for scope in (None, *range(len(spec.scopes)))}

    def created(self, runs: Sequence[Run]) -> None:
        """Runs have come to be."""
        for run in runs:
            key = (run.dag_id, run.run_key)
            demand(key not in self.keys, f"two runs of {key}", run.run_id)
            demand(run.run_id not in self.runs, f"run {run.run_id} was made twice", run.run_id)
            self.keys[key] = run.run_id
            spec = self.specs[run.version]
            self.open[run.run_id] = None
            states = {whole(no): TaskState.NONE for no in range(len(spec.tasks))}
            self.runs[run.run_id] = SeenRun(run, spec, self.edges[run.version], states)
            if any(task.needs for task in spec.tasks):
                self.needy[run.run_id] = None
            if run.parent is not None:
                caller, *at = run.parent
                self.runs[caller].children[at[0], at[1]] = run.run_id

    def pool_set(self, name: str, slots: int) -> None:
        """A pool has a new size, which the scheduler will know when it looks."""
        self._slots[name] = slots
        self._allowed[name] = max(slots, self._allowed.get(name, 0))

    def looked(self) -> None:
        """The scheduler has looked around."""
        self._allowed = dict(self._slots)
        self.wishes.looked()
        note_what_is_met(self)

    def retired(self, dag_id: str) -> None:
        """A dag is not in its file any more."""
        self.deployed_now.pop(dag_id, None)

    def seats(self, agent: str, machine: str, window: int) -> None:
        """There is an agent on a machine. It takes so many attempts."""
        self._most[agent] = window
        self.world.machine_of[agent] = machine

    def leads(self, machine: str, epoch: int) -> None:
        """A scheduler on a machine leads now."""
        self.machine, self.epoch = machine, epoch

    def task_of(self, attempt: int) -> TaskSpec:
        """The task that an attempt is of."""
        new = self.attempts[attempt].new
        return self.runs[new.run_id].spec.tasks[new.task_no]

    def _counts(self, attempt: int) -> bool:
        """Whether what is written does not say that it is over."""
        if attempt in self.lost:
            return False
        return attempt not in self.attempts or self.attempts[attempt].state in LIVE_ATTEMPT

    def set_back(self, epoch: int, now: Instant, *, again: bool) -> None:
        """The state is as of an earlier moment. Unless all is to be done again, what was open then is not gone on with."""
        self.epoch, self.set_backs = epoch, self.set_backs + 1
        if again:
            return
        self.stopped = set(self.open)
        self.wishes.asked_to_stop |= self.stopped
        for backfill_id in list(self.wishes.granted):
            if open_runs(self.runs, backfill_id):
                del self.wishes.granted[backfill_id]
        self.goes_on_from = now
        self.followers.watched.clear()

    # --- what the scheduler says --------------------------------------------------------------------------------

    def sent(self, message: ToAgent, *, leads: bool) -> None:
        """A message leaves only after the commit that recorded it. One who led then may be late with it."""
        match message:
            case Launch(assignments):
                for assignment in assignments:
                    self.launched.add(assignment.attempt)
                    seen = self.attempts.get(assignment.attempt)
                    demand(seen is not None, f"attempt {assignment.attempt} was sent before it was written")
                    if seen is not None and leads:
                        demand(seen.state in LIVE_ATTEMPT, f"attempt {assignment.attempt} is sent after its end")
            case Acknowledge(attempts):
                for attempt in attempts:
                    seen = self.attempts.get(attempt)
                    if seen is not None and seen.state not in FINAL_ATTEMPT:
                        demand(False, f"attempt {attempt} was acknowledged before its end was written", seen.new.run_id)
            case _:
                pass

    # --- what the scheduler writes ------------------------------------------------------------------------------

    def steps(self) -> None:
        """Whoever leads has taken a step that went well, or wrote what it was about: it has looked at its clock."""
        if self.storming:
            self.calls.append(self.timeline.wall(self.machine))

    def committed(self, change: Commit, created: Sequence[Run]) -> None:
        """A commit was done."""
        self.commits += 1
        self.steps()
        self._births(change.new_runs, created)
        attempts: defaultdict[int, deque[AttemptMove]] = defaultdict(deque)
        for move in change.attempts:
            attempts[move.attempt].append(move)
        new_attempts = {new.attempt: new for new in change.new_attempts}
        decisions = TakenIn(self.wishes, change.taken, self.runs)
        self.wishes.asked_to_stop |= {request.run_id for request in change.cancel_requests}
        pending = Pending(deque(change.runs), deque(change.tasks), new_attempts, attempts, change, decisions)
        for item in change.items:
            self._unfolds(item)
        touched: dict[int, None] = {}
        for event in change.events:
            touched[event.run_id] = None
            self._event(event, pending)
        left = [*pending.runs, *pending.tasks, *pending.new_attempts.values(), *filter(None, attempts.values())]
        demand(not left, f"written without an event: {left}")
        for run_id in touched:
            self._nothing_is_left_out(self.runs[run_id])
            hold_callers(self, run_id)
        for request in change.cancel_requests:
            hold_stop(self, request)
        decisions.hold_effects()
        self._results(change)
        note_what_is_met(self)
        self.promises.committed(change, created, self.runs)
        self.followers.committed(self, created, [self.runs[move.run_id].run for move in change.runs])

    def _unfolds(self, item: Item) -> None:
        seen = self.runs[item.run_id]
        demand(item.map_index == len(seen.items[item.scope_no]), f"{item} comes out of turn", item.run_id)
        hold_items(self, seen, item)
        seen.unfolds(item.scope_no, item.value)

    def _births(self, wanted: Sequence[NewRun], created: Sequence[Run]) -> None:
        free = [new for new in wanted if (new.dag_id, new.run_key) not in self.keys]
        unique = {(new.dag_id, new.run_key): None for new in free}
        demand([(run.dag_id, run.run_key) for run in created] == list(unique), "other runs were made than were free")
        for run in created:
            late = (
                run.kind != "scheduled"
                or run.interval.end > self.goes_on_from
                or isinstance(self.specs[run.version].schedule, After)
            )
            demand(late, f"{run.dag_id} goes back behind the restore, for {run.interval}", run.run_id)
        self.created(created)

    def _event(self, event: Event, pending: Pending) -> None:
        seen = self.runs[event.run_id]
        demand(event.seq == len(seen.events) + 1, f"event {event.seq} follows {len(seen.events)}", event.run_id)
        seen.events.append(event)
        if event.task_no is None:
            self._run_event(seen, event, pending)
        else:
            self._task_event(seen, event, (event.task_no, event.map_index), pending)

    def _run_event(self, seen: SeenRun, event: Event, pending: Pending) -> None:
        run_id, was = event.run_id, seen.run.state
        demand(event.was == was, f"a run that is {was} moves from {event.was}", run_id)
        if event.cause is Cause.CANCEL_REQUESTED:
            demand(event.becomes == was and was not in FINAL_RUN, "a request moves a run", run_id)
            demand(run_id in self.wishes.asked_to_stop, "a run is to be cancelled and nobody asked", run_id)
            seen.cancelling = True
            return
        if event.cause is Cause.DECISION_REFUSED:
            pending.decisions.hold_refusal(seen, event)
            return
        becomes = next_run(was, event.cause)
        self.moves.add(("run", was, event.cause))
        demand(becomes is not None, f"a run that is {was} moves by {event.cause}", run_id)
        assert becomes is not None
        demand(
            pending.runs and pending.runs.popleft() == RunMove(run_id, was, becomes, event.at),
            "a run's event is not its move",
            run_id,
        )
        demand(event.becomes == becomes, "a run becomes what the table does not say", run_id)
        seen.run = structs.replace(seen.run, state=becomes)
        running = self._running[_counted_with(seen.run)]
        if event.cause is Cause.OVERLAPPED:
            hold_overlap(self, seen, event)
        if becomes is RunState.RUNNING:
            seen.has_begun = True
            running.add(run_id)
            most = self._most_runs(seen)
            demand(len(running) <= most, f"{len(running)} runs of {_counted_with(seen.run)} run, {most} may", run_id)
        else:
            running.discard(run_id)
            del self.open[run_id]
            self.ended_at[run_id] = event.at
            self.needy.pop(run_id, None)
            _ends_rightly(seen, event.cause)

    def _most_runs(self, seen: SeenRun) -> int:
        """How many runs may run at once that a run is counted with."""
        if seen.run.kind != "backfill":
            return seen.spec.max_active_runs
        granted = self.wishes.known_granted.get(seen.run.backfill_id or 0, Granted(0))
        return 0 if granted.paused else granted.most

    def _task_event(self, seen: SeenRun, event: Event, at: Instance, pending: Pending) -> None:
        run_id, was = event.run_id, seen.states[at]
        what = f"task {at} that is {was}"
        becomes = next_task(was, event.cause)
        self.moves.add(("task", was, event.cause))
        demand(event.was == was and becomes is not None, f"{what} moves from {event.was} by {event.cause}", run_id)
        assert becomes is not None
        demand(event.becomes == becomes, f"{what} becomes {event.becomes} by {event.cause}", run_id)
        demand(seen.run.state is RunState.RUNNING, f"{what} moves in a run that is {seen.run.state}", run_id)
        move = pending.tasks.popleft() if pending.tasks else None
        demand(move is not None, f"{what} has an event and no move", run_id)
        assert move is not None
        same = (move.run_id, move.task_no, move.map_index, move.was, move.becomes, move.at, move.attempt)
        demand(same == (run_id, *at, was, becomes, event.at, event.attempt), f"{what}: move is not event", run_id)
        ended: AttemptMove | None = None
        if event.cause in DISPATCHES:
            self._attempt_begins(seen, event, at, pending)
        elif event.attempt is not None and was in {TaskState.QUEUED, TaskState.RUNNING}:
            ended = self._attempt_moves(seen, event, at, pending)
        if event.cause in DECIDED and not (event.facts or {}).get("timed_out"):
            pending.decisions.hold(run_id, at, event.cause)
        hold_against_the_truth(self, seen, event, at, move, ended, pending.commit)
        seen.states[at] = becomes
        before = seen.rows.get(at)
        since = move.waiting_since or (before and before.waiting_since)
        seen.rows[at] = structs.replace(move, waiting_since=since)

    def _attempt_begins(self, seen: SeenRun, event: Event, at: Instance, pending: Pending) -> None:
        run_id, task = event.run_id, seen.task(at)
        new = pending.new_attempts.pop(event.attempt or 0, None)
        demand(new is not None, f"task {at} is dispatched without a new attempt", run_id)
        assert new is not None
        demand(new.attempt not in self.attempts, f"attempt {new.attempt} is used twice", run_id)
        demand(run_id not in self.stopped, f"task {at} is tried again, and nobody knows what it has done", run_id)
        number = len(seen.attempts[at]) + 1
        same = (new.run_id, new.task_no, new.map_index, new.number) == (run_id, *at, number)
        demand(same, f"{new} should be {number}", run_id)
        seen.attempts[at].append(new.attempt)
        self.attempts[new.attempt] = SeenAttempt(new)
        self._used[task.pool][new.attempt] = task.slots
        self._held[new.agent].add(new.attempt)
        used, allowed = sum(self._used[task.pool].values()), self._allowed.get(task.pool, 0)
        demand(used <= allowed, f"the pool {task.pool} has {allowed} slots, {used} are used", run_id)
        self._within_its_limits(seen, task, new.attempt)
        held, most = len(self._held[new.agent]), self._most.get(new.agent, 0)
        demand(held <= most, f"{new.agent} takes {most} attempts and has {held}", run_id)

    def _within_its_limits(self, seen: SeenRun, task: TaskSpec, attempt: int) -> None:
        dag_id = seen.run.dag_id
        self._active[dag_id, task.task_id].add(attempt)
        same = len(self._active[dag_id, task.task_id])
        demand(
            task.max_active is None or same <= task.max_active,
            f"{same} attempts of {task.task_id} live",
            seen.run.run_id,
        )
        together = sum(len(active) for (dag, _), active in self._active.items() if dag == dag_id)
        most = seen.spec.max_active_tasks
        demand(most is None or together <= most, f"{together} attempts of {dag_id} live, {most} may", seen.run.run_id)

    def _attempt_moves(self, seen: SeenRun, event: Event, at: Instance, pending: Pending) -> AttemptMove | None:
        run_id, attempt = event.run_id, self.attempts[event.attempt or 0]
        moves = pending.attempts[attempt.new.attempt]
        demand(moves, f"task {at} moves by {event.cause} without its attempt", run_id)
        move = moves.popleft()
        demand(move.was is attempt.state, f"attempt {move.attempt} is {attempt.state}, not {move.was}", run_id)
        becomes = next_attempt(move.was, event.cause)
        self.moves.add(("attempt", move.was, event.cause))
        demand(becomes is move.becomes, f"attempt {move.attempt} becomes {move.becomes} by {event.cause}", run_id)
        attempt.state = move.becomes
        if move.becomes in FINAL_ATTEMPT:
            del self._used[seen.task(at).pool][move.attempt]
            self._held[attempt.new.agent].discard(move.attempt)
            self._active[seen.run.dag_id, seen.task(at).task_id].discard(move.attempt)
        if move.error_class is not None:
            attempt.error_class = move.error_class
            seen.failures[at, move.error_class] += 1
        return move

    def _nothing_is_left_out(self, seen: SeenRun) -> None:
        """What follows from a task's end follows in the same commit, and so does the end of the run."""
        if seen.run.state is not RunState.RUNNING:
            return
        run_id = seen.run.run_id
        demand(not seen.ended(), "all tasks have ended, the run has not", run_id)
        if seen.cancelling:
            started = {TaskState.QUEUED, TaskState.RUNNING} | FINAL_TASK
            demand(set(seen.states.values()) <= started, "a cancelled run keeps what has not started", run_id)
            return
        for at, state in seen.states.items():
            if state is TaskState.NONE:
                fates = seen.fates(at)
                demand(fates <= {Cause.READY}, f"task {at} should have ended by {fates}", run_id)

    def _results(self, change: Commit) -> None:
        for output in change.outputs:
            key = (output.run_id, output.task_no, output.map_index)
            demand(key not in self.outputs, f"a second output of task {key[1:]}", output.run_id)
            self.outputs[key] = output.value
        for records in change.rejected:
            self.rejected[records.attempt].append(records.letters)


def _counted_with(run: Run) -> str:
    return f"backfill {run.backfill_id}" if run.kind == "backfill" else run.dag_id


def _ends_rightly(seen: SeenRun, cause: Cause) -> None:
    run_id, states = seen.run.run_id, set(seen.states.values())
    if cause is Cause.OVERLAPPED:
        demand(states == {TaskState.NONE}, "a run gives way that has begun", run_id)
    elif seen.run.state is RunState.CANCELLED:
        demand(seen.cancelling, "a run is cancelled that nobody asked to cancel", run_id)
        demand(states == {TaskState.NONE} or seen.ended(), "a run is cancelled with tasks going on", run_id)
    else:
        demand(seen.ended(), f"a run ends by {cause} with tasks {seen.states}", run_id)
        failed = seen.run.state is RunState.FAILED
        demand(failed == seen.should_fail(), f"a run is {seen.run.state} with {seen.states}", run_id)
