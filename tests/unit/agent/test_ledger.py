"""What the ledger does in one situation at a time."""

import signal

import pytest

from ostinato.agent.allotment import AGAIN_MS, OVERTAKEN_MS
from ostinato.agent.crew import LONG_MS, MOST_AHEAD
from ostinato.agent.ending import Exit
from ostinato.agent.ledger import KILL_GRACE_MS, Ledger
from ostinato.agent.message import Report
from ostinato.agent.order import Hand, Kill, Make, TakeBack
from ostinato.model.errors import InvariantBroken
from ostinato.model.limits import Limits
from ostinato.model.message import Failure, Finished, LogRange, Started
from tests.unit.agent.ledger_world import World, assignment

NOW = 1_000_000
SLOW = 8.0


def staffed(slots: int, executors: int | None = None, pace: float = SLOW) -> World:
    """A world whose executors are there."""
    world = World(slots, pace=pace)
    for _ in range(executors or len(world.coming)):
        world.join()
    return world


def inboxes(world: World) -> dict[int, list[int]]:
    """What lies in each executor's socket."""
    return {e.number: [a.attempt for a in e.inbox] for e in world.executors.values() if e.inbox}


def success(attempt: int, now: int = NOW) -> Report:
    return Report(Finished(attempt, "success", now, now), 5)


def test_executors_are_made_before_anybody_needs_them() -> None:
    assert [order for order in Ledger(8, Limits()).decide(NOW) if isinstance(order, Make)] == [Make(1), Make(2)]
    assert len(Ledger(1, Limits()).decide(NOW)) == 1


def test_an_attempt_is_handed_to_an_executor_that_has_done_nothing_yet() -> None:
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.launch([assignment(7)], NOW)
    assert ledger.decide(NOW) == []
    ledger.joined(1, "segment", 0)
    assert Hand(1, (assignment(7),)) in ledger.decide(NOW)


def test_what_is_held_is_what_waits_what_runs_and_what_is_unacknowledged() -> None:
    world = staffed(1)
    world.launch(assignment(1), assignment(2), assignment(3))
    world.perform(world.executors[1])
    assert sorted(world.ledger.holds()) == [1, 2, 3]
    world.launched.pop(1)
    world.ledger.acknowledge([1, 99])
    assert sorted(world.ledger.holds()) == [2, 3]
    assert not world.ledger.at_rest


def test_a_launch_of_what_ended_is_answered_again() -> None:
    world = staffed(1)
    world.launch(assignment(1))
    world.perform(world.executors[1])
    world.ledger.launch([assignment(1)], world.now)
    assert world.ledger.messages(10, 100) == [world.finished[1]]


def test_all_results_that_are_not_acknowledged_are_said_again_to_somebody_new() -> None:
    world = staffed(1)
    world.launch(assignment(1), assignment(2))
    world.perform(world.executors[1])
    world.perform(world.executors[1])
    world.ledger.acknowledge([1])
    world.ledger.say_again()
    assert world.ledger.messages(10, 100) == [world.finished[2]]


def test_messages_come_in_portions_of_a_number_and_a_size() -> None:
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.joined(1, "segment", 0)
    for attempt in range(5):
        ledger.launch([assignment(attempt)], NOW)
        ledger.decide(NOW)
        ledger.reported(1, Report(Finished(attempt, "success", NOW, NOW, output=b"x" * 10), 0), NOW)
    assert [len(ledger.messages(2, 1_000)), len(ledger.messages(9, 15)), len(ledger.messages(9, 1_000))] == [2, 2, 1]


def test_short_tasks_are_given_ahead_and_slow_ones_are_not() -> None:
    quick = staffed(1, pace=0.05)
    quick.launch(*[assignment(n) for n in range(100)])
    assert len(inboxes(quick)[1]) == MOST_AHEAD
    slow = staffed(1, pace=1.5)
    slow.launch(*[assignment(n) for n in range(100)])
    assert len(inboxes(slow)[1]) == 1


def test_an_executor_learns_how_long_tasks_take() -> None:
    world = staffed(1, executors=1)
    world.launch(*[assignment(n) for n in range(100)])
    depths: list[int] = []
    for _ in range(40):
        world.perform(world.executors[1])
        depths.append(len(world.executors[1].inbox))
    assert depths[:5] == [1] * 5
    assert depths == sorted(depths)
    assert depths[-1] > 16


