"""What becomes of a schedule's run while an earlier one of it still goes: it queues, is not made, or the earlier one ends."""

import pytest

from ostinato.decide.shape import Shape
from ostinato.model.cause import Cause
from ostinato.model.record import OpenRun
from ostinato.model.spec import CompiledDag, DagSpec, Overlap, TaskSpec
from ostinato.model.state import RunState
from tests.unit.decide.boards import NOW, Desk, run_of

QUEUED, RUNNING, CANCELLED = RunState.QUEUED, RunState.RUNNING, RunState.CANCELLED


def shape(overlap: Overlap, most: int = 16, dag_id: str = "sales") -> Shape:
    spec = DagSpec(dag_id, (TaskSpec("t"),), overlap=overlap, max_active_runs=most)
    return Shape(CompiledDag(spec, "x.py", "source", "version"))


def come(desk: Desk, overlap: Overlap, *days: int, most: int = 16, kind: str = "scheduled") -> list[RunState]:
    """Runs for these days come one after another; how they stand then."""
    for number, day in enumerate(days, 1):
        desk.board.open_run(run_of(number, day=day, kind=kind), shape(overlap, most))
        desk.tick()
    return [desk.run_state(number) for number in range(1, len(days) + 1)]


@pytest.mark.parametrize("most", [1, 16])
@pytest.mark.parametrize(
    ("overlap", "days", "states"),
    [
        ("skip", (0, 1, 2), [RUNNING, CANCELLED, CANCELLED]),
        ("cancel_previous", (0,), [RUNNING]),
        ("skip", (0,), [RUNNING]),
    ],
)
def test_while_an_earlier_run_goes_a_later_one_is_not_made(
    overlap: Overlap, days: tuple[int, ...], states: list[RunState], most: int
) -> None:
    assert come(Desk(), overlap, *days, most=most) == states


def test_one_that_was_not_made_says_for_which_it_was_not() -> None:
    desk = Desk()
    come(desk, "skip", 0, 1)
    [event] = [event for commit in desk.commits for event in commit.events if event.cause is Cause.OVERLAPPED]
    assert (event.run_id, event.facts) == (2, {"run": 1})
    assert len(desk.board.admission) == 0


def test_an_earlier_run_gives_way_to_a_later_one() -> None:
    desk = Desk()
    assert come(desk, "cancel_previous", 0, 1) == [RUNNING, RUNNING]
    assert desk.told_to_stop == [1]
    assert [request.run_id for commit in desk.commits for request in commit.cancel_requests] == [1]
    desk.report(1, "cancelled")
    assert (desk.run_state(1), desk.run_state(2)) == (CANCELLED, RUNNING)


def test_an_earlier_run_that_has_not_begun_gives_way_without_ever_beginning() -> None:
    desk = Desk()
    assert come(desk, "cancel_previous", 0, 1, 2, most=1) == [RUNNING, CANCELLED, QUEUED]
    desk.report(1, "cancelled")
    assert [desk.run_state(number) for number in (1, 2, 3)] == [CANCELLED, CANCELLED, RUNNING]


def test_runs_that_come_at_once_leave_the_earliest_or_the_latest() -> None:
    for overlap, states in (("skip", [RUNNING, CANCELLED]), ("cancel_previous", [CANCELLED, RUNNING])):
        desk = Desk()
        for number in (1, 2):
            desk.board.open_run(run_of(number, day=number, kind="scheduled"), shape(overlap))  # type: ignore[arg-type]
        desk.tick()
        assert [desk.run_state(number) for number in (1, 2)] == states


@pytest.mark.parametrize(
    ("overlap", "kind", "days"),
    [
        ("queue", "scheduled", (0, 1)),
        ("skip", "manual", (0, 1)),
        ("cancel_previous", "backfill", (0, 1)),
    ],
)
def test_nothing_is_done_about_runs_that_may_overlap(overlap: Overlap, kind: str, days: tuple[int, ...]) -> None:
    desk = Desk()
    assert come(desk, overlap, *days, kind=kind) == [RUNNING, RUNNING]
    assert desk.told_to_stop == []


def test_the_earlier_run_is_the_one_made_earlier_whatever_its_interval() -> None:
    """`after` makes runs in the order in which their intervals are completed."""
    assert come(Desk(), "skip", 1, 0) == [RUNNING, CANCELLED]
    desk = Desk()
    come(desk, "cancel_previous", 1, 0)
    assert desk.told_to_stop == [1]


def test_runs_of_other_dags_and_runs_by_hand_are_left_alone() -> None:
    desk = Desk()
    desk.board.open_run(run_of(1, kind="manual"), shape("skip"))
    desk.board.open_run(run_of(2, kind="scheduled", dag_id="other"), shape("skip", dag_id="other"))
    desk.tick()
    desk.board.open_run(run_of(3, day=1, kind="scheduled"), shape("skip"))
    desk.tick()
    assert [desk.run_state(number) for number in (1, 2, 3)] == [RUNNING] * 3


def test_one_that_somebody_cancels_before_it_was_looked_at_is_just_cancelled() -> None:
    desk = Desk()
    come(desk, "skip", 0)
    desk.board.open_run(run_of(2, day=1, kind="scheduled"), shape("skip"))
    desk.board.cancel(2, "ann", desk.now)
    causes = [event.cause for event in desk.tick().commit.events]
    assert causes == [Cause.CANCEL_REQUESTED, Cause.CANCELLED]


def test_after_a_restart_it_is_looked_at_again() -> None:
    desk = Desk()
    come(desk, "skip", 0)
    desk.board.adopt(OpenRun(run_of(2, day=1, kind="scheduled"), (), (), {}, {}, 1), shape("skip"), NOW)
    desk.tick()
    assert desk.run_state(2) is CANCELLED
