"""Whatever a dag looks like, however long its steps take and however many go on at once: its script decides how it ends."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis.strategies import integers, none

from ostinato.decide.graph import BAD
from ostinato.model.record import instance_name
from ostinato.model.state import TaskState
from ostinato.testing import Rehearsal, simulate
from tests.unit.decide.naive import end_of_run
from tests.unit.testing.authored import Rehearsed, rehearsed
from tests.unit.testing.plays import DAY


def expected(drawn: Rehearsed) -> dict[str, TaskState]:
    """What the naive evaluator says, by the names that people use."""
    return {instance_name(drawn.play.spec, *instance): state for instance, state in end_of_run(drawn.play).items()}


def simulated(drawn: Rehearsed, blips: int = 0, slots: int | None = None) -> Rehearsal:
    """One day of a dag."""
    day = {"start": DAY, "end": DAY + timedelta(1)}
    (run,) = simulate([drawn.dag], **day, outcomes=drawn.scripts(blips), slots=slots).runs
    return run


@settings(max_examples=300)
@given(rehearsed())
def test_a_run_ends_as_the_naive_evaluator_says(drawn: Rehearsed) -> None:
    result = drawn.dag.test(DAY, outcomes=drawn.scripts())
    assert result.states == expected(drawn)
    asked = {task.task_id for task in drawn.play.spec.tasks if task.role != "teardown"}
    failed = any(state in BAD for name, state in result.states.items() if name in asked)
    assert result.run.state == ("failed" if failed else "success")


@settings(max_examples=200)
@given(rehearsed(), integers(0, 3), none() | integers(1, 4))
def test_neither_order_nor_time_nor_room_nor_blips_decide_how_a_run_ends(
    drawn: Rehearsed, blips: int, slots: int | None
) -> None:
    assert simulated(drawn, blips, slots).states == expected(drawn)


@given(rehearsed(), integers(1, 4))
def test_order_is_kept_and_room_is_never_exceeded(drawn: Rehearsed, slots: int) -> None:
    attempts = simulated(drawn, slots=slots).attempts
    spans = {name: (tries[0].queued_at, tries[-1].finished_at or 0) for name, tries in attempts.items()}
    tasks = drawn.play.spec.tasks
    waits_for_all = [task for task in tasks if task.trigger_rule in {"all_success", "all_done"} and task.scope is None]
    orders = [(tasks[up].task_id, task.task_id) for task in waits_for_all for up in task.upstream]
    assert all(spans[up][1] <= spans[down][0] for up, down in orders if up in spans and down in spans)
    begins = {begin for begin, _ in spans.values()}
    assert all(sum(begin <= at < end for begin, end in spans.values()) <= slots for at in begins)


@given(rehearsed(), integers(0, 3))
def test_the_same_is_the_same_every_time(drawn: Rehearsed, blips: int) -> None:
    one, other = (drawn.dag.test(DAY, outcomes=drawn.scripts(blips)) for _ in range(2))
    assert one.events == other.events
