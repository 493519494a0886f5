"""Which part of a run is run again, and what is taken over: the laws, and the cases people meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.decide.past import GOOD, Past
from ostinato.decide.reach import Reach
from ostinato.decide.rerun import NotMarkable, Rerun, rerun
from ostinato.decide.shape import Shape
from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import Scope, TaskSpec, Value
from ostinato.model.state import TaskState
from tests.unit.decide.parts import pasts, shape_of

STEERED = {Cause.BRANCH_NOT_TAKEN, Cause.SHORT_CIRCUITED}
GONE_OVER = {Cause.CARRIED_SUCCESS, Cause.CARRIED_SKIPPED}
S, F, U, K = TaskState.SUCCESS, TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.SKIPPED
EACH = (("item", Value([1, 2, 3])),)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Shape, Past, set[Instance]]:
    """A past, and what somebody wants to run again of it."""
    shape, past = draw(pasts())
    return shape, past, draw(st.sets(st.sampled_from(Reach(shape, past.items).everything()), max_size=3))


@given(wishes())
def test_nothing_taken_over_comes_after_what_runs_unless_it_was_left_aside(
    wish: tuple[Shape, Past, set[Instance]],
) -> None:
    shape, past, selected = wish
    made = rerun(shape, past, selected)
    causes = {(each.task_no, each.map_index): each.cause for each in made.carried}
    for one in made.again:
        for after in Reach(shape, past.items).after([one], steps=1) - {one}:
            assert after in made.again or causes[after] in STEERED


@given(wishes())
def test_every_instance_either_runs_or_is_taken_over(wish: tuple[Shape, Past, set[Instance]]) -> None:
    shape, past, selected = wish
    made = rerun(shape, past, selected)
    unfolded = {member for no, _ in made.scopes for member in shape.scopes[no].members}
    carried = [(each.task_no, each.map_index) for each in made.carried]
    wholes = {each for each in carried if each[1] == UNMAPPED and each[0] in unfolded}
    assert len(carried) == len(set(carried))
    assert sorted([*made.again, *(set(carried) - wholes)]) == sorted(Reach(shape, past.items).everything())
    assert {task_no for task_no, _ in wholes} == unfolded


@given(wishes())
def test_only_a_good_end_is_taken_over_and_only_a_success_with_its_output(
    wish: tuple[Shape, Past, set[Instance]],
) -> None:
    shape, past, selected = wish
    for each in rerun(shape, past, selected).carried:
        instance = each.task_no, each.map_index
        if each.cause is Cause.EXPANDED:
            assert each.becomes is TaskState.RUNNING
            assert each.map_index == UNMAPPED
        elif each.cause in STEERED:
            assert each.becomes is K
        else:
            assert each.cause in GONE_OVER
            assert each.becomes in GOOD
            assert past.is_good(instance) or (each.map_index == UNMAPPED and each.output_of is None)
        whole = each.map_index == UNMAPPED and shape.tasks[each.task_no].scope in past.items
        assert (each.output_of is not None) == (each.cause is Cause.CARRIED_SUCCESS and not whole)


@given(wishes())
def test_what_is_selected_or_did_not_end_well_runs_unless_it_was_left_aside(
    wish: tuple[Shape, Past, set[Instance]],
) -> None:
    shape, past, selected = wish
    made = rerun(shape, past, selected)
    aside = {(each.task_no, each.map_index) for each in made.carried if each.cause in STEERED}
    bad = {each for each in Reach(shape, past.items).everything() if past.states.get(each) not in GOOD}
    assert selected | bad <= set(made.again) | aside


@given(wishes(), st.data())
def test_who_asks_for_more_gets_no_less(wish: tuple[Shape, Past, set[Instance]], data: st.DataObject) -> None:
    shape, past, selected = wish
    more = data.draw(st.sets(st.sampled_from(Reach(shape, past.items).everything())))
    assert set(rerun(shape, past, selected).again) <= set(rerun(shape, past, selected | more).again)


@given(wishes())
def test_asking_for_what_runs_anyway_changes_nothing(wish: tuple[Shape, Past, set[Instance]]) -> None:
    shape, past, selected = wish
    made = rerun(shape, past, selected)
    assert rerun(shape, past, set(made.again)) == made


@given(pasts(), st.data())
def test_what_is_marked_ends_so_and_what_comes_right_after_it_is_decided_anew(
    dag: tuple[Shape, Past], data: st.DataObject
) -> None:
    shape, past = dag
    reach = Reach(shape, past.items)
    marked = {data.draw(st.sampled_from(reach.everything())): Cause.MARKED_FAILED}
    try:
        made = rerun(shape, past, (), marked)
    except NotMarkable:
        return
    found = {(each.task_no, each.map_index): each for each in made.carried}
    for each, cause in marked.items():
        assert (found[each].becomes, found[each].cause, found[each].output_of) == (F, cause, None)
        for after in reach.after([each], steps=1) - {each}:
            assert after in made.again or found[after].cause in STEERED


# --- cases ------------------------------------------------------------------------------------------------------


def past(
    shape: Shape,
    *states: TaskState,
    items: dict[int, int] | None = None,
    instances: dict[Instance, TaskState] | None = None,
    follow: dict[int, tuple[str, ...]] | None = None,
) -> Past:
    """What tasks came to as wholes, and the instances of those in scopes."""
    numbers = {no: no for no in range(len(shape.tasks))}
    wholes = {(no, UNMAPPED): state for no, state in enumerate(states)}
    steered = {(no, UNMAPPED): names for no, names in (follow or {}).items()}
    return Past(wholes | (instances or {}), items or {}, steered, numbers, {no: no for no in range(len(shape.scopes))})


def run_again(made: Rerun) -> list[object]:
    """What runs: a task by its number, an instance by both numbers."""
    return [no if index == UNMAPPED else (no, index) for no, index in made.again]


CHAIN = shape_of([TaskSpec("a"), TaskSpec("b", upstream=(0,)), TaskSpec("c", upstream=(1,)), TaskSpec("d")])


def test_without_a_selection_what_failed_and_what_comes_after_it_runs() -> None:
    assert run_again(rerun(CHAIN, past(CHAIN, S, F, U, S), ())) == [1, 2]


def test_a_run_that_ended_well_runs_what_is_selected_and_what_comes_after_it() -> None:
    assert run_again(rerun(CHAIN, past(CHAIN, S, S, S, S), {(1, UNMAPPED)})) == [1, 2]
    assert run_again(rerun(CHAIN, past(CHAIN, S, S, S, S), ())) == []


def test_what_a_new_version_adds_runs_and_what_comes_after_it() -> None:
    known = past(CHAIN, S, S, S, S)
    del known.states[1, UNMAPPED]
    assert run_again(rerun(CHAIN, known, ())) == [1, 2]


def test_a_failed_task_that_is_marked_a_success_lets_the_rest_go_on() -> None:
    made = rerun(CHAIN, past(CHAIN, S, F, U, S), (), {(1, UNMAPPED): Cause.MARKED_SUCCESS})
    assert run_again(made) == [2]
    assert [(each.task_no, each.becomes, each.cause) for each in made.carried] == [
        (0, S, Cause.CARRIED_SUCCESS),
        (1, S, Cause.MARKED_SUCCESS),
        (3, S, Cause.CARRIED_SUCCESS),
    ]


FORK = shape_of(
    [
        TaskSpec("choose", kind="branch"),
        TaskSpec("source"),
        TaskSpec("left", upstream=(0, 1)),
        TaskSpec("right", upstream=(0, 1)),
        TaskSpec("join", upstream=(2, 3), trigger_rule="none_failed"),
    ]
)


def test_a_branch_that_does_not_run_again_has_still_decided() -> None:
    known = past(FORK, S, F, U, K, U, follow={0: ("left",)})
    made = rerun(FORK, known, {(3, UNMAPPED)})
    assert run_again(made) == [1, 2, 4]
    causes = {each.task_no: (each.cause, each.follow) for each in made.carried}
    assert causes == {0: (Cause.CARRIED_SUCCESS, ("left",)), 3: (Cause.BRANCH_NOT_TAKEN, None)}


def test_a_branch_that_runs_again_decides_again() -> None:
    known = past(FORK, S, S, S, K, S, follow={0: ("left",)})
    assert run_again(rerun(FORK, known, {(0, UNMAPPED)})) == [0, 2, 3, 4]


def test_a_branch_that_is_marked_lets_everything_go_on() -> None:
    known = past(FORK, S, S, S, K, S, follow={0: ("left",)})
    assert run_again(rerun(FORK, known, (), {(0, UNMAPPED): Cause.MARKED_SUCCESS})) == [2, 3, 4]


def test_a_branch_in_a_scope_has_decided_for_its_own_instance() -> None:
    tasks = [
        TaskSpec("choose", kind="branch", scope=0),
        TaskSpec("left", upstream=(0,), scope=0),
        TaskSpec("right", upstream=(0,), scope=0),
    ]
    shape = shape_of(tasks, [Scope("each", "each", over=EACH)])
    of = {(0, 0): S, (1, 0): F, (2, 0): K, (0, 1): S, (1, 1): K, (2, 1): S}
    known = past(shape, S, F, S, items={0: 2}, instances=of)
    known.follow.update({(0, 0): ("left",), (0, 1): ("right",)})
    made = rerun(shape, known, {(2, 0), (2, 1)})
    assert run_again(made) == [(1, 0), (2, 1)]


GUARDED = shape_of(
    [
        TaskSpec("start", role="setup"),
        TaskSpec("train", upstream=(0,)),
        TaskSpec("test", upstream=(0,)),
        TaskSpec("stop", upstream=(0, 1, 2), setups=(0,), role="teardown", trigger_rule="all_done_setup_success"),
    ]
)


def test_what_runs_again_has_its_setup_run_again_and_all_that_was_set_up_for() -> None:
    assert run_again(rerun(GUARDED, past(GUARDED, S, F, S, S), ())) == [0, 1, 2, 3]


def test_a_teardown_alone_runs_again_without_its_setup() -> None:
    assert run_again(rerun(GUARDED, past(GUARDED, S, S, S, F), ())) == [3]


MAPPED = shape_of(
    [
        TaskSpec("list"),
        TaskSpec("fetch", scope=0),
        TaskSpec("load", upstream=(1,), scope=0),
        TaskSpec("total", upstream=(2,)),
        TaskSpec("close", upstream=(1,)),
    ],
    [Scope("files", "each", upstream=(0,), over=EACH)],
)


def of_three(fetch: str, load: str) -> dict[Instance, TaskState]:
    """The ends of three instances of two tasks, by their first letters."""
    letters = {"s": S, "f": F, "u": U, "k": K, "c": TaskState.CANCELLED}
    return {(no, at): letters[end] for no, ends in ((1, fetch), (2, load)) for at, end in enumerate(ends)}


def test_of_many_instances_only_those_run_that_failed_and_what_waited_for_them() -> None:
    known = past(MAPPED, S, S, F, U, S, items={0: 3}, instances=of_three("sss", "sfs"))
    made = rerun(MAPPED, known, ())
    assert run_again(made) == [(2, 1), 3]
    assert made.scopes == ((0, 0),)
    wholes = {each.task_no: (each.becomes, each.cause) for each in made.carried if each.map_index == UNMAPPED}
    assert wholes == {
        0: (S, Cause.CARRIED_SUCCESS),
        1: (S, Cause.CARRIED_SUCCESS),
        2: (TaskState.RUNNING, Cause.EXPANDED),
        4: (S, Cause.CARRIED_SUCCESS),
    }


def test_a_scope_nothing_of_which_is_taken_over_asks_for_its_items_again() -> None:
    known = past(MAPPED, S, S, S, S, S, items={0: 3}, instances=of_three("sss", "sss"))
    made = rerun(MAPPED, known, {(0, UNMAPPED)})
    assert len(made.again) == 9
    assert (made.carried, made.scopes) == ((), ())
    made = rerun(MAPPED, known, {(1, 0), (1, 1), (1, 2)})
    assert made.scopes == ()


def test_a_scope_that_did_not_unfold_runs_again_with_all_its_tasks() -> None:
    made = rerun(MAPPED, past(MAPPED, S, F, U, U, U), ())
    assert run_again(made) == [1, 2, 3, 4]
    assert run_again(rerun(MAPPED, past(MAPPED, S, K, K, S, S), {(2, UNMAPPED)})) == [1, 2, 3, 4]


def test_a_scope_whose_instances_were_all_skipped_is_skipped_as_a_whole() -> None:
    known = past(MAPPED, S, K, K, F, S, items={0: 3}, instances=of_three("kkk", "kkk"))
    causes = {each.task_no: each.cause for each in rerun(MAPPED, known, ()).carried if each.map_index == UNMAPPED}
    assert causes[2] is Cause.CARRIED_SKIPPED


def test_an_instance_that_is_marked_failed_fails_its_task_as_a_whole() -> None:
    known = past(MAPPED, S, S, S, S, S, items={0: 3}, instances=of_three("sss", "sss"))
    made = rerun(MAPPED, known, (), {(2, 1): Cause.MARKED_FAILED})
    assert run_again(made) == [3]
    assert next(each for each in made.carried if (each.task_no, each.map_index) == (2, UNMAPPED)).becomes is F


def test_an_instance_of_what_begins_anew_cannot_be_marked() -> None:
    known = past(MAPPED, F, S, S, S, S, items={0: 3}, instances=of_three("sss", "sss"))
    with pytest.raises(NotMarkable, match=r"load\[1\] cannot be marked"):
        rerun(MAPPED, known, (), {(2, 1): Cause.MARKED_FAILED})


LOOP = shape_of(
    [TaskSpec("page", scope=0), TaskSpec("last", upstream=(0,), scope=0), TaskSpec("after", upstream=(1,))],
    [Scope("pages", "loop", until=1, carry=0)],
)


def turns(page: str, last: str) -> dict[Instance, TaskState]:
    """The ends of the turns of a loop."""
    return {(no - 1, at): state for (no, at), state in of_three(page, last).items()}


def test_a_loop_is_taken_up_in_its_last_turn() -> None:
    made = rerun(LOOP, past(LOOP, S, F, U, items={0: 3}, instances=turns("sss", "ssf")), ())
    assert run_again(made) == [(1, 2), 2]
    assert [each.becomes for each in made.carried if each.map_index == UNMAPPED] == [TaskState.RUNNING] * 2


def test_a_loop_before_its_last_turn_begins_anew() -> None:
    known = past(LOOP, S, S, S, items={0: 3}, instances=turns("sss", "sss"))
    made = rerun(LOOP, known, {(1, 1)})
    assert run_again(made) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), 2]
    assert made.scopes == ()


def test_a_loop_that_ended_well_is_taken_over() -> None:
    made = rerun(LOOP, past(LOOP, S, S, F, items={0: 3}, instances=turns("sss", "sss")), ())
    assert run_again(made) == [2]
    assert made.scopes == ((0, 0),)


def test_a_loop_that_failed_although_no_turn_did_begins_anew() -> None:
    made = rerun(LOOP, past(LOOP, S, F, U, items={0: 3}, instances=turns("sss", "sss")), ())
    assert len(made.again) == 7
    assert made.scopes == ()
