"""What keeps a task or a run waiting that is no task before it: limits, scopes, other runs, other dags, people."""

import pytest
from msgspec.structs import replace

from ostinato.decide.explain import why_dag, why_run
from ostinato.decide.reason import Code
from ostinato.decide.situation import DagSituation, RunSituation
from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Backfill, Dag, Intervention
from ostinato.model.spec import Approval, CallDag, Cron, DagSpec, Scope, TaskSpec
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import DataInterval
from tests.unit.decide.boards import shape_of
from tests.unit.decide.situations import (
    CHAIN,
    EXTRACT,
    LOAD,
    NOW,
    REPORT,
    RUN,
    START,
    codes,
    news,
    row,
    situation,
    why_instance,
    why_task,
)

NONE, RUNNING, DEFERRED, SUCCESS = TaskState.NONE, TaskState.RUNNING, TaskState.DEFERRED, TaskState.SUCCESS
MAPPED = (TaskSpec("extract"), TaskSpec("load", scope=0), TaskSpec("check", scope=0, upstream=(LOAD,)))
EACH = Scope("load", "each", upstream=(EXTRACT,), max_active=1)
READ = row(EXTRACT, SUCCESS)
GOING = row(LOAD, RUNNING), row(REPORT, RUNNING)


def unfolded(*rows, items: int = 2, scope: Scope = EACH) -> RunSituation:
    """The scope has so many instances, one of which goes at a time."""
    return situation(READ, *GOING, *rows, tasks=MAPPED, scopes=(scope,), items={0: items})


def limited(**limits: int) -> RunSituation:
    """A task that is ready, in a dag of which another task is going."""
    task = TaskSpec("extract", max_active=limits.pop("task", None))
    shape = shape_of(task)
    shape.spec = replace(shape.spec, max_active_tasks=limits.pop("dag", None))
    return situation(shape=shape, live={"extract": 1})


def test_a_task_waits_for_the_limit_of_its_dag_and_then_for_its_own() -> None:
    (full,) = why_task(limited(dag=1, task=1), EXTRACT)
    assert (full.code, full.what) == (Code.DAG_FULL, "extract waits: 1 tasks of sales are going, and no more may")
    (own,) = why_task(limited(dag=2, task=1), EXTRACT)
    assert (own.code, own.lifts) == (Code.TASK_FULL, "one of them ends")
    assert codes(why_task(limited(dag=2, task=2), EXTRACT)) == [Code.NOT_ITS_TURN]


def test_a_task_of_a_backfill_is_told_that_scheduled_work_goes_first() -> None:
    (reason,) = why_task(situation(run=replace(RUN, kind="backfill")), EXTRACT)
    assert "scheduled work goes before a backfill" in reason.what


# --- scopes ---------------------------------------------------------------------------------------------------------


def test_a_task_in_a_scope_waits_for_what_its_scope_waits_for_and_then_for_its_items() -> None:
    whole = situation(tasks=MAPPED, scopes=(EACH,))
    assert codes(why_task(whole, LOAD)) == [Code.UPSTREAM_OPEN, Code.NOT_ITS_TURN]
    read = replace(whole, tasks={(EXTRACT, UNMAPPED): READ})
    (reason,) = why_task(read, LOAD)
    assert (reason.code, reason.what) == (Code.UNFOLDS, "what load is for is being looked up")
    assert codes(why_instance(read, LOAD, 1)) == [Code.UNFOLDS]


def test_an_instance_waits_for_its_turn_among_the_instances() -> None:
    (reason,) = why_instance(unfolded(row(LOAD, RUNNING, map_index=0)), LOAD, 1)
    assert (reason.code, reason.what) == (
        Code.SCOPE_FULL,
        "load[1] waits: as many instances of its scope are going as may at once, 1",
    )
    assert codes(why_instance(unfolded(), LOAD, 0)) == [Code.NOT_ITS_TURN]
    free = unfolded(row(LOAD, RUNNING, map_index=0), scope=replace(EACH, max_active=None))
    assert codes(why_instance(free, LOAD, 1)) == [Code.NOT_ITS_TURN]


def test_an_instance_waits_for_the_same_instance_of_what_is_before_it() -> None:
    chain = why_instance(unfolded(row(LOAD, RUNNING, map_index=0)), REPORT, 0)
    assert [reason.what.partition(",")[0] for reason in chain] == ["check[0] waits for load[0]", "load[0] runs"]


