"""How a task came to end that nothing ran: what steered it, what it was for, who decided."""

import pytest
from msgspec.structs import replace

from ostinato.decide.explain import why_run
from ostinato.decide.reason import Code
from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import Scope, TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.situations import (
    EXTRACT,
    LOAD,
    REPORT,
    RUN,
    codes,
    failed,
    row,
    situation,
    why_instance,
    why_task,
)

SKIPPED, FAILED, SUCCESS = TaskState.SKIPPED, TaskState.FAILED, TaskState.SUCCESS
EACH = Scope("load", "each", trigger_rule="all_failed", upstream=(EXTRACT,))
MAPPED = (TaskSpec("extract"), TaskSpec("load", scope=0))


def steered(cause: Cause, *tasks: TaskSpec, was: TaskState = SUCCESS, follow: list[str] | None = None):
    """What is said of a task that was skipped after one that was not."""
    causes = {(1, UNMAPPED): (cause, {}), (0, UNMAPPED): (Cause.REPORTED_SUCCESS, {"follow": follow})}
    (reason,) = why_task(situation(row(0, was), row(1, SKIPPED), tasks=tasks, causes=causes), 1)
    return reason


def test_a_rule_that_did_not_come_true_is_told_with_what_it_looked_at() -> None:
    reason = steered(Cause.RULE_NOT_MET, TaskSpec("a"), TaskSpec("b", upstream=(0,), trigger_rule="all_failed"))
    assert reason.code is Code.RULE_NOT_MET
    assert reason.what == "b was skipped, because its rule is all_failed, and it came after: a success"


def test_a_task_in_a_scope_is_skipped_by_the_rule_of_its_scope() -> None:
    causes = {(LOAD, UNMAPPED): (Cause.RULE_NOT_MET, {})}
    rows = row(EXTRACT, SUCCESS), row(LOAD, SKIPPED)
    (reason,) = why_task(situation(*rows, tasks=MAPPED, scopes=(EACH,), causes=causes), LOAD)
    assert reason.what == "load was skipped, because its rule is all_failed, and it came after: extract success"


def test_of_many_upstreams_a_few_are_named() -> None:
    tasks = (*(TaskSpec(f"t{n}") for n in range(7)), TaskSpec("end", upstream=tuple(range(7))))
    rows = [row(no, SUCCESS) for no in range(7)]
    causes = {(7, UNMAPPED): (Cause.RULE_NOT_MET, {})}
    (reason,) = why_task(situation(*rows, row(7, SKIPPED), tasks=tasks, causes=causes), 7)
    assert reason.what.endswith("t4 success and 2 more")


def test_an_edge_that_was_not_taken_says_what_it_asks_for_and_what_came() -> None:
    wants = TaskSpec("b", upstream=(0,), conditions=(("failed", "skipped"),))
    reason = steered(Cause.EDGE_NOT_TAKEN, TaskSpec("a"), wants)
    assert (reason.code, reason.what) == (
        Code.EDGE_NOT_TAKEN,
        "b was skipped; it asks for: a failed or skipped (it is success)",
    )


@pytest.mark.parametrize(("follow", "told"), [(["c", "d"], "c, d"), ([], "none of the ways on"), (None, "none of")])
def test_a_way_that_a_branch_did_not_take_says_which_it_took(follow: list[str] | None, told: str) -> None:
    reason = steered(
        Cause.BRANCH_NOT_TAKEN, TaskSpec("way", kind="branch"), TaskSpec("b", upstream=(0,)), follow=follow
    )
    assert reason.code is Code.BRANCH_NOT_TAKEN
    assert reason.what.startswith(f"b was skipped: way took {told}")


