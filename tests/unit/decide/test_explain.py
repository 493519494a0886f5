"""Planted causes, one by one, each found under its code; and the laws that hold whatever the situation is."""

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, composite, data, integers, just, lists, none, one_of, sampled_from
from msgspec.structs import replace

from ostinato.decide.explain import why_dag, why_run
from ostinato.decide.reason import Code
from ostinato.decide.situation import DagSituation, PoolRoom, RunSituation
from ostinato.model.message import Failure
from ostinato.model.record import UNMAPPED, Dag
from ostinato.model.spec import Cron, DagSpec, Retry, TaskSpec
from ostinato.model.state import FINAL_RUN, FINAL_TASK, AttemptState, RunState, TaskState
from tests.unit.decide.situations import (
    ARRIVED,
    CHAIN,
    CONFIRMED,
    DAY,
    EXTRACT,
    LOAD,
    MINUTE,
    NOW,
    REPORT,
    RUN,
    START,
    attempt,
    codes,
    failed,
    row,
    situation,
    why_task,
)

# --- tasks that wait ----------------------------------------------------------------------------------------------


def test_a_task_waits_for_the_shortest_chain_to_what_is_going_on():
    chain = why_task(situation(row(EXTRACT, TaskState.RUNNING), attempts=(attempt(EXTRACT),)), REPORT)
    assert [(reason.code, reason.what, reason.lifts) for reason in chain] == [
        (Code.UPSTREAM_OPEN, "report waits for load", "load ends"),
        (Code.UPSTREAM_OPEN, "load waits for extract", "extract ends"),
        (Code.RUNS, "try 1 of extract runs, as is known since 2025-05-02T09:59:00Z", "it ends"),
    ]


def test_of_two_ways_to_a_cause_the_shorter_is_told():
    tasks = (*CHAIN, TaskSpec("other"), TaskSpec("end", upstream=(REPORT, 3)))
    chain = why_task(situation(tasks=tasks), 4)
    assert [reason.what.partition(";")[0] for reason in chain] == ["end waits for other", "other is ready"]


def test_of_two_equal_ways_one_is_told():
    tasks = (*CHAIN[:2], TaskSpec("count", upstream=(EXTRACT,)), TaskSpec("end", upstream=(LOAD, 2)))
    assert codes(why_task(situation(tasks=tasks), 3)) == [
        Code.UPSTREAM_OPEN,
        Code.UPSTREAM_OPEN,
        Code.NOT_ITS_TURN,
    ]


def test_a_long_chain_of_tasks_is_no_trouble():
    tasks = (TaskSpec("t0"), *(TaskSpec(f"t{n}", upstream=(n - 1,)) for n in range(1, 5_000)))
    chain = why_task(situation(tasks=tasks), 4_999)
    assert len(chain) == 5_000
    assert chain[-1].code is Code.NOT_ITS_TURN


@pytest.mark.parametrize(
    ("changes", "code", "what", "lifts"),
    [
        ({"scheduler": False}, Code.NO_SCHEDULER, "no scheduler works on this state folder", "a scheduler starts"),
        ({"agent": False}, Code.NO_AGENT, "no agent is there to run tasks", "an agent is there"),
        ({"pools": {}}, Code.POOL_TOO_SMALL, "load needs 2 of the 0 slots of pool default", "the pool is larger"),
        ({"pools": {"default": PoolRoom(1, 0)}}, Code.POOL_TOO_SMALL, "load needs 2 of the 1 slots", "the pool is"),
        (
            {"pools": {"default": PoolRoom(4, 3)}},
            Code.POOL_FULL,
            "load needs 2 of the 4 slots of pool default, of which 1 are",
            "other",
        ),
        ({"pools": {"default": PoolRoom(4, 2)}}, Code.NOT_ITS_TURN, "load is ready", "an agent has room"),
    ],
)
def test_a_ready_task_waits_for_one_thing(changes, code, what, lifts):
    (reason,) = why_task(situation(row(EXTRACT, TaskState.SUCCESS), **changes), LOAD)
    assert reason.code is code
    assert reason.what.startswith(what)
    assert reason.lifts.startswith(lifts)