def test_a_task_as_a_whole_waits_for_the_instance_that_is_furthest_from_done() -> None:
    checked = unfolded(row(LOAD, SUCCESS, map_index=0), row(REPORT, RUNNING, map_index=0))
    assert codes(why_task(checked, LOAD)) == [Code.INSTANCES_OPEN, Code.SCOPE_FULL]
    free = replace(EACH, max_active=None)
    chain = why_task(unfolded(row(LOAD, SUCCESS, map_index=0), row(LOAD, RUNNING, map_index=1), scope=free), LOAD)
    assert chain[0].what == "1 of 2 instances of load have ended; it waits for load[1]"
    assert codes(chain) == [Code.INSTANCES_OPEN, Code.RUNS]


def test_where_instances_take_turns_the_one_that_goes_on_is_what_is_waited_for() -> None:
    chain = why_task(unfolded(row(LOAD, RUNNING, map_index=0)), LOAD)
    assert chain[0].what == "0 of 2 instances of load have ended; it waits for load[0]"


def test_instances_that_have_all_ended_wait_for_the_scheduler() -> None:
    ended = [row(no, SUCCESS, map_index=index) for no in (LOAD, REPORT) for index in (0, 1)]
    over = unfolded(*ended)
    assert codes(why_task(over, LOAD)) == [Code.INSTANCES_OPEN]
    assert codes(why_task(replace(over, scheduler=False), LOAD)) == [Code.INSTANCES_OPEN, Code.NO_SCHEDULER]
    assert codes(why_task(unfolded(items=0), LOAD)) == [Code.INSTANCES_OPEN]


def test_a_loop_whose_turn_of_one_task_is_over_waits_for_the_rest_of_the_turn() -> None:
    loop = Scope("load", "loop", upstream=(EXTRACT,))
    turn = unfolded(row(LOAD, SUCCESS, map_index=0), row(REPORT, RUNNING, map_index=0), items=1, scope=loop)
    chain = why_task(turn, LOAD)
    assert chain[0].what == "1 of 1 turns begun of load have ended; it waits for check[0]"
    assert codes(chain) == [Code.INSTANCES_OPEN, Code.RUNS]


# --- other dags, other runs, people ---------------------------------------------------------------------------------


def test_intervals_of_another_dag_that_lack_are_told_on_the_clock_of_the_own_dag() -> None:
    shape = shape_of(*CHAIN)
    shape.spec = replace(shape.spec, schedule=Cron("0 8 * * *", "Europe/Berlin"))
    unmet = {EXTRACT: [("hourly", DataInterval(START, START + 3_600_000))]}
    (reason,) = why_task(situation(shape=shape, unmet=unmet), EXTRACT)
    assert reason.code is Code.INTERVALS_OPEN
    assert "needs hourly from 2025-05-01T08:00:00+02:00 to 2025-05-01T09:00:00+02:00" in reason.what
    assert "`ostinato gaps hourly`" in reason.lifts


CHILD = TaskSpec("child", kind="call", call=CallDag("other"))
ASKS = TaskSpec("go on", kind="approval", approval=Approval("publish?"))


def test_what_asks_or_calls_is_about_to_when_nothing_holds_it_up() -> None:
    assert codes(why_task(situation(tasks=(CHILD,)), 0)) == [Code.ABOUT_TO_CALL]
    assert codes(why_task(situation(tasks=(ASKS,), scheduler=False), 0)) == [Code.NO_SCHEDULER]


def test_a_call_waits_for_the_run_that_it_called_for() -> None:
    called = situation(row(0, DEFERRED), tasks=(CHILD,))
    assert codes(why_task(called, 0)) == [Code.CHILD_OPEN]
    child = replace(RUN, run_id=31, dag_id="other")
    (reason,) = why_task(replace(called, children={(0, UNMAPPED): child}), 0)
    assert reason.what == "child waits for run 31 of other, which is running"
    assert "`ostinato why 31`" in reason.lifts


