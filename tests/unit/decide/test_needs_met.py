"""A need is met once all the time it asks for has succeeded, in other runs than the one that asks."""

from collections.abc import Sequence

import pytest
from msgspec import Struct

from ostinato.decide.need import is_met
from ostinato.model.record import Run
from ostinato.model.spec import Every, Need, Schedule
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant
from tests.unit.decide.past import run

ASKS = run(99, 1_000, RunState.RUNNING, length=1_000, dag_id="sales")
OK, OPEN, BAD = RunState.SUCCESS, RunState.RUNNING, RunState.FAILED


class Past(Struct):
    """What there was, all of it runs of one dag."""

    past: Sequence[Run]

    def schedule(self, dag_id: str) -> Schedule | None:
        del dag_id
        return Every(1)

    def first_interval(self, dag_id: str) -> Instant | None:
        del dag_id
        return min((each.interval.start for each in self.past), default=None)

    def runs(self, dag_id: str, window: DataInterval, task_id: str | None) -> list[Run]:
        del dag_id, task_id
        return [each for each in self.past if each.interval.start < window.end and each.interval.end > window.start]


@pytest.mark.parametrize(
    ("need", "past", "met"),
    [
        (Need("raw"), [], False),
        (Need("raw"), [run(1, 1_000, OK, length=1_000)], True),
        (Need("raw"), [run(1, 1_000, OK, length=600), run(2, 1_600, OK, length=400)], True),
        (Need("raw"), [run(1, 1_000, OK, length=600), run(2, 1_600, OPEN, length=400)], False),
        (Need("raw"), [run(1, 1_000, OK, length=1_000), run(2, 1_000, OPEN, length=1_000)], False),
        (Need("raw"), [run(1, 1_000, BAD, length=1_000), run(2, 1_000, OK, length=1_000)], True),
        (Need("raw", shift=-1_000), [run(1, 0, OK, length=1_000)], True),
        (Need(), [ASKS], False),
        (Need(if_any=True), [], True),
        (Need(shift=-1_000, if_any=True), [ASKS], True),
        (Need(shift=-1_000, if_any=True), [run(1, 500, OK, length=500), ASKS], True),
        (Need(shift=-1_000, if_any=True), [run(1, 500, BAD, length=500), ASKS], False),
        (Need(size=2_000), [run(1, 0, OK, length=1_000), run(2, 1_000, OK, length=1_000)], True),
    ],
)
def test_it_is_met_by_what_there_is(need: Need, past: list[Run], met: bool) -> None:
    assert is_met(need, ASKS, Past(past)) is met