def test_a_task_of_a_queued_run_waits_for_its_run():
    queued = situation(run=replace(RUN, state=RunState.QUEUED), running_runs=3)
    assert codes(why_task(queued, LOAD)) == [Code.RUN_NOT_BEGUN, Code.TOO_MANY_RUNS]


def test_a_queued_attempt_waits_for_an_executor():
    (reason,) = why_task(situation(row(EXTRACT, TaskState.QUEUED), attempts=(attempt(EXTRACT, 2),)), EXTRACT)
    assert (reason.code, reason.what) == (Code.AT_THE_AGENT, "try 2 of extract is with the agent")


def test_a_running_task_says_when_it_will_be_stopped():
    (reason,) = why_task(situation(row(LOAD, TaskState.RUNNING)), LOAD)
    assert (reason.code, reason.lifts) == (Code.RUNS, "it ends, or has run for 600 s")


@pytest.mark.parametrize("state", [TaskState.QUEUED, TaskState.RUNNING])
def test_an_attempt_of_an_agent_that_is_gone_waits_for_one(state):
    chain = why_task(situation(row(EXTRACT, state), attempts=(attempt(EXTRACT),), agent=False), EXTRACT)
    assert codes(chain)[1:] == [Code.NO_AGENT]


def test_a_retry_tells_the_failure_its_class_the_rule_and_the_next_try():
    tries = (failed(EXTRACT, 1, 500, "transient"), failed(EXTRACT, 2, 429, "resource"))
    waiting = situation(row(EXTRACT, TaskState.UP_FOR_RETRY, due_at=NOW + MINUTE), attempts=tries)
    (reason,) = why_task(waiting, EXTRACT)
    assert reason.code is Code.RETRY_LATER
    assert reason.what == (
        "try 2 of extract failed with OSError: no luck, a resource error (HTTP 429): 1 of 3 retries used; "
        "next try at 2025-05-02T10:01:00Z"
    )
    assert reason.lifts == "it is 2025-05-02T10:01:00Z"


def test_an_interruption_is_told_as_one():
    lost = attempt(EXTRACT, 1, AttemptState.LOST)
    waiting = situation(row(EXTRACT, TaskState.UP_FOR_RETRY, due_at=NOW + 1), attempts=(lost,))
    (reason,) = why_task(waiting, EXTRACT)
    assert reason.what == "extract was interrupted; next try at 2025-05-02T10:00:00.001Z"


@pytest.mark.parametrize("due_at", [None, NOW - 1, NOW])
@pytest.mark.parametrize(("absent", "code"), [("agent", Code.NO_AGENT), ("scheduler", Code.NO_SCHEDULER)])
def test_a_retry_that_is_due_wants_what_every_ready_task_wants(due_at, absent, code):
    waiting = situation(row(EXTRACT, TaskState.UP_FOR_RETRY, due_at=due_at), **{absent: False})
    assert codes(why_task(waiting, EXTRACT)) == [code]


def test_a_file_sensor_tells_its_file_how_often_it_looks_and_until_when():
    waiting = row(0, TaskState.DEFERRED, due_at=NOW + 30_000, waiting_since=NOW)
    (reason,) = why_task(situation(waiting, tasks=(ARRIVED,), files={0: "/raw/1.csv"}), 0)
    assert reason.code is Code.LOOKS_FOR
    assert reason.what == (
        "arrived waits for the file /raw/1.csv, looked for every 30 s, for the last time at 2025-05-02T11:00:00Z"
    )
    assert reason.lifts == "the file /raw/1.csv is there"


@pytest.mark.parametrize(("scheduler", "code"), [(True, Code.LOOKS_FOR), (False, Code.NO_SCHEDULER)])
def test_a_file_sensor_that_is_due_needs_only_the_scheduler(scheduler, code):
    waiting = situation(row(0, TaskState.DEFERRED, due_at=NOW), tasks=(ARRIVED,), scheduler=scheduler, agent=False)
    assert codes(why_task(waiting, 0)) == [code]


