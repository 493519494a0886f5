"""What a sensor's patience means in instants."""

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers

from ostinato.decide.live import LiveRun
from ostinato.model.spec import Sensor, TaskSpec
from tests.unit.decide.boards import NOW, run_of, shape_of


def waiting(sensor: Sensor | None) -> LiveRun:
    live = LiveRun(run_of(1), shape_of(TaskSpec("arrived", sensor=sensor)), 1)
    live.begin()
    live.waiting_since[0] = NOW
    return live


@given(floats(0, 1_000), floats(0, 1_000), integers(0, 2_000_000))
def test_the_next_look_is_later_than_now_and_the_last_as_patience_ends(
    every: float, timeout: float, waited: int
) -> None:
    live = waiting(Sensor(every=every, timeout=timeout))
    look = live.next_look_at(0, NOW + waited)
    assert look > NOW + waited
    assert look <= max(NOW + waited + 1, NOW + round(timeout * 1000))
    assert look <= NOW + waited + max(1, round(every * 1000))


def test_only_what_waits_gives_up() -> None:
    with pytest.raises(ValueError, match="waits for nothing"):
        waiting(None).gives_up_at(0)
