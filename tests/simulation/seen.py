"""What the witness remembers of runs and attempts."""

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct, field

from ostinato.model.cause import Cause
from ostinato.model.change import Event, NewAttempt, TaskMove
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import DagSpec, TaskSpec
from ostinato.model.state import FINAL_TASK, AttemptState, TaskState

from .edges import BAD, Edges, whole


class SeenAttempt(Struct):
    """An attempt as it was written."""

    new: NewAttempt
    state: AttemptState = AttemptState.QUEUED
    error_class: str | None = None


class SeenRun(Struct):
    """A run as it was written. Keys are task instances; ``failures`` counts by error class too.

    ``items`` are those of each scope, ``begun`` the instances of scopes (by scope and map index) of which anything was
    started, ``follows`` what each branch or short circuit has said, ``edges`` the graphs of the dag (None) and of its scopes,
    ``met`` what has had all that it needs, ``children`` the runs that were called for.
    """

    run: Run
    spec: DagSpec
    edges: Mapping[int | None, Edges]
    states: dict[Instance, TaskState]
    attempts: defaultdict[Instance, list[int]] = field(default_factory=lambda: defaultdict(list))
    failures: defaultdict[tuple[Instance, str], int] = field(default_factory=lambda: defaultdict(int))
    rows: dict[Instance, TaskMove] = field(default_factory=dict[Instance, TaskMove])
    events: list[Event] = field(default_factory=list[Event])
    items: defaultdict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    follows: dict[Instance, tuple[str, ...]] = field(default_factory=dict[Instance, tuple[str, ...]])
    begun: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    met: set[Instance] = field(default_factory=set[Instance])
    children: dict[Instance, int] = field(default_factory=dict[Instance, int])
    has_begun: bool = False
    cancelling: bool = False
    interruptions: int = 0

    def task(self, at: Instance) -> TaskSpec:
        """The definition of a task instance's task."""
        return self.spec.tasks[at[0]]

    def members(self, scope_no: int) -> list[int]:
        """The tasks of a scope."""
        return self.edges[scope_no].nodes

    def is_whole(self, at: Instance) -> bool:
        """Whether it is a task in a scope, as a whole."""
        return at[1] == UNMAPPED and self.task(at).scope is not None

    def ended(self) -> bool:
        """Whether every task has ended, with all of its instances."""
        return all(state in FINAL_TASK for state in self.states.values())

    def unfolds(self, scope_no: int, item: bytes) -> None:
        """A scope has one instance more."""
        index = len(self.items[scope_no])
        self.items[scope_no].append(item)
        self.states |= {(no, index): TaskState.NONE for no in self.members(scope_no)}

    def fates(self, at: Instance) -> set[Cause]:
        """By which causes the graph says that a task instance must end; READY: it may start; none: not decided yet."""
        task_no, index = at
        edges = self.edges[None if index == UNMAPPED else self.task(at).scope]
        states = {no: self.states[no, index] for no in edges.nodes}
        follows = {no: self.follows[no, index] for no in edges.nodes if (no, index) in self.follows}
        return edges.fates(task_no, states, follows)

    def should_fail(self) -> bool:
        """Whether the run has failed, by its dag's rule."""
        asked = [no for no, task in enumerate(self.spec.tasks) if task.role != "teardown"]
        if self.spec.outcome != "every_task":
            edges = self.edges[None]
            asked = [no for no in asked if all(self.spec.tasks[after].role == "teardown" for after in edges.below(no))]
        if self.spec.outcome == "leaves_and_skipped_parents":
            asked = [standing for no in asked for standing in self._standing(no)]
        return any(self.states[whole(no)] in BAD for no in asked)

    def _standing(self, no: int) -> list[int]:
        """A leaf; in place of one that was skipped its upstreams, and so on."""
        above = self.edges[None].above(no)
        if self.states[whole(no)] is not TaskState.SKIPPED or not above:
            return [no]
        return [standing for other in above for standing in self._standing(other)]