def test_a_sensor_in_python_waits_for_its_condition_and_then_for_a_slot():
    later = situation(row(0, TaskState.DEFERRED, due_at=NOW + 1), tasks=(CONFIRMED,))
    assert (
        why_task(later, 0)[0].what == "confirmed waits for its condition; it is asked again at 2025-05-02T10:00:00.001Z"
    )
    due = situation(row(0, TaskState.DEFERRED, due_at=NOW), tasks=(CONFIRMED,), pools={"default": PoolRoom(1, 1)})
    assert codes(why_task(due, 0)) == [Code.POOL_FULL]


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [
        (TaskState.RUNNING, {}, [Code.TASK_STOPPING]),
        (TaskState.RUNNING, {"agent": False}, [Code.TASK_STOPPING, Code.NO_AGENT]),
        (TaskState.UP_FOR_RETRY, {"agent": False}, [Code.TASK_STOPPING]),
        (TaskState.UP_FOR_RETRY, {"scheduler": False}, [Code.TASK_STOPPING, Code.NO_SCHEDULER]),
    ],
)
def test_a_task_of_a_run_being_cancelled_waits_for_its_end(state, changes, expected):
    cancelled = replace(RUN, cancel_requested_at=NOW)
    assert codes(why_task(situation(row(EXTRACT, state), run=cancelled, **changes), EXTRACT)) == expected


# --- tasks that ended ---------------------------------------------------------------------------------------------


def test_a_success_says_when_and_after_how_many_tries():
    tries = (failed(EXTRACT, 1, 500, "transient"), attempt(EXTRACT, 2, AttemptState.SUCCESS))
    (reason,) = why_task(situation(row(EXTRACT, TaskState.SUCCESS), attempts=tries), EXTRACT)
    assert (reason.code, reason.what) == (Code.SUCCEEDED, "extract succeeded at 2025-05-02T09:59:00Z after 2 tries")
    (reason,) = why_task(situation(row(EXTRACT, TaskState.SUCCESS), attempts=tries[1:]), EXTRACT)
    assert reason.what == "extract succeeded at 2025-05-02T09:59:00Z"


@pytest.mark.parametrize(
    ("tries", "retry", "told"),
    [
        ([(404, "logic")], Retry(), "a logic error (HTTP 404): it is never retried"),
        ([(500, "transient")], Retry(transient=0), "a transient error (HTTP 500): 0 of 0 retries used"),
        ([(429, "resource")] * 4, Retry(), "a resource error (HTTP 429): 3 of 3 retries used"),
        (
            [(500, "transient"), (429, "resource")],
            Retry(resource=0),
            "a resource error (HTTP 429): 0 of 0 retries used",
        ),
    ],
)
def test_a_failure_tells_class_rule_and_budget(tries, retry, told):
    attempts = tuple(failed(0, number, *facts) for number, facts in enumerate(tries, 1))
    ended = situation(row(0, TaskState.FAILED), tasks=(TaskSpec("extract", retry=retry),), attempts=attempts)
    (reason,) = why_task(ended, 0)
    assert reason.code is Code.FAILED
    assert reason.what == f"try {len(tries)} of extract failed with OSError: no luck, {told}; there is no next try"
    assert reason.lifts


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Failure(how="out_of_memory"), "failed with out of memory, a resource error"),
        (Failure(how="raised", types=("mine.Odd",), message="x" * 200), f"failed with mine.Odd: {'x' * 200}, a logic"),
        (Failure(how="raised", types=("mine.Odd",), message="x" * 300), f"failed with mine.Odd: {'x' * 200}…, a logic"),
    ],
)
def test_a_failure_without_words_or_with_too_many_is_told_briefly(failure, told):
    tries = (attempt(EXTRACT, 1, AttemptState.FAILED, failure=failure),)
    (reason,) = why_task(situation(row(EXTRACT, TaskState.FAILED), attempts=tries), EXTRACT)
    assert told in reason.what


def test_a_sensor_that_waited_in_vain_says_for_what():
    (reason,) = why_task(situation(row(0, TaskState.FAILED), tasks=(ARRIVED,), files={0: "/raw/1.csv"}), 0)
    assert reason.code is Code.WAITED_IN_VAIN
    assert reason.what == "arrived waited for the file /raw/1.csv until 2025-05-02T09:59:00Z, in vain"


