"""Small dags of every kind, some of whose scopes have unfolded, and how earlier runs of them may have ended."""

from collections.abc import Sequence

from hypothesis import strategies as st

from ostinato.decide.past import Past
from ostinato.decide.reach import Reach
from ostinato.decide.shape import Shape
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import CompiledDag, DagSpec, Scope, TaskSpec, Value
from ostinato.model.state import FINAL_TASK, TaskState

KINDS = st.sampled_from(["python", "python", "branch", "short_circuit"])


def shape_of(tasks: Sequence[TaskSpec], scopes: Sequence[Scope] = ()) -> Shape:
    """The shape of a dag."""
    return Shape(CompiledDag(DagSpec("d", tuple(tasks), scopes=tuple(scopes)), "d.py", "source", "version"))


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Units one after another: tasks and scopes, each after some of the tasks before it; some with a setup to take down."""
    tasks: list[TaskSpec] = []
    scopes: list[Scope] = []
    for _ in range(draw(st.integers(1, 5))):
        before = _some(draw, range(len(tasks)))
        if draw(st.booleans()) and draw(st.booleans()):
            first, size = len(tasks), draw(st.integers(1, 3))
            for no in range(first, first + size):
                inside = _some(draw, range(first, no))
                tasks.append(TaskSpec(f"t{no}", kind=draw(KINDS), upstream=inside, scope=len(scopes)))
            if draw(st.booleans()):
                over = (("item", Value([1, 2])),)
                scopes.append(Scope(f"s{len(scopes)}", "each", upstream=before, over=over))
            else:
                scopes.append(Scope(f"s{len(scopes)}", "loop", upstream=before, until=first + size - 1))
        else:
            setups = tuple(no for no in before if tasks[no].scope is None) if draw(st.booleans()) else ()
            rule = "all_done_setup_success" if setups else "all_success"
            role = "teardown" if setups else "work"
            kind = "python" if setups else draw(KINDS)
            tasks.append(
                TaskSpec(f"t{len(tasks)}", kind=kind, upstream=before, setups=setups, role=role, trigger_rule=rule)
            )
    return shape_of(tasks, scopes)


def _some(draw: st.DrawFn, numbers: range) -> tuple[int, ...]:
    return tuple(sorted(draw(st.sets(st.sampled_from(numbers), max_size=3)))) if numbers else ()


@st.composite
def parts(draw: st.DrawFn) -> Reach:
    """The instances of a run of such a dag."""
    shape = draw(shapes())
    items = {no: draw(st.integers(0, 3)) for no in range(len(shape.scopes))}
    return Reach(shape, {no: count for no, count in items.items() if count})


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Shape, Past]:
    """A dag, and what a run of it came to: any ends at all, and any decisions of what steers.

    Only a scope that has not unfolded is known to end in one of a few ways, all of its tasks alike.
    """
    reach = draw(parts())
    shape = reach.shape
    ends = st.sampled_from(sorted(FINAL_TASK))
    mostly = st.one_of(st.just(TaskState.SUCCESS), st.just(TaskState.SUCCESS), ends)
    everything = {*reach.everything(), *((no, UNMAPPED) for no in range(len(shape.tasks)))}
    states: dict[Instance, TaskState] = {each: draw(mostly) for each in sorted(everything)}
    for no, scope in enumerate(shape.scopes):
        if no not in reach.items:
            end = draw(st.sampled_from([TaskState.SKIPPED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED]))
            states.update({(member, UNMAPPED): end for member in scope.members})
    ids = [task.task_id for task in shape.tasks]
    follow = {
        each: tuple(draw(st.lists(st.sampled_from(ids), max_size=2)))
        for each in reach.everything()
        if shape.tasks[each[0]].kind in {"branch", "short_circuit"} and states[each] is TaskState.SUCCESS
    }
    tasks = {no: no for no in range(len(shape.tasks))}
    return shape, Past(states, dict(reach.items), follow, tasks, {no: no for no in range(len(shape.scopes))})
