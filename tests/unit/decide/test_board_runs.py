"""Along the graph: what starts, what ends by what ended before it, and what a run comes to in the end."""

import pytest
from hypothesis import given, settings
from hypothesis.strategies import DataObject, booleans, composite, data, integers, permutations, sampled_from
from msgspec.structs import replace

from ostinato.decide import walk
from ostinato.decide.graph import Gate
from ostinato.decide.rule import Count, verdict
from ostinato.decide.shape import Shape
from ostinato.decide.share import Terms
from ostinato.model.cause import Cause
from ostinato.model.message import DeadLetters, Finished, Verdict
from ostinato.model.record import OpenRun, Task
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_TASK, RunState, TaskState
from tests.unit.decide.boards import LOGIC, NOW, Desk, chain, run_of, shape_of

VERDICTS: tuple[Verdict, ...] = ("success", "skipped", "failed")
OUTCOME = {"success": TaskState.SUCCESS, "skipped": TaskState.SKIPPED, "failed": TaskState.FAILED}


@composite
def dags(draw) -> list[TaskSpec]:
    tasks: list[TaskSpec] = []
    for no in range(draw(integers(1, 8))):
        upstream = tuple(above for above in range(no) if draw(booleans()))
        rule = draw(sampled_from(("all_success", "all_done")))
        tasks.append(TaskSpec(f"t{no}", upstream=upstream, trigger_rule=rule))
    return tasks


def outcome_of(tasks: list[TaskSpec], verdicts: list[Verdict]) -> list[TaskState]:
    """What the trigger rules make of a dag whose tasks, if they run, end so."""
    states: list[TaskState] = []
    for task, end in zip(tasks, verdicts, strict=True):
        above = [states[no] for no in task.upstream]
        if task.trigger_rule == "all_success" and not set(above) <= {TaskState.SUCCESS, TaskState.SKIPPED}:
            states.append(TaskState.UPSTREAM_FAILED)
        elif task.trigger_rule == "all_success" and TaskState.SKIPPED in above:
            states.append(TaskState.SKIPPED)
        else:
            states.append(OUTCOME[end])
    return states


def end_all(desk: Desk, verdicts: list[Verdict], order: list[int]) -> None:
    """Let every attempt end, each time the one that comes first in ``order``."""
    while desk.board.attempts:
        attempt = min(desk.board.attempts.values(), key=lambda live: order.index(live.no))
        verdict = verdicts[attempt.no]
        desk.report(attempt.attempt, verdict, LOGIC if verdict == "failed" else None)


@settings(max_examples=200)
@given(data(), dags())
def test_a_run_comes_to_what_the_rules_say_in_whatever_order_its_tasks_end(
    data: DataObject, tasks: list[TaskSpec]
) -> None:
    verdicts = [data.draw(sampled_from(VERDICTS)) for _ in tasks]
    desk = Desk()
    desk.open(*tasks)
    end_all(desk, verdicts, data.draw(permutations(range(len(tasks)))))
    expected = outcome_of(tasks, verdicts)
    assert [desk.last_states()[no] for no in range(len(tasks))] == expected
    bad = {TaskState.FAILED, TaskState.UPSTREAM_FAILED} & set(expected)
    assert desk.run_state() is (RunState.FAILED if bad else RunState.SUCCESS)
    assert not desk.board.runs


@given(dags())
def test_what_runs_at_once_depends_on_nothing_that_has_not_ended(tasks: list[TaskSpec]) -> None:
    desk = Desk()
    desk.open(*tasks)
    while desk.board.attempts:
        live = desk.board.runs[1]
        for attempt in desk.board.attempts.values():
            assert all(live.states[above] in FINAL_TASK for above in tasks[attempt.no].upstream)
        desk.report(next(iter(desk.board.attempts)))


@settings(max_examples=100)
@given(data(), dags())
def test_a_run_that_is_taken_over_halfway_comes_to_the_same(data: DataObject, tasks: list[TaskSpec]) -> None:
    verdicts = [data.draw(sampled_from(VERDICTS)) for _ in tasks]
    order = data.draw(permutations(range(len(tasks))))
    before, after = Desk(), Desk(joined=False)
    before.open(*tasks)
    for _ in range(data.draw(integers(0, len(tasks)))):
        if before.board.attempts:
            first = next(iter(before.board.attempts.values()))
            verdict = verdicts[first.no]
            before.report(first.attempt, verdict, LOGIC if verdict == "failed" else None)
    if 1 not in before.board.runs:
        return
    after.board.adopt(*taken_over(before, shape_of(*tasks)), NOW)
    after.join("a2", predecessors=[("a1", ())])
    end_all(after, verdicts, order)
    states = {**before.last_states(), **after.last_states()}
    assert [states[no] for no in range(len(tasks))] == outcome_of(tasks, verdicts)


def taken_over(desk: Desk, shape: Shape) -> tuple[OpenRun, Shape]:
    """The run 1 as the store would have it, without the attempts that were going on: their tasks never began."""
    live = desk.board.runs[1]
    ended = [Task(1, no, state, NOW) for no, state in enumerate(live.states) if state in FINAL_TASK]
    return OpenRun(live.run, tuple(ended), (), {}, {}, live.next_seq), shape


