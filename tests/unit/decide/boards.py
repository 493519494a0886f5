"""A board at work, for tests: dags in short form, and a desk that plays the agent."""

from collections.abc import Sequence

from msgspec import structs

from ostinato.decide.board import Board
from ostinato.decide.shape import Shape
from ostinato.decide.step import Calling, Needing, Probe, Step, Unfolding
from ostinato.model.change import Alert, Commit, Decision
from ostinato.model.limits import Limits
from ostinato.model.message import Failure, Finished, Hello, Started, Verdict
from ostinato.model.record import UNMAPPED, Instance, Intervention, Pool, Run, run_key
from ostinato.model.spec import CompiledDag, DagSpec, Retry, Scope, Sensor, TaskSpec
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import DataInterval, Instant

NOW: Instant = 1_700_000_000_000
DAY = 86_400_000
FIRST: Instance = (0, UNMAPPED)
PATIENT = Sensor(every=30.0, timeout=100.0)
TRANSIENT = Failure("raised", "blip", declared="transient")
RESOURCE = Failure("raised", "quota", declared="resource")
LOGIC = Failure("raised", "wrong", declared="logic")
RETRY = Retry(transient=2, resource=1, first_delay=4.0, jitter=0.0)


def spec_of(*tasks: TaskSpec, dag_id: str = "sales", most: int = 16, scopes: tuple[Scope, ...] = ()) -> DagSpec:
    """A dag of these tasks."""
    return DagSpec(dag_id, tasks, max_active_runs=most, scopes=scopes)


def shape_of(*tasks: TaskSpec, dag_id: str = "sales", most: int = 16, scopes: tuple[Scope, ...] = ()) -> Shape:
    """The shape of a dag of these tasks."""
    spec = spec_of(*tasks, dag_id=dag_id, most=most, scopes=scopes)
    return Shape(CompiledDag(spec, f"{dag_id}.py", "source", "version"))


def run_of(run_id: int, *, dag_id: str = "sales", day: int = 0, kind: str = "manual") -> Run:
    """A queued run for a day."""
    start = NOW + day * DAY
    return Run(
        run_id=run_id,
        dag_id=dag_id,
        version="version",
        run_key=run_key(start, run_id),
        kind=kind,
        state=RunState.QUEUED,
        interval=DataInterval(start, start + DAY),
        params=b"\x80",
        created_at=NOW,
    )