def test_what_is_given_ahead_is_shared_out_evenly() -> None:
    world = staffed(2, pace=0.1)
    world.launch(*[assignment(n) for n in range(10)])
    assert [len(found) for found in inboxes(world).values()] == [5, 5]


def test_large_calls_and_isolated_tasks_are_not_given_ahead() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2, size=5_000), assignment(3))
    assert inboxes(world) == {1: [1]}
    isolated = staffed(1, pace=0.1)
    isolated.launch(assignment(1, isolation="process"), assignment(2, isolation="process"))
    assert inboxes(isolated) == {1: [1]}


def test_who_stands_behind_a_long_task_is_taken_back_when_another_executor_is_free() -> None:
    world = staffed(2, pace=0.1)
    world.launch(assignment(1), assignment(2), assignment(3), assignment(4))
    assert inboxes(world) == {1: [1, 3], 2: [2, 4]}
    world.begin(world.executors[1])
    for _ in range(2):
        world.perform(world.executors[2])
    assert inboxes(world) == {1: [3]}
    assert world.ledger.next_due() == world.now + LONG_MS
    world.pass_time(LONG_MS)
    assert inboxes(world) == {2: [3]}


def test_nothing_is_given_ahead_to_an_executor_that_is_at_a_long_task() -> None:
    world = staffed(2, pace=0.1)
    world.launch(assignment(1), assignment(2))
    world.begin(world.executors[1])
    world.begin(world.executors[2])
    world.pass_time(LONG_MS)
    world.launch(assignment(3))
    assert inboxes(world) == {}


def test_what_was_given_ahead_makes_way_for_what_is_more_urgent() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2), assignment(3))
    world.begin(world.executors[1])
    assert inboxes(world) == {1: [2, 3]}
    world.launch(assignment(4, priority=1))
    assert inboxes(world) == {1: [4, 2, 3]}
    world.end(world.executors[1])
    world.read(world.executors[1])
    for _ in range(3):
        world.perform(world.executors[1])
    assert world.order == [1, 4, 2, 3]


def test_an_executor_takes_what_it_has_the_code_for_before_its_equals_but_not_for_long() -> None:
    world = staffed(1, executors=1)
    world.launch(assignment(1, "a"), assignment(2, "b"), assignment(3, "a"))
    world.perform(world.executors[1])
    assert inboxes(world) == {1: [3]}
    world.launch(assignment(4, "a"))
    world.pass_time(OVERTAKEN_MS)
    world.perform(world.executors[1])
    assert inboxes(world) == {}
    world.join()
    assert list(inboxes(world).values()) == [[2]]


def test_priority_goes_before_having_the_code() -> None:
    world = staffed(1, executors=1)
    world.launch(assignment(1, "a"), assignment(2, "a"))
    world.launch(assignment(3, "b", priority=1))
    world.perform(world.executors[1])
    assert inboxes(world) == {}
    world.join()
    assert list(inboxes(world).values()) == [[3]]


def test_idle_executors_with_code_are_let_go_when_there_are_too_many() -> None:
    world = staffed(1, executors=1)
    for attempt, source in enumerate("abcd"):
        world.launch(assignment(attempt, source))
        while world.coming:
            world.join()
        [executor] = [e for e in world.executors.values() if e.inbox]
        world.perform(executor)
        world.pass_time(1)
    assert [e.code for e in world.executors.values() if e.lines] == [-9, -9, None, None]


def test_an_executor_that_has_done_its_share_is_replaced() -> None:
    world = World(1, Limits(executor_tasks=3), pace=0.1)
    world.join()
    world.launch(*[assignment(n) for n in range(5)])
    assert inboxes(world) == {1: [0, 1, 2]}
    for _ in range(3):
        world.perform(world.executors[1])
    assert world.executors[1].code == -9


def test_an_isolated_attempt_has_its_executor_to_itself() -> None:
    world = staffed(1)
    world.launch(assignment(1, isolation="process"), assignment(2, isolation="process"))
    world.perform(world.executors[1])
    assert inboxes(world) == {}
    world.join()
    assert list(inboxes(world).values()) == [[2]]


def test_a_result_that_leaves_something_behind_counts_once_its_process_is_gone() -> None:
    world = staffed(1)
    world.launch(assignment(1), assignment(2))
    world.perform(world.executors[1], leaving="left a mess")
    assert world.finished == {}
    assert inboxes(world) == {}, "its slot is still taken"
    world.bury(world.executors[1])
    assert world.finished[1].verdict == "success"


