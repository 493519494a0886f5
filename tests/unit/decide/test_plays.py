"""The great law: a run comes to what its dag says, in whatever order things happen, and whoever takes it over halfway."""

from random import Random
from typing import get_args

from hypothesis import given, settings
from hypothesis.strategies import DrawFn, booleans, composite, integers, lists, randoms, sampled_from
from msgspec import structs

from ostinato.decide.graph import BAD
from ostinato.model.message import Verdict
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import (
    Approval,
    CallDag,
    DagSpec,
    Need,
    Outcome,
    Scope,
    Sensor,
    TaskKind,
    TaskSpec,
    TriggerRule,
)
from ostinato.model.state import FINAL_RUN, FINAL_TASK, RunState
from tests.unit.decide.naive import Play, end_of_run
from tests.unit.decide.scenes import CHILD, Scene

RULES: tuple[TriggerRule, ...] = get_args(TriggerRule)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
KINDS: tuple[TaskKind, ...] = (
    "python",
    "python",
    "python",
    "branch",
    "branch",
    "short_circuit",
    "call",
    "approval",
    "interval",
    "file_sensor",
)
ENDS: dict[TaskKind, tuple[Verdict, ...]] = {
    "python": ("success", "success", "failed", "skipped"),
    "branch": ("success", "success", "failed"),
    "short_circuit": ("success", "success", "failed"),
    "call": ("success", "failed"),
    "approval": ("success", "skipped"),
    "interval": ("success",),
    "file_sensor": ("success",),
}


@composite
def task_of(draw: DrawFn, no: int, above: list[int], tasks: list[TaskSpec]) -> TaskSpec:
    """A task that waits for some of those above it."""
    upstream = tuple(up for up in above if draw(booleans()))
    kind = draw(sampled_from(KINDS))
    task = TaskSpec(f"t{no}", kind=kind, upstream=upstream, trigger_rule=draw(sampled_from(RULES)))
    match kind:
        case "call":
            task = structs.replace(task, call=CallDag(CHILD))
        case "approval":
            task = structs.replace(task, approval=Approval("well?"))
        case "file_sensor":
            task = structs.replace(task, sensor=Sensor(every=1, timeout=10, path="x"))
        case _:
            pass
    if draw(integers(0, 9)) == 0:
        task = structs.replace(task, needs=(Need("other"),))
    shape = draw(integers(0, 9))
    if shape == 0 and upstream:
        conditions = tuple(
            tuple(draw(lists(sampled_from(OUTCOMES), min_size=1, max_size=2, unique=True))) for _ in upstream
        )
        return structs.replace(task, conditions=conditions, trigger_rule="all_success")
    if shape == 1:
        return structs.replace(task, role="setup")
    setups = tuple(up for up in upstream if tasks[up].role == "setup")
    if setups:
        return structs.replace(task, role="teardown", setups=setups, trigger_rule="all_done_setup_success")
    return task