def test_what_did_not_start_leads_to_what_failed():
    rows = row(EXTRACT, TaskState.FAILED), row(LOAD, TaskState.UPSTREAM_FAILED), row(REPORT, TaskState.UPSTREAM_FAILED)
    chain = why_task(situation(*rows, attempts=(failed(EXTRACT, 1, 404, "logic"),)), REPORT)
    assert codes(chain) == [Code.UPSTREAM_FAILED, Code.UPSTREAM_FAILED, Code.FAILED]
    assert chain[0].what == "report did not start, because load did not succeed"


def test_what_was_skipped_leads_to_what_skipped_itself():
    rows = row(EXTRACT, TaskState.SKIPPED), row(LOAD, TaskState.SKIPPED)
    chain = why_task(situation(*rows, attempts=(attempt(EXTRACT, 1, AttemptState.SUCCESS),)), LOAD)
    assert codes(chain) == [Code.UPSTREAM_SKIPPED, Code.SKIPPED_ITSELF]
    assert [reason.what for reason in chain] == [
        "load did not start, because extract was skipped",
        "extract raised Skip",
    ]


def test_a_cancelled_task_says_so():
    (reason,) = why_task(situation(row(EXTRACT, TaskState.CANCELLED)), EXTRACT)
    assert (reason.code, reason.what) == (
        Code.CANCELLED,
        "extract ended at 2025-05-02T09:59:00Z, because its run was cancelled",
    )


def test_a_task_of_a_run_that_was_cancelled_in_the_queue_never_began():
    cancelled = replace(RUN, state=RunState.CANCELLED, cancel_requested_at=NOW)
    assert codes(why_task(situation(run=cancelled), LOAD)) == [Code.CANCELLED, Code.RUN_CANCELLED]


# --- runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scheduler": False, "running_runs": 3}, [Code.NO_SCHEDULER]),
        ({"running_runs": 3}, [Code.TOO_MANY_RUNS]),
        ({"running_runs": 2}, [Code.ABOUT_TO_BEGIN]),
    ],
)
def test_a_queued_run_waits_for_one_thing(changes, expected):
    assert codes(why_run(situation(run=replace(RUN, state=RunState.QUEUED), **changes))) == expected


def test_too_many_runs_are_counted():
    (reason,) = why_run(situation(run=replace(RUN, state=RunState.QUEUED), running_runs=3))
    assert reason.what == "there are 3 running runs of sales, and no more than 3 may"


def test_a_running_run_waits_for_its_most_stuck_task():
    rows = row(EXTRACT, TaskState.RUNNING), row(3, TaskState.UP_FOR_RETRY, due_at=NOW + 1), row(4, TaskState.SUCCESS)
    chain = why_run(situation(*rows, tasks=(*CHAIN, TaskSpec("shaky"), TaskSpec("done"))))
    assert codes(chain) == [Code.TASKS_OPEN, Code.RETRY_LATER]
    assert chain[0].what == "1 of 5 tasks of run 12 of sales for 2025-05-01T06:00:00Z have ended; it waits for shaky"


def test_a_task_that_waits_for_others_is_not_what_a_run_waits_for():
    chain = why_run(situation(row(EXTRACT, TaskState.RUNNING), attempts=(attempt(EXTRACT),)))
    assert codes(chain) == [Code.TASKS_OPEN, Code.RUNS]
    assert codes(why_run(situation(row(EXTRACT, TaskState.SUCCESS)))) == [Code.TASKS_OPEN, Code.NOT_ITS_TURN]


def test_a_run_whose_tasks_have_all_ended_waits_for_the_scheduler():
    ended = situation(*(row(task_no, TaskState.SUCCESS) for task_no in range(3)))
    assert codes(why_run(ended)) == [Code.TASKS_OPEN]
    assert codes(why_run(replace(ended, scheduler=False))) == [Code.TASKS_OPEN, Code.NO_SCHEDULER]