def test_what_an_executor_was_given_ahead_goes_to_another_when_it_leaves() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2), assignment(3))
    world.perform(world.executors[1], "failed", leaving="failed")
    world.bury(world.executors[1])
    world.join()
    world.finish_everything()
    assert world.order == [1, 2, 3]


def test_an_executor_that_dies_takes_only_its_first_attempt_with_it() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2))
    world.begin(world.executors[1])
    world.executors[1].code = -11
    world.pass_time(40)
    world.bury(world.executors[1])
    finished = world.finished[1]
    assert (finished.verdict, finished.started_at, finished.finished_at) == ("failed", world.now - 40, world.now)
    assert finished.log == LogRange("segment-1", 0, 7)
    assert finished.failure is not None
    assert (finished.failure.how, finished.failure.exit_code) == ("killed", -11)
    assert 2 not in world.finished


def test_an_attempt_whose_executor_died_before_it_took_it_is_performed_by_another() -> None:
    world = staffed(1)
    world.launch(assignment(1))
    world.executors[1].code = -9
    world.bury(world.executors[1])
    assert world.finished == {}
    world.pass_time(AGAIN_MS)
    world.finish_everything()
    assert world.finished[1].verdict == "success"


def test_executors_that_die_at_once_are_not_made_without_end() -> None:
    world = staffed(1, executors=1)
    world.executors[1].code = 71
    world.bury(world.executors[1])
    assert list(world.coming) == []
    world.launch(assignment(1))
    assert world.ledger.next_due() == world.now + AGAIN_MS
    world.pass_time(AGAIN_MS)
    assert len(world.coming) == 1


def test_a_start_is_said_after_a_beat_and_once() -> None:
    world = staffed(1)
    world.launch(assignment(1))
    assert world.ledger.next_due() == world.now + 250
    world.pass_time(249)
    assert world.started == []
    world.pass_time(1)
    world.pass_time(1_000)
    assert world.started == [Started(1, world.now - 1_250, LogRange("segment-1", 0, 0))]
    assert world.ledger.next_due() is None
    assert world.ledger.running(world.now) == [(1, 0)]


def test_who_was_given_ahead_is_timed_from_when_the_one_before_ended() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2, timeout=0.1))
    world.begin(world.executors[1])
    world.pass_time(90)
    world.end(world.executors[1])
    world.read(world.executors[1])
    world.begin(world.executors[1])
    world.pass_time(99)
    assert world.executors[1].alive
    world.pass_time(1)
    world.bury(world.executors[1])
    failure = world.finished[2].failure
    assert failure is not None
    assert failure.how == "timed_out"
    assert failure.message == "it was stopped because it ran longer than its time limit of 0.1 s"


def test_cancelling_what_runs_asks_first_and_kills_after_a_grace() -> None:
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.joined(1, "segment", 0)
    ledger.launch([assignment(1)], NOW)
    ledger.decide(NOW)
    ledger.cancel([1], NOW)
    assert ledger.decide(NOW) == [Kill(1, signal.SIGTERM)]
    assert ledger.next_due() == NOW + KILL_GRACE_MS
    assert ledger.decide(NOW + KILL_GRACE_MS) == [Kill(1, signal.SIGKILL)]
    assert ledger.next_due() is None
    ledger.gone(1, Exit(-9, 0), NOW + KILL_GRACE_MS)
    [finished] = [message for message in ledger.messages(10, 100) if isinstance(message, Finished)]
    assert (finished.verdict, finished.failure) == ("cancelled", None)


@pytest.mark.parametrize(("verdict", "becomes"), [("success", "success"), ("failed", "cancelled")])
def test_what_a_cancelled_task_came_to_by_itself_counts_if_it_is_good(verdict: str, becomes: str) -> None:
    world = staffed(1)
    world.launch(assignment(1))
    world.begin(world.executors[1])
    world.cancel(1)
    world.end(world.executors[1], verdict)  # type: ignore[arg-type]
    world.read(world.executors[1])
    assert world.finished[1].verdict == becomes
    assert world.executors[1].code == -9, "it was asked to stop, so it is not used any more"