def test_what_a_short_circuit_ended_names_it_however_far_before_it_is() -> None:
    tasks = (
        TaskSpec("has_rows", kind="short_circuit"),
        TaskSpec("a", upstream=(0,)),
        TaskSpec("b", upstream=(0,)),
        TaskSpec("c", upstream=(1, 2)),
    )
    causes = {(no, UNMAPPED): (Cause.SHORT_CIRCUITED, {}) for no in (1, 2, 3)}
    causes[0, UNMAPPED] = (Cause.REPORTED_SUCCESS, {"follow": []})
    rows = [row(0, SUCCESS), *(row(no, SKIPPED) for no in (1, 2, 3))]
    (reason,) = why_task(situation(*rows, tasks=tasks, causes=causes), 3)
    assert (reason.code, reason.what) == (
        Code.SHORT_CIRCUITED,
        "c was skipped, because has_rows said that nothing goes on",
    )


def test_a_short_circuit_that_cannot_be_found_is_still_told() -> None:
    reason = steered(Cause.SHORT_CIRCUITED, TaskSpec("a"), TaskSpec("b", upstream=(0,)))
    assert reason.what == "b was skipped, because a task before it said that nothing goes on"


def test_what_was_skipped_leads_to_what_steered_there() -> None:
    causes = {(EXTRACT, UNMAPPED): (Cause.SWITCHED_OFF_AS_SKIPPED, {})}
    rows = row(EXTRACT, SKIPPED), row(LOAD, SKIPPED)
    assert codes(why_task(situation(*rows, causes=causes), LOAD)) == [Code.UPSTREAM_SKIPPED, Code.SWITCHED_OFF]


@pytest.mark.parametrize(
    ("state", "cause", "facts", "code", "what"),
    [
        (SKIPPED, Cause.NOTHING_TO_EXPAND, {}, Code.NOTHING_TO_EXPAND, "there was no item to do it for"),
        (FAILED, Cause.EXPANSION_FAILED, {"why": "no list"}, Code.NOT_EXPANDED, "extract failed: no list"),
        (FAILED, Cause.LOOP_EXHAUSTED, {"why": "5 turns"}, Code.NOT_EXPANDED, "extract failed: 5 turns"),
        (SUCCESS, Cause.SWITCHED_OFF_AS_SUCCESS, {}, Code.SWITCHED_OFF, "so ended as success without being run"),
        (SKIPPED, Cause.SWITCHED_OFF_AS_SKIPPED, {}, Code.SWITCHED_OFF, "so ended as skipped without being run"),
        (FAILED, Cause.CHILD_FAILED, {"run": 31}, Code.CHILD_FAILED, "`ostinato why 31` says why"),
        (FAILED, Cause.CALL_REFUSED, {"why": "no dag"}, Code.NOT_CALLED, "extract could not call: no dag"),
        (SKIPPED, Cause.DECLINED, {"by": "ann"}, Code.DECLINED, "extract was declined, by ann"),
        (FAILED, Cause.DECLINED_AS_FAILURE, {}, Code.DECLINED, "declined, as nobody answered in time"),
        (SUCCESS, Cause.APPROVED, {"by": "ann"}, Code.SUCCEEDED, "approved by ann at 2025-05-02T09:59:00Z"),
        (FAILED, Cause.MARKED_FAILED, {"by": "ann"}, Code.MARKED, "extract was marked failed by ann"),
        (SUCCESS, Cause.MARKED_SUCCESS, {}, Code.MARKED, "extract was marked success"),
        (SUCCESS, Cause.CARRIED_SUCCESS, {}, Code.CARRIED_OVER, "it is taken over from run 7"),
    ],
)
def test_what_ended_without_being_run_says_why(
    state: TaskState, cause: Cause, facts: dict[str, object], code: Code, what: str
) -> None:
    run = replace(RUN, based_on=7)
    (reason,) = why_task(situation(row(EXTRACT, state), causes={(EXTRACT, UNMAPPED): (cause, facts)}, run=run), EXTRACT)
    assert reason.code is code
    assert what in reason.what