@composite
def plays(draw: DrawFn) -> Play:
    """Dags of up to ten tasks, some of them in scopes, and how everything in them ends."""
    tasks: list[TaskSpec] = []
    scopes: list[Scope] = []
    items: dict[int, int] = {}
    size = draw(integers(1, 9))
    while len(tasks) < size:
        above = list(range(len(tasks)))
        if draw(integers(0, 3)):
            tasks.append(draw(task_of(len(tasks), above, tasks)))
            continue
        upstream = tuple(up for up in above if draw(booleans()))
        scope_no, first = len(scopes), len(tasks)
        for _ in range(draw(integers(1, 3))):
            member = draw(task_of(len(tasks), list(range(first, len(tasks))), tasks))
            tasks.append(structs.replace(member, scope=scope_no))
        kind = draw(sampled_from(("each", "loop")))
        scope = Scope(
            f"s{scope_no}",
            kind,
            upstream=upstream,
            trigger_rule=draw(sampled_from([rule for rule in RULES if rule != "all_done_setup_success"])),
            max_active=draw(sampled_from((None, 1, 2))),
            until=draw(integers(first, len(tasks) - 1)) if kind == "loop" else None,
        )
        items[scope_no] = draw(integers(1 if kind == "loop" else 0, 3))
        scopes.append(scope)
    names = [task.task_id for task in tasks] + [scope.scope_id for scope in scopes]
    ends: dict[Instance, Verdict] = {}
    follow: dict[int, tuple[str, ...]] = {}
    for no, task in enumerate(tasks):
        places = (UNMAPPED,) if task.scope is None else range(items[task.scope])
        for index in places:
            ends[no, index] = draw(sampled_from(ENDS[task.kind]))
        if task.kind == "branch":
            follow[no] = tuple(draw(lists(sampled_from(names), max_size=2, unique=True)))
        elif task.kind == "short_circuit" and draw(booleans()):
            follow[no] = ()
    spec = DagSpec("sales", tuple(tasks), scopes=tuple(scopes))
    return Play(spec, ends, follow, items)


def keeps_limits(scene: Scene) -> bool:
    """Whether no scope has more instances going on than it may. Those have begun in which anything is going on."""
    going: dict[int, set[int]] = {}
    for (no, index), state in scene.states().items():
        scope = scene.play.spec.tasks[no].scope
        if scope is not None and index != UNMAPPED and state not in FINAL_TASK:
            going.setdefault(scope, set()).add(index)
    return all(len(of) <= (scene.play.spec.scopes[scope].max_active or len(of)) for scope, of in going.items())


@settings(max_examples=300)
@given(plays(), randoms(use_true_random=True))
def test_a_run_comes_to_what_its_dag_says_in_whatever_order_things_happen(play: Play, random: Random) -> None:
    scene = Scene(play).open()
    while moves := scene.moves():
        moves[random.randrange(len(moves))]()
        scene.settle()
        assert keeps_limits(scene)
    expected = end_of_run(play)
    assert scene.states() == expected
    failed = any(state in BAD for (no, _), state in expected.items() if play.spec.tasks[no].role != "teardown")
    assert scene.run_state() is (RunState.FAILED if failed else RunState.SUCCESS)
    assert not scene.board.runs


@settings(max_examples=300)
@given(plays(), randoms(use_true_random=True), integers(1, 5))
def test_a_run_that_is_taken_over_at_any_time_comes_to_the_same(play: Play, random, every: int) -> None:
    scene = Scene(play).open()
    while moves := scene.moves():
        moves[random.randrange(len(moves))]()
        dies = not random.randrange(every + 1)
        if not dies or random.randrange(2):  # else what was decided is lost before it is written
            scene.settle()
        if dies:
            scene.restart()
        assert keeps_limits(scene)
    assert scene.states() == end_of_run(play)
    assert not scene.board.runs


@settings(max_examples=300)
@given(plays(), randoms(use_true_random=True))
def test_whatever_people_do_to_a_run_it_ends_and_leaves_nothing_behind(play: Play, random: Random) -> None:
    scene = Scene(play).open()
    while moves := scene.moves():
        moves[random.randrange(len(moves))]()
        scene.settle()
        live = scene.board.runs.get(1)
        match random.randrange(12):
            case 0 | 1 | 2 if live is not None:
                instance = live.instance(random.randrange(len(live.states)))
                scene.decide(random.choice(("mark_success", "mark_failed", "mark_skipped")), *instance)
            case 3:
                scene.cancel(random.choice(sorted(scene.written.runs)))
            case 4:
                scene.restart()
            case _:
                pass
        assert keeps_limits(scene)
    assert {run.state for run in scene.written.runs.values()} <= FINAL_RUN
    assert scene.written.is_whole()
    assert scene.states().keys() >= {(no, UNMAPPED) for no in range(len(play.spec.tasks))}
    assert not scene.board.runs
    assert not scene.board.attempts
