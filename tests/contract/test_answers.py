"""What the scheduler answers its board from what is stored: items, turns, runs that are called for, needs met."""

from itertools import pairwise

import pytest
from msgspec import structs

from ostinato.control.answers import Answers
from ostinato.control.need_history import NeedHistory
from ostinato.decide.step import Calling, Needing, Unfolding
from ostinato.model.canonical import canonical, digest
from ostinato.model.change import AttemptMove, Item, NewAttempt, Output, TaskMove
from ostinato.model.errors import NotFound, OstinatoError, UsageError
from ostinato.model.record import UNMAPPED, Deployment, Run
from ostinato.model.spec import (
    Argument,
    CallDag,
    CompiledDag,
    DagSpec,
    Every,
    ItemOf,
    Need,
    OutputOf,
    Param,
    ParamOf,
    Scope,
    TaskSpec,
    Template,
    Value,
)
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.value import decode, encode
from ostinato.store import Store
from tests.contract.leader import DAY, MAY_1, Leader, source_of

LIST = TaskSpec("list")


class Scene:
    """A leader over a store, and the run of one dag that is asked about."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.leader = Leader(store)
        self.answers = Answers(store, store.compiled, NeedHistory(store, store.compiled))

    def deploy(self, spec: DagSpec) -> str:
        file = f"{spec.dag_id}.py"
        source = source_of(file)
        version = digest(canonical(spec), digest(source).encode())
        dag = CompiledDag(spec, file, digest(source), version)
        self.store.put_dags([Deployment(file, (dag,), source)], MAY_1, "ada")
        return version

    def begin(self, *tasks: TaskSpec, scopes: tuple[Scope, ...] = (), day: int = 0, **more: object) -> Run:
        spec = structs.replace(DagSpec("daily", tasks, scopes=scopes), **more)
        return self.leader.begin(self.deploy(spec), day)

    def returned(self, run: Run, task_no: int, value: object, map_index: int = UNMAPPED) -> None:
        """An instance of a task succeeds with this value."""
        change, attempt = self.leader.change, self.leader.next_attempt
        self.leader.next_attempt += 1
        change.new_attempts.append(NewAttempt(attempt, run.run_id, task_no, 1, "a", MAY_1, map_index))
        for was, becomes in pairwise((TaskState.NONE, TaskState.QUEUED, TaskState.SUCCESS)):
            change.tasks.append(TaskMove(run.run_id, task_no, was, becomes, MAY_1, attempt, map_index=map_index))
        change.attempts.append(AttemptMove(attempt, AttemptState.QUEUED, AttemptState.SUCCESS, finished_at=MAY_1))
        change.outputs.append(Output(run.run_id, task_no, encode(value), map_index))
        self.leader.commit()

    def unfolded(self, run: Run, *items: dict[str, object]) -> None:
        kept = [Item(run.run_id, 0, index, encode(item)) for index, item in enumerate(items)]
        self.leader.change.items += kept
        self.leader.commit()

    def items(self, run: Run, turn: int = 0) -> list[object]:
        return [decode(item) for item in self.answers.items(Unfolding(run, 0, turn))]


@pytest.fixture
def scene(store: Store) -> Scene:
    """An empty state with somebody who leads."""
    return Scene(store)


def each(*over: tuple[str, Argument], **more: object) -> Scope:
    return structs.replace(Scope("load", "each", upstream=(0,), over=over), **more)


# --- what a scope is for ----------------------------------------------------------------------------------------------


def test_a_scope_is_for_each_combination_of_its_lists_the_last_one_fastest(scene: Scene) -> None:
    scope = each(("shop", OutputOf(0)), ("kind", Value(["a", "b"])))
    run = scene.begin(LIST, TaskSpec("load", scope=0), scopes=(scope,))
    scene.returned(run, 0, [1, 2])
    pairs = [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert scene.items(run) == [{"shop": shop, "kind": kind} for shop, kind in pairs]


def test_lists_may_be_taken_side_by_side_if_they_are_of_one_length(scene: Scene) -> None:
    scope = each(("shop", OutputOf(0)), ("kind", Value(["a", "b"])), pairing="zip")
    run = scene.begin(LIST, TaskSpec("load", scope=0), scopes=(scope,))
    scene.returned(run, 0, [1, 2])
    assert scene.items(run) == [{"shop": 1, "kind": "a"}, {"shop": 2, "kind": "b"}]
    other = scene.leader.begin(run.version, 1)
    scene.returned(other, 0, [1, 2, 3])
    with pytest.raises(UsageError, match="shop has 3, kind has 2"):
        scene.items(other)


def test_a_scope_over_parameters_takes_those_of_its_run(scene: Scene) -> None:
    scope = each(("shop", ParamOf("shops")))
    run = scene.begin(LIST, TaskSpec("load", scope=0), scopes=(scope,), params=(Param("shops", "array", [7]),))
    assert scene.items(structs.replace(run, params=encode({"shops": [8, 9]}))) == [{"shop": 8}, {"shop": 9}]


@pytest.mark.parametrize(("value", "kind"), [(None, "NoneType"), ({"a": 1}, "dict"), ("ab", "str")])
def test_what_is_no_list_is_refused_by_name(scene: Scene, value: object, kind: str) -> None:
    run = scene.begin(LIST, TaskSpec("load", scope=0), scopes=(each(("shop", OutputOf(0))),))
    if value is not None:
        scene.returned(run, 0, value)
    with pytest.raises(UsageError, match=f"load is for each item of 'shop', which is a {kind} and not a list"):
        scene.items(run)


def test_more_combinations_than_the_limit_are_refused_before_they_are_made(scene: Scene) -> None:
    many = Value(list(range(1_000)))
    scope = each(("a", many), ("b", many), ("c", many), ("d", many), limit=100)
    run = scene.begin(LIST, TaskSpec("load", scope=0), scopes=(scope,))
    with pytest.raises(UsageError, match="load has 1,000,000,000,000 items, and its limit is 100"):
        scene.items(run)


# --- loops ------------------------------------------------------------------------------------------------------------


def loop(**more: object) -> Scope:
    return structs.replace(Scope("pages", "loop", upstream=(0,), start=OutputOf(0)), **more)


def test_the_first_turn_gets_what_the_loop_starts_with(scene: Scene) -> None:
    run = scene.begin(LIST, TaskSpec("read", scope=0), scopes=(loop(),))
    scene.returned(run, 0, "first page")
    assert scene.items(run) == [{"value": "first page", "number": 0}]


def test_a_loop_may_start_with_nothing(scene: Scene) -> None:
    run = scene.begin(LIST, TaskSpec("read", scope=0), scopes=(loop(start=None),))
    assert scene.items(run) == [{"value": None, "number": 0}]


def test_a_turn_hands_on_what_its_task_returned_or_else_what_it_was_given(scene: Scene) -> None:
    run = scene.begin(LIST, TaskSpec("read", scope=0), TaskSpec("next", scope=0), scopes=(loop(carry=2),))
    scene.unfolded(run, {"value": "first page", "number": 0})
    scene.returned(run, 2, "second page", map_index=0)
    assert scene.items(run, turn=1) == [{"value": "second page", "number": 1}]
    keeps = scene.begin(LIST, TaskSpec("read", scope=0), scopes=(loop(),), day=1)
    scene.unfolded(keeps, {"value": "the page", "number": 0})
    assert scene.items(keeps, turn=1) == [{"value": "the page", "number": 1}]


@pytest.mark.parametrize(("said", "over"), [(True, True), ("yes", True), (False, False), (0, False), (None, False)])
def test_a_loop_is_over_when_its_task_said_something_true_in_the_turn_before(
    scene: Scene, said: object, over: bool
) -> None:
    run = scene.begin(LIST, TaskSpec("read", scope=0), TaskSpec("last", scope=0), scopes=(loop(until=2),))
    scene.unfolded(run, {"value": 1, "number": 0})
    if said is not None:
        scene.returned(run, 2, said, map_index=0)
    assert scene.items(run, turn=1) == ([] if over else [{"value": 1, "number": 1}])


# --- runs that are called for -----------------------------------------------------------------------------------------

CHILD = DagSpec("child", (TaskSpec("t"),), params=(Param("day", "string", "none"), Param("shop", "integer", 0)))


def calling(**kwargs: Argument) -> TaskSpec:
    return TaskSpec("call", kind="call", call=CallDag("child"), kwargs=tuple(kwargs.items()))


def test_the_run_that_is_called_for_has_the_callers_interval_and_the_parameters_that_it_gives(scene: Scene) -> None:
    version = scene.deploy(CHILD)
    run = scene.begin(calling(day=Template("{{ logical_date }}")))
    child = scene.answers.child(Calling(run, 0, (0, UNMAPPED)), MAY_1 + 5)
    assert (child.dag_id, child.version, child.kind, child.parent) == ("child", version, "called", (run.run_id, 0, -1))
    assert (child.start, child.end, child.at) == (run.interval.start, run.interval.end, MAY_1 + 5)
    assert decode(child.params) == {"day": "2013-05-01", "shop": 0}
    assert child.by == f"daily, run {run.run_id}"


def test_each_instance_calls_for_a_run_of_its_own(scene: Scene) -> None:
    scene.deploy(CHILD)
    call = structs.replace(calling(shop=ItemOf("shop")), scope=0)
    run = scene.begin(LIST, call, scopes=(each(("shop", Value([4, 5]))),))
    scene.unfolded(run, {"shop": 4}, {"shop": 5})
    made = [scene.answers.child(Calling(run, no, (1, no)), MAY_1) for no in (0, 1)]
    assert [decode(child.params)["shop"] for child in made] == [4, 5]
    assert len({child.run_key for child in made}) == 2


def test_what_does_not_fit_the_other_dags_parameters_is_refused(scene: Scene) -> None:
    scene.deploy(CHILD)
    run = scene.begin(calling(shop=Value("four")))
    with pytest.raises(OstinatoError, match="shop"):
        scene.answers.child(Calling(run, 0, (0, UNMAPPED)), MAY_1)


def test_a_dag_that_never_was_or_is_no_more_cannot_be_called(scene: Scene) -> None:
    run = scene.begin(calling())
    with pytest.raises(NotFound, match="child"):
        scene.answers.child(Calling(run, 0, (0, UNMAPPED)), MAY_1)
    scene.deploy(CHILD)
    scene.store.put_dags([Deployment("child.py", (), source_of("child.py"))], MAY_1, "ada")
    with pytest.raises(UsageError, match=r"no dag 'child' any more; it was in child\.py"):
        scene.answers.child(Calling(run, 0, (0, UNMAPPED)), MAY_1)


# --- needs ------------------------------------------------------------------------------------------------------------

HOURS = Every(DAY // 24)


def test_a_need_is_met_once_every_interval_of_its_window_has_succeeded(scene: Scene) -> None:
    version = scene.deploy(DagSpec("hourly", (TaskSpec("t"),), schedule=Every(DAY)))
    run = scene.begin(TaskSpec("sum", needs=(Need("hourly"),)), schedule=Every(DAY))
    asked = Needing(run, 0, scene.store.compiled(run.version).spec.tasks[0])
    assert not scene.answers.met(asked), "no run of that interval has been made"
    other = scene.leader.begin(version, 0, dag_id="hourly")
    assert not scene.answers.met(asked), "it has not ended"
    scene.leader.move_run(other.run_id, RunState.RUNNING, RunState.SUCCESS)
    scene.leader.commit()
    assert scene.answers.met(asked)


def test_a_dag_that_is_not_there_has_met_nothing(scene: Scene) -> None:
    run = scene.begin(TaskSpec("sum", needs=(Need("hourly"),)), schedule=Every(DAY))
    asked = Needing(run, 0, scene.store.compiled(run.version).spec.tasks[0])
    assert not scene.answers.met(asked)
    scene.deploy(DagSpec("hourly", (TaskSpec("t"),), schedule=HOURS))
    assert not scene.answers.met(asked)


def test_of_a_task_that_is_needed_only_its_own_end_counts(scene: Scene) -> None:
    tasks = (TaskSpec("t"), TaskSpec("u"))
    version = scene.deploy(DagSpec("other", tasks, schedule=Every(DAY)))
    run = scene.begin(TaskSpec("sum", needs=(Need("other", "t"),)), schedule=Every(DAY))
    asked = Needing(run, 0, scene.store.compiled(run.version).spec.tasks[0])
    other = scene.leader.begin(version, 0, dag_id="other")
    scene.leader.dispatch(other.run_id, 1)
    scene.leader.succeed(other.run_id, 1)
    scene.leader.commit()
    assert not scene.answers.met(asked), "u is not what is needed"
    scene.leader.dispatch(other.run_id, 0)
    scene.leader.succeed(other.run_id, 0)
    scene.leader.commit()
    assert scene.answers.met(asked), "the run has not ended, and need not"


@pytest.mark.parametrize(("ended", "met"), [(RunState.SUCCESS, True), (RunState.FAILED, False)])
def test_where_a_history_was_forgotten_the_end_of_the_run_stands_for_that_of_its_task(
    scene: Scene, ended: RunState, met: bool
) -> None:
    version = scene.deploy(DagSpec("other", (TaskSpec("t"),), schedule=Every(DAY)))
    run = scene.begin(TaskSpec("sum", needs=(Need("other", "t"),)), schedule=Every(DAY))
    asked = Needing(run, 0, scene.store.compiled(run.version).spec.tasks[0])
    other = scene.leader.begin(version, 0, dag_id="other")
    scene.leader.dispatch(other.run_id, 0)
    scene.leader.succeed(other.run_id, 0)
    scene.leader.move_run(other.run_id, RunState.RUNNING, ended)
    scene.leader.commit()
    assert scene.answers.met(asked), "t has succeeded, however the run ended"
    for _ in scene.store.prune(MAY_1 + 1):
        pass
    assert scene.answers.met(asked) == met
