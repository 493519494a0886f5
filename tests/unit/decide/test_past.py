"""What an earlier run came to, in the numbers of another version."""

from msgspec import structs

from ostinato.decide.past import Past, past_of
from ostinato.decide.shape import Shape
from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, LoggedEvent, OpenRun, Task
from ostinato.model.spec import Argument, OutputOf, Scope, TaskSpec, Value
from ostinato.model.state import TaskState
from tests.unit.decide.boards import NOW, run_of
from tests.unit.decide.parts import shape_of

ROWS = (
    Task(1, 0, TaskState.SUCCESS, NOW),
    Task(1, 1, TaskState.FAILED, NOW),
    Task(1, 1, TaskState.SUCCESS, NOW, map_index=0),
    Task(1, 1, TaskState.FAILED, NOW, map_index=1),
    Task(1, 2, TaskState.UPSTREAM_FAILED, NOW),
)
FOUND = OpenRun(run_of(1), ROWS, (), {}, {}, 9, {0: 2})


def dag(*before: str, over: Argument | None = None, limit: int = 10, loads: str = "load") -> Shape:
    """A dag that maps ``load`` over what ``list`` returned, then totals; with these tasks before all that."""
    tasks = [TaskSpec(name, kind="branch") for name in before]
    first = len(tasks)
    tasks += [
        TaskSpec("list", kind="branch"),
        TaskSpec(loads, scope=0),
        TaskSpec("total", upstream=(first + 1,)),
    ]
    scope = Scope("files", "each", upstream=(first,), over=(("path", over or OutputOf(first)),), limit=limit)
    return shape_of(tasks, [scope])


def seen(new: Shape, *events: LoggedEvent) -> Past:
    return past_of(dag(), new, FOUND, events)


def test_tasks_are_found_by_their_ids() -> None:
    found = seen(dag("first"))
    assert found.tasks == {1: 0, 2: 1, 3: 2}
    assert (found.items, found.scopes) == ({0: 2}, {0: 0})
    assert found.states == {
        (1, UNMAPPED): TaskState.SUCCESS,
        (2, UNMAPPED): TaskState.FAILED,
        (2, 0): TaskState.SUCCESS,
        (2, 1): TaskState.FAILED,
        (3, UNMAPPED): TaskState.UPSTREAM_FAILED,
    }


def test_what_is_gone_is_not_told() -> None:
    found = past_of(dag("first"), dag(), structs.replace(FOUND, tasks=(Task(1, 0, TaskState.SUCCESS, NOW),)), [])
    assert (found.states, found.tasks) == ({}, {0: 1, 1: 2, 2: 3})


def test_a_scope_over_something_else_is_another() -> None:
    found = seen(dag(over=Value(["a", "b"])))
    assert (found.items, found.scopes, found.tasks) == ({}, {}, {0: 0, 2: 2})


def test_a_scope_with_another_limit_is_the_same() -> None:
    assert seen(dag(limit=99)).items == {0: 2}


def test_a_scope_has_what_is_known_of_its_tasks_by_their_ids() -> None:
    found = seen(dag(loads="store"))
    assert (found.items, sorted(found.states)) == ({0: 2}, [(0, UNMAPPED), (2, UNMAPPED)])


def test_a_task_that_came_into_a_scope_or_out_of_one_is_another() -> None:
    outside = shape_of([TaskSpec("list"), TaskSpec("load", upstream=(0,)), TaskSpec("total", upstream=(1,))])
    assert seen(outside).tasks == {0: 0, 2: 2}
    assert past_of(outside, dag(), FOUND, []).tasks == {0: 0, 2: 2}


def test_a_loop_is_the_same_if_it_begins_and_ends_the_same() -> None:
    tasks = [TaskSpec("page", scope=0), TaskSpec("last", upstream=(0,), scope=0)]
    loop = Scope("pages", "loop", start=Value("first"), until=1, carry=0)
    more = [
        TaskSpec("before"),
        *(structs.replace(task, upstream=tuple(n + 1 for n in task.upstream)) for task in tasks),
    ]
    moved = structs.replace(loop, until=2, carry=1)
    found = OpenRun(run_of(1), (), (), {}, {}, 1, {0: 3})
    assert past_of(shape_of(tasks, [loop]), shape_of(more, [moved]), found, []).items == {0: 3}
    other = structs.replace(loop, start=Value("second"))
    assert past_of(shape_of(tasks, [loop]), shape_of(tasks, [other]), found, []).items == {}


def test_what_steers_is_remembered_with_what_it_said() -> None:
    def event(seq: int, task_no: int | None, facts: dict[str, object] | None) -> LoggedEvent:
        return LoggedEvent(1, seq, NOW, Cause.REPORTED_SUCCESS, "queued", "success", task_no, facts=facts)

    found = seen(
        dag("first"), event(1, None, None), event(2, 0, {"follow": ["total"]}), event(3, 2, {"class": "logic"})
    )
    assert found.follow == {(1, UNMAPPED): ("total",)}