@pytest.mark.parametrize(
    ("state", "cause", "code", "deepest", "what"),
    [
        (FAILED, Cause.INSTANCES_FAILED, Code.INSTANCE_FAILED, Code.FAILED, "1 of 2 instances of load did not succeed"),
        (
            SKIPPED,
            Cause.INSTANCES_SKIPPED,
            Code.INSTANCES_SKIPPED,
            Code.MARKED,
            "all 2 instances of load were skipped",
        ),
    ],
)
def test_a_task_that_came_to_what_its_instances_came_to_leads_to_one(
    state: TaskState, cause: Cause, code: Code, deepest: Code, what: str
) -> None:
    rows = row(LOAD, state), row(LOAD, SUCCESS, map_index=0), row(LOAD, state, map_index=1)
    causes = {(LOAD, UNMAPPED): (cause, {})}
    if state is SKIPPED:
        causes[LOAD, 1] = (Cause.MARKED_SKIPPED, {"by": "ann"})
    attempts = (replace(failed(LOAD, 1, 404, "logic"), map_index=1),) if state is FAILED else ()
    whole = situation(*rows, tasks=MAPPED, scopes=(EACH,), attempts=attempts, causes=causes, items={0: 2})
    chain = why_task(whole, LOAD)
    assert (codes(chain), chain[0].what) == ([code, deepest], what)
    assert "load[1]" in chain[1].what
    none = replace(whole, items={0: 1})
    assert codes(why_task(none, LOAD)) == [code]


def test_a_scope_that_did_not_begin_leads_to_what_failed_before_its_first_tasks() -> None:
    inside = (*MAPPED, TaskSpec("check", scope=0, upstream=(LOAD,)))
    rows = row(EXTRACT, FAILED), row(LOAD, TaskState.UPSTREAM_FAILED), row(REPORT, TaskState.UPSTREAM_FAILED)
    scope = replace(EACH, trigger_rule="all_success")
    attempts = (failed(EXTRACT, 1, 404, "logic"),)
    chain = why_task(situation(*rows, tasks=inside, scopes=(scope,), attempts=attempts), REPORT)
    assert codes(chain)[-1] is Code.FAILED
    assert "extract" in chain[-1].what
    alone = situation(row(LOAD, FAILED), row(REPORT, TaskState.UPSTREAM_FAILED), tasks=inside, scopes=(scope,))
    assert codes(why_task(alone, REPORT))[0] is Code.UPSTREAM_FAILED


@pytest.mark.parametrize(("state", "what"), [(SKIPPED, "was skipped"), (TaskState.UPSTREAM_FAILED, "did not succeed")])
def test_an_end_whose_cause_is_not_there_is_told_as_far_as_it_is_known(state: TaskState, what: str) -> None:
    (reason,) = why_task(situation(row(EXTRACT, state)), EXTRACT)
    assert reason.what == f"an upstream of extract {what}"


def test_after_a_failure_the_command_is_named_that_runs_it_again_once_the_run_is_over() -> None:
    ended = situation(row(EXTRACT, FAILED), attempts=(failed(EXTRACT, 1, 404, "logic"),))
    assert why_task(ended, EXTRACT)[0].lifts.endswith("is run again when this run is over")
    over = why_task(replace(ended, run=replace(RUN, state=RunState.FAILED)), EXTRACT)
    assert over[0].lifts.endswith("`ostinato rerun 12 --failed`")


def test_a_failed_run_none_of_whose_tasks_is_known_to_have_failed_says_only_that() -> None:
    assert codes(why_run(situation(run=replace(RUN, state=RunState.FAILED)))) == [Code.RUN_FAILED]


def test_a_run_that_gave_way_names_the_one_that_goes_on() -> None:
    (reason,) = why_run(situation(run=replace(RUN, state=RunState.CANCELLED), overlapped_by=9))
    assert (reason.code, "gave way to run 9" in reason.what) == (Code.RUN_OVERLAPPED, True)


def test_an_instance_that_never_came_to_be_is_where_its_task_is() -> None:
    causes = {(LOAD, UNMAPPED): (Cause.MARKED_FAILED, {"by": "ann"})}
    whole = situation(row(LOAD, FAILED), tasks=MAPPED, scopes=(EACH,), causes=causes)
    assert codes(why_instance(whole, LOAD, 3)) == [Code.MARKED]
    assert [whole.may_be((LOAD, 3)), replace(whole, items={0: 3}).may_be((LOAD, 3))] == [True, False]
    assert [whole.may_be((LOAD, UNMAPPED)), whole.may_be((EXTRACT, 3))] == [True, False]