def test_a_cancelled_attempt_that_was_given_ahead_ends_without_having_begun() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2), assignment(3))
    world.begin(world.executors[1])
    world.cancel(2)
    assert world.finished[2].verdict == "cancelled"
    assert world.executors[1].asked_to_stop is False
    world.finish_everything()
    assert world.order == [1, 3]


def test_to_stop_one_attempt_the_others_are_taken_back_first() -> None:
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.joined(1, "segment", 0)
    ledger._all.executors[1].pace = 0.1
    ledger.launch([assignment(1), assignment(2)], NOW)
    ledger.decide(NOW)
    ledger.cancel([1], NOW)
    assert ledger.decide(NOW) == [TakeBack(1)]
    ledger.taken_back(1, [], NOW)  # it has begun the second: so the first has ended, and its report is on the way
    assert ledger.decide(NOW) == []
    ledger.reported(1, success(1), NOW)
    assert ledger.decide(NOW) == []
    assert ledger.messages(10, 100) == [success(1).finished]


def test_stopping_ends_what_waits_at_once_and_what_runs_after_the_grace() -> None:
    world = staffed(1, pace=0.1)
    world.launch(assignment(1), assignment(2))
    world.begin(world.executors[1])
    world.stop(500)
    assert world.finished[2].verdict == "interrupted"
    assert world.ledger.next_due() == world.now + 250
    world.pass_time(499)
    assert not world.executors[1].asked_to_stop
    world.pass_time(1)
    assert world.executors[1].asked_to_stop
    world.end(world.executors[1], "failed", "failed")
    world.bury(world.executors[1])
    assert (world.finished[1].verdict, world.finished[1].failure) == ("interrupted", None)
    assert not world.ledger.done
    world.ledger.acknowledge([1, 2])
    assert world.ledger.done


def test_what_is_launched_while_stopping_is_interrupted() -> None:
    world = staffed(1)
    world.stop(500)
    world.launch(assignment(1))
    assert world.finished[1].verdict == "interrupted"


def test_nothing_is_handed_out_during_a_pause() -> None:
    world = staffed(1)
    world.ledger.pause(world.now + 1_000)
    world.launch(assignment(1))
    assert inboxes(world) == {}
    assert world.ledger.next_due() == world.now + 1_000
    world.pass_time(1_000)
    assert inboxes(world) == {1: [1]}


def test_an_executor_that_refuses_gets_nothing_more() -> None:
    world = staffed(1)
    world.ledger.refuses(1)
    world.settle()
    assert world.executors[1].code == -9
    world.launch(assignment(1))
    assert inboxes(world) == {}


def test_when_the_zygote_dies_what_ran_is_lost() -> None:
    world = staffed(1)
    world.launch(assignment(1))
    world.begin(world.executors[1])
    world.ledger.gone(1, Exit(None, 0), world.now)
    world.executors.clear()
    world.settle()
    assert world.finished[1].failure == Failure(
        how="lost", message="the process that started it was killed, and it with it"
    )


def test_the_cost_of_a_killed_attempt_is_what_its_process_spent_since_the_last_report() -> None:
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.joined(1, "segment", 0)
    ledger.launch([assignment(1), assignment(2)], NOW)
    ledger.decide(NOW)
    ledger.reported(1, Report(Finished(1, "success", NOW, NOW, cpu_ms=30), 5), NOW)
    ledger.decide(NOW)
    ledger.gone(1, Exit(-9, 9, peak_kib=77, cpu_ms=100), NOW)
    finished = ledger.messages(10, 100)[-1]
    assert isinstance(finished, Finished)
    assert (finished.cpu_ms, finished.peak_kib, finished.log) == (70, 77, LogRange("segment", 5, 4))


@pytest.mark.parametrize("attempt", [2, 99])
def test_a_report_of_what_an_executor_does_not_perform_is_refused(attempt: int) -> None:
    world = staffed(1)
    world.launch(assignment(1), assignment(2))
    with pytest.raises(InvariantBroken, match="does not perform"):
        world.ledger.reported(1, success(attempt), world.now)


def test_there_is_no_hurry_while_every_slot_has_work_ahead() -> None:
    world = staffed(1, pace=0.1)
    assert not world.ledger.saturated
    world.launch(*[assignment(n) for n in range(100)])
    assert world.ledger.saturated
    world.pass_time(LONG_MS)
    while len(world.executors[1].inbox) > 1:
        world.begin(world.executors[1])
        world.end(world.executors[1])
    assert world.ledger.saturated, "it has not been told yet"