class Desk:
    """A board with an agent named ``a1`` that has all room, and all that the board has decided so far."""

    def __init__(self, *, window: int = 1_000, joined: bool = True, attempt_set_back: int = 0) -> None:
        self.board = Board(Limits(), attempt_set_back + 1, lambda: 0.0, attempt_set_back)
        self.board.capacity.set_pools([Pool("default", 1_000)])
        self.now = NOW
        self.sent: list[int] = []
        self.acknowledged: list[int] = []
        self.told_to_stop: list[int] = []
        self.commits: list[Commit] = []
        self.probes: list[tuple[int, int]] = []
        self.calls: list[Calling] = []
        self.unfolds: list[Unfolding] = []
        self.needs: list[Needing] = []
        if joined:
            self.join(window=window)

    def join(
        self,
        agent: str = "a1",
        *,
        window: int = 1_000,
        holds: Sequence[int] = (),
        predecessors: Sequence[tuple[str, tuple[int, ...]]] = (),
    ) -> Step:
        """An agent says hello."""
        self.board.agent_joined(Hello(agent, 1, window, window, tuple(holds), tuple(predecessors)), self.now)
        return self.tick()

    def open(self, *tasks: TaskSpec, run: Run | None = None, most: int = 16, scopes: tuple[Scope, ...] = ()) -> int:
        """A run of a dag of these tasks, by default the run 1."""
        opened = run or run_of(1)
        self.board.open_run(opened, shape_of(*tasks, dag_id=opened.dag_id, most=most, scopes=scopes))
        self.tick()
        while (due := self.board.next_due()) is not None and due <= self.now:
            self.tick()
        return opened.run_id

    def tick(self, later: int = 0) -> Step:
        """Let some milliseconds pass, and take what is decided by then."""
        self.now += later
        self.board.tick(self.now)
        step = self.board.take()
        self.sent += step.dispatches
        for attempts in step.acknowledge.values():
            self.acknowledged += attempts
        for attempts in step.cancel.values():
            self.told_to_stop += attempts
        self.probes += [(probe.run.run_id, probe.task_no) for probe in step.probes]
        self.calls += step.calls
        self.unfolds += step.unfolds
        self.needs += step.needs.values()
        self.commits.append(step.commit)
        return step

    def report(
        self,
        attempt: int,
        verdict: Verdict = "success",
        failure: Failure | None = None,
        agent: str | None = "a1",
        output: bytes | None = None,
    ) -> Step:
        """An attempt ends."""
        finished = Finished(attempt, verdict, self.now, self.now, failure=failure, output=output)
        self.board.finished(agent, finished, self.now)
        return self.tick()

    def look(self, *, found: bool, run_id: int = 1, no: int = 0, later: int = 0) -> None:
        """A file was looked for."""
        self.board.probed(Probe(run_of(run_id), no, no), self.now + later, found=found)

    def start(self, attempt: int) -> Step:
        """An attempt has outlived a beat."""
        self.board.started("a1", Started(attempt, self.now), self.now)
        return self.tick()

    def decide(self, what: Decision, task_no: int = 0, map_index: int = UNMAPPED, run_id: int = 1) -> Step:
        """Somebody decides about a task instance."""
        self.board.decided(Intervention(1, run_id, task_no, map_index, what, "ann", self.now), self.now)
        return self.tick()

    def of(self, task_no: int, run_id: int = 1) -> int:
        """The live attempt of a task."""
        return self.board.runs[run_id].live_attempt[task_no].attempt

    def state(self, task_no: int, run_id: int = 1) -> TaskState:
        """Where a task of an open run stands; of an ended run, where it was last seen to go."""
        live = self.board.runs.get(run_id)
        return live.states[task_no] if live else self.last_states(run_id)[task_no]

    def last_states(self, run_id: int = 1) -> dict[int, TaskState]:
        """The state each task of a run was last written in."""
        moves = [move for commit in self.commits for move in commit.tasks if move.run_id == run_id]
        return {move.task_no: move.becomes for move in moves}

    def task_states(self, run_id: int = 1) -> dict[Instance, TaskState]:
        """The state each task instance of a run was last written in."""
        moves = [move for commit in self.commits for move in commit.tasks if move.run_id == run_id]
        return {(move.task_no, move.map_index): move.becomes for move in moves}

    def run_state(self, run_id: int = 1) -> RunState:
        """The state a run was last written in."""
        moves = [move.becomes for commit in self.commits for move in commit.runs if move.run_id == run_id]
        return moves[-1] if moves else RunState.QUEUED

    def alerts(self) -> list[tuple[str, str]]:
        """What people were told: action and key."""
        return told([alert for commit in self.commits for alert in commit.alerts])


def told(alerts: Sequence[Alert]) -> list[tuple[str, str]]:
    """Those that the store sends on: each that opens what is closed, or closes what is open."""
    sent: list[tuple[str, str]] = []
    is_open: set[str] = set()
    for alert in alerts:
        if (alert.dedup_key in is_open) == (alert.action == "resolve"):
            is_open ^= {alert.dedup_key}
            sent.append((alert.action, alert.dedup_key))
    return sent


def chain(count: int, **more: object) -> list[TaskSpec]:
    """Tasks one after another."""
    tasks = [TaskSpec(f"t{no}", upstream=(no - 1,) if no else ()) for no in range(count)]
    return [structs.replace(task, **more) for task in tasks]