@pytest.mark.parametrize(
    ("state", "rows", "changes", "expected"),
    [
        (RunState.QUEUED, (), {}, [Code.RUN_STOPPING]),
        (RunState.QUEUED, (), {"scheduler": False}, [Code.RUN_STOPPING, Code.NO_SCHEDULER]),
        (RunState.RUNNING, (row(0, TaskState.RUNNING),), {"scheduler": False}, [Code.RUN_STOPPING, Code.NO_SCHEDULER]),
        (RunState.RUNNING, (row(0, TaskState.RUNNING),), {}, [Code.RUN_STOPPING, Code.TASK_STOPPING]),
        (RunState.RUNNING, (row(0, TaskState.SUCCESS),), {}, [Code.RUN_STOPPING]),
    ],
)
def test_a_run_being_cancelled_waits_for_what_still_runs(state, rows, changes, expected):
    cancelling = replace(RUN, state=state, cancel_requested_at=NOW)
    assert codes(why_run(situation(*rows, tasks=CHAIN[:1], run=cancelling, **changes))) == expected


@pytest.mark.parametrize(
    ("state", "code", "what"),
    [
        (
            RunState.SUCCESS,
            Code.RUN_SUCCEEDED,
            "run 12 of sales for 2025-05-01T06:00:00Z succeeded at 2025-05-02T10:00:00Z",
        ),
        (
            RunState.CANCELLED,
            Code.RUN_CANCELLED,
            "run 12 of sales for 2025-05-01T06:00:00Z was cancelled at 2025-05-02T10:00:00Z",
        ),
    ],
)
def test_an_ended_run_says_how_and_when(state, code, what):
    (reason,) = why_run(situation(run=replace(RUN, state=state, finished_at=NOW)))
    assert (reason.code, reason.what) == (code, what)


def test_a_failed_run_leads_to_its_first_failed_task():
    rows = row(EXTRACT, TaskState.FAILED), row(LOAD, TaskState.UPSTREAM_FAILED), row(3, TaskState.FAILED)
    attempts = failed(EXTRACT, 1, 404, "logic"), failed(3, 1, 404, "logic")
    run = replace(RUN, state=RunState.FAILED)
    chain = why_run(situation(*rows, tasks=(*CHAIN, TaskSpec("other")), attempts=attempts, run=run))
    assert codes(chain) == [Code.RUN_FAILED, Code.FAILED]
    assert chain[0].what.endswith("failed: 2 tasks failed")
    assert "of extract failed" in chain[1].what
    (alone, _) = why_run(situation(*rows[:2], attempts=attempts[:1], run=run))
    assert alone.what == "run 12 of sales for 2025-05-01T06:00:00Z failed"


# --- dags ---------------------------------------------------------------------------------------------------------

DAILY = Cron("0 6 * * *", "UTC")
SIX = START + DAY
DEPLOYED = Dag("sales", "v", "sales.py")


@pytest.mark.parametrize(
    ("dag", "bounds", "scheduler", "code", "lifts"),
    [
        ({"retired_at": NOW, "paused": True}, {}, True, Code.DAG_RETIRED, "its file defines it again"),
        ({"paused": True}, {"schedule": None}, True, Code.NO_SCHEDULE, "somebody asks: `ostinato trigger sales`"),
        ({"paused": True}, {}, False, Code.PAUSED, "somebody lets it go on: `ostinato dags unpause sales`"),
        ({}, {"end": NOW - 9 * DAY}, False, Code.SCHEDULE_OVER, "a later end in its file"),
        ({}, {"end": NOW}, False, Code.NO_SCHEDULER, "a scheduler starts: `ostinato dev`"),
        ({}, {"start": NOW + DAY}, True, Code.SCHEDULE_NOT_BEGUN, "it is 2025-05-05T06:00:00Z"),
        ({}, {"start": SIX + DAY}, True, Code.SCHEDULE_NOT_BEGUN, "it is 2025-05-04T06:00:00Z"),
        ({}, {"start": SIX, "end": SIX}, True, Code.INTERVAL_OPEN, "it is 2025-05-03T06:00:00Z"),
        ({}, {"start": NOW - DAY}, True, Code.INTERVAL_OPEN, "it is 2025-05-03T06:00:00Z"),
        ({}, {}, True, Code.INTERVAL_OPEN, "it is 2025-05-03T06:00:00Z"),
    ],
)
def test_a_dag_makes_no_run_now_for_one_reason(dag, bounds, scheduler, code, lifts):
    spec = replace(DagSpec("sales", CHAIN, schedule=DAILY), **bounds)
    (reason,) = why_dag(DagSituation(NOW, scheduler, replace(DEPLOYED, **dag), spec))
    assert (reason.code, reason.lifts) == (code, lifts)
    assert "sales" in reason.what or code is Code.NO_SCHEDULER