def test_a_gate_that_has_been_acted_on_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Cause | None] = []

    def listen(gate: Gate, count: Count) -> Cause | None:
        said.append(verdict(gate, count))
        return said[-1]

    monkeypatch.setattr(walk, "verdict", listen)
    desk = Desk()
    desk.open(*[TaskSpec(f"t{no}") for no in range(9)], TaskSpec("after", upstream=tuple(range(9))))
    end_all(desk, ["failed"] * 10, list(range(10)))
    assert said == [Cause.UPSTREAM_FAILED]


def test_a_dag_without_tasks_succeeds() -> None:
    desk = Desk()
    desk.open()
    assert desk.run_state() is RunState.SUCCESS


def test_outputs_and_dead_letters_are_written_with_the_success() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    letters = DeadLetters("sales", "2025-05-01", "dlq/x", 3, {"range": 3})
    desk.board.finished("a1", Finished(1, "success", NOW, NOW, output=b"\x07", dead_letters=(letters,)), NOW)
    commit = desk.tick().commit
    assert [(output.task_no, output.value) for output in commit.outputs] == [(0, b"\x07")]
    assert [(records.attempt, records.letters) for records in commit.rejected] == [(1, letters)]
    assert "t rejected 3 records, mostly: range" in commit.alerts[0].summary


def test_what_was_rejected_is_told_until_the_interval_is_run_again() -> None:
    desk = Desk()
    letters = DeadLetters("sales", "2025-05-01", "dlq/x", 3, {"range": 3})
    for run_id in (1, 2):
        desk.open(TaskSpec("t"), run=run_of(run_id))
        desk.board.finished("a1", Finished(run_id, "success", NOW, NOW, dead_letters=(letters,)), NOW)
        desk.tick()
    assert [action for action, _ in desk.alerts()] == ["trigger", "resolve", "trigger"]


def test_a_run_is_known_once() -> None:
    desk = Desk()
    desk.open(*chain(2))
    desk.open(*chain(2))
    desk.board.open_run(run_of(2), shape_of(*chain(2), most=1))
    desk.board.open_run(run_of(2), shape_of(*chain(2), most=1))
    assert len(desk.board.admission) == 1
    assert desk.sent == [1]


def test_a_scheduled_run_of_a_dag_is_going_from_when_it_is_known_until_it_ends() -> None:
    desk = Desk()
    assert not desk.board.is_going("sales")
    desk.open(TaskSpec("t"), run=run_of(1), most=1)
    assert not desk.board.is_going("sales"), "it is nobody's by schedule"
    desk.open(TaskSpec("t"), run=run_of(2, day=1, kind="scheduled"), most=1)
    assert (desk.run_state(2), desk.board.is_going("sales")) == (RunState.QUEUED, True)
    desk.report(desk.of(0))
    assert (desk.run_state(2), desk.board.is_going("sales")) == (RunState.RUNNING, True)
    assert not desk.board.is_going("other")
    desk.report(desk.of(0, run_id=2))
    assert (desk.run_state(2), desk.board.is_going("sales")) == (RunState.SUCCESS, False)


def test_runs_of_a_dag_wait_for_one_another() -> None:
    desk = Desk()
    for run_id in (1, 2):
        desk.open(TaskSpec("t"), run=run_of(run_id, day=run_id), most=1)
    assert (desk.run_state(1), desk.run_state(2)) == (RunState.RUNNING, RunState.QUEUED)
    desk.report(desk.of(0))
    assert (desk.run_state(1), desk.run_state(2)) == (RunState.SUCCESS, RunState.RUNNING)


def test_every_move_is_one_line_of_the_history_numbered_without_a_gap() -> None:
    desk = Desk()
    desk.open(*chain(3))
    end_all(desk, ["success", "failed", "success"], [0, 1, 2])
    events = [event for commit in desk.commits for event in commit.events]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.cause for event in events][-3:] == [Cause.FAILED_FINALLY, Cause.UPSTREAM_FAILED, Cause.TASKS_FAILED]


def test_a_failed_interval_is_told_and_taken_back_when_it_succeeds() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    desk.report(1, "failed", LOGIC)
    again = run_of(2)
    desk.open(TaskSpec("t"), run=again)
    desk.report(2)
    (raised, taken_back) = desk.alerts()
    assert (raised[0], taken_back[0]) == ("trigger", "resolve")
    assert raised[1] == taken_back[1]


def test_work_is_numbered_without_a_gap_and_never_twice() -> None:
    desk = Desk()
    desk.open(*[TaskSpec(f"t{no}") for no in range(5)])
    assert desk.sent == [1, 2, 3, 4, 5]
    numbers = [new.attempt for commit in desk.commits for new in commit.new_attempts]
    assert numbers == desk.sent


def test_a_run_of_a_backfill_that_rests_begins_when_it_goes_on() -> None:
    desk = Desk()
    desk.board.set_backfills({7: Terms(1, paused=True)})
    desk.open(TaskSpec("t"), run=replace(run_of(1, kind="backfill"), backfill_id=7))
    assert desk.sent == []
    desk.board.set_backfills({7: Terms(1)})
    desk.tick()
    assert desk.sent == [1]