@pytest.mark.parametrize(("due_at", "until"), [(None, ""), (NOW, ", or it is 2025-05-02T10:00:00Z")])
def test_a_question_is_told_with_the_command_that_answers_it(due_at: int | None, until: str) -> None:
    (reason,) = why_task(situation(row(0, DEFERRED, due_at=due_at), tasks=(ASKS,)), 0)
    assert (reason.code, reason.what) == (Code.ASKS, "go on asks: publish?")
    assert reason.lifts == f"somebody answers: `ostinato approve 12 'go on'`{until}"


@pytest.mark.parametrize(
    ("state", "lifts"), [(RunState.QUEUED, "the run begins"), (RunState.RUNNING, "the scheduler's next step")]
)
def test_a_decision_that_is_not_taken_in_yet_comes_first(state: RunState, lifts: str) -> None:
    decision = Intervention(1, RUN.run_id, EXTRACT, UNMAPPED, "mark_success", "ann", NOW)
    whole = situation(run=replace(RUN, state=state), decisions={(EXTRACT, UNMAPPED): decision})
    first = why_task(whole, EXTRACT)[0]
    assert (first.code, first.what, first.lifts) == (
        Code.DECISION_WAITS,
        "ann decided about extract: mark as success",
        lifts,
    )
    assert Code.DECISION_WAITS not in codes(why_task(whole, LOAD))


def test_a_decision_without_effect_says_why_it_had_none() -> None:
    facts: dict[str, object] = {"task": "extract", "what": "approve", "by": "ann", "why": "it asks nobody anything"}
    refused = news((EXTRACT, UNMAPPED), "running", Cause.DECISION_REFUSED, facts)
    first = why_task(situation(refusals={"extract": refused}), EXTRACT)[0]
    assert first.code is Code.DECISION_REFUSED
    assert first.what == "ann decided about extract: approve, with no effect: it asks nobody anything"


# --- runs and dags --------------------------------------------------------------------------------------------------

BACKFILL = Backfill(3, "sales", (RUN.interval,), "missing", False, 1, False, b"", 2, 0.5, "running", NOW)


@pytest.mark.parametrize(
    ("backfill", "running", "code", "told"),
    [
        (replace(BACKFILL, state="paused"), 0, Code.BACKFILL_PAUSED, "`ostinato backfill resume 3`"),
        (BACKFILL, 2, Code.BACKFILL_FULL, "there are 2 running runs of backfill 3, and no more may"),
        (replace(BACKFILL, max_active_runs=1), 1, Code.BACKFILL_FULL, "there is 1 running run of backfill 3"),
        (BACKFILL, 1, Code.ABOUT_TO_BEGIN, "is about to begin"),
    ],
)
def test_a_run_of_a_backfill_waits_for_its_backfill_only(
    backfill: Backfill, running: int, code: Code, told: str
) -> None:
    queued = replace(RUN, state=RunState.QUEUED, backfill_id=3)
    (reason,) = why_run(situation(run=queued, backfill=backfill, running_runs=running))
    assert reason.code is code
    assert told in reason.what + reason.lifts


def test_times_are_told_on_the_clock_of_the_schedule() -> None:
    spec = DagSpec("sales", CHAIN, schedule=Cron("0 0 * * *", "America/New_York"))
    (reason,) = why_dag(DagSituation(NOW, True, Dag("sales", "v", "sales.py"), spec))
    assert reason.lifts == "it is 2025-05-03T00:00:00-04:00"


# --- rules that begin early -----------------------------------------------------------------------------------------


def test_a_task_that_may_begin_whatever_comes_before_waits_for_nothing_of_it() -> None:
    always = TaskSpec("always", upstream=(EXTRACT,), trigger_rule="always")
    assert codes(why_task(situation(row(EXTRACT, RUNNING), tasks=(*CHAIN, always)), 3)) == [Code.NOT_ITS_TURN]
    early = TaskSpec("early", upstream=(EXTRACT, LOAD), trigger_rule="one_success")
    assert codes(why_task(situation(READ, row(LOAD, RUNNING), tasks=(*CHAIN, early)), 3)) == [Code.NOT_ITS_TURN]


def test_a_task_after_a_branch_waits_for_the_branch_even_if_its_rule_would_not() -> None:
    tasks = (TaskSpec("way", kind="branch"), TaskSpec("early", upstream=(0,), trigger_rule="one_success"))
    assert codes(why_task(situation(row(0, RUNNING), tasks=tasks), 1)) == [Code.UPSTREAM_OPEN, Code.RUNS]