# --- laws ---------------------------------------------------------------------------------------------------------

POINTERS = {Code.UPSTREAM_OPEN, Code.RUN_NOT_BEGUN}
HISTORY = {
    Code.RUN_SUCCEEDED,
    Code.RUN_CANCELLED,
    Code.SUCCEEDED,
    Code.SKIPPED_ITSELF,
    Code.UPSTREAM_SKIPPED,
    Code.UPSTREAM_FAILED,
    Code.CANCELLED,
}


@composite
def situations(draw) -> RunSituation:
    """Any graph with any states, those too that no scheduler would leave behind."""
    count = draw(integers(1, 7))
    kinds = {"python": TaskSpec("t"), "file_sensor": ARRIVED, "sensor": CONFIRMED}
    tasks = tuple(
        replace(
            kinds[draw(sampled_from(sorted(kinds)))],
            task_id=f"t{task_no}",
            upstream=tuple(sorted(draw(lists(integers(0, task_no - 1), max_size=3, unique=True)))) if task_no else (),
            slots=draw(integers(1, 3)),
        )
        for task_no in range(count)
    )
    due = one_of(none(), integers(NOW - 2, NOW + 2))
    states = [draw(sampled_from(TaskState)) for _ in tasks]
    rows = [
        row(task_no, state, due_at=draw(due), waiting_since=draw(one_of(none(), just(NOW))))
        for task_no, state in enumerate(states)
        if state is not TaskState.NONE
    ]
    attempts = [
        draw(sampled_from([attempt(task.task_no), failed(task.task_no, 2, 429, "resource")]))
        for task in rows
        if draw(booleans())
    ]
    run = replace(RUN, state=draw(sampled_from(RunState)), cancel_requested_at=draw(one_of(none(), just(NOW))))
    return situation(
        *rows,
        tasks=tasks,
        attempts=tuple(attempts),
        run=run,
        scheduler=draw(booleans()),
        agent=draw(booleans()),
        pools={"default": PoolRoom(draw(integers(0, 3)), draw(integers(0, 3)))} if draw(booleans()) else {},
        running_runs=draw(integers(0, 4)),
    )


@given(situations(), data())
def test_whatever_is_asked_has_an_answer_in_whole_sentences(whole, data):
    task_no = data.draw(integers(0, len(whole.spec.tasks) - 1))
    for chain in (why_run(whole), why_task(whole, task_no)):
        assert chain
        assert all(reason.what for reason in chain)
        assert len(set(map(str, chain))) == len(chain)


@given(situations(), data())
def test_everything_that_waits_ends_in_a_fact_that_something_lifts(whole, data):
    if whole.run.state in FINAL_RUN:
        return
    waiting = [no for no in range(len(whole.spec.tasks)) if whole.state((no, UNMAPPED)) not in FINAL_TASK]
    chains = [why_run(whole)] + [why_task(whole, data.draw(sampled_from(waiting))) for _ in waiting[:1]]
    for chain in chains:
        assert all(reason.lifts for reason in chain)
        assert chain[-1].code not in POINTERS
        assert HISTORY.isdisjoint(codes(chain))


@given(situations(), data())
def test_with_scheduler_and_agent_there_nobody_waits_for_them(whole, data):
    whole = replace(whole, scheduler=True, agent=True)
    task_no = data.draw(integers(0, len(whole.spec.tasks) - 1))
    for chain in (why_run(whole), why_task(whole, task_no)):
        assert {Code.NO_SCHEDULER, Code.NO_AGENT}.isdisjoint(codes(chain))


def test_codes_are_grouped_and_never_reused():
    assert len({code.value for code in Code}) == len(Code)
    assert all(code.value[:3] in {"W-1", "W-2", "W-3", "W-4", "W-5"} for code in Code)
