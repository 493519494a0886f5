"""Who watches work is as patient as the scheduler that does it."""

from collections.abc import Callable

import pytest

from ostinato.cli.waiting import patiently
from ostinato.model.errors import StoreUnavailable


class Time:
    """A clock that stands still until somebody waits."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at

    def wait(self, until: int) -> None:
        self.at += max(1, (until - self.at) // 2)  # something happens before


def failing(times: int) -> Callable[[], str]:
    left = [StoreUnavailable("gone for lunch")] * times

    def look() -> str:
        if left:
            raise left.pop()
        return "seen"

    return look


def test_what_cannot_be_read_now_is_read_later() -> None:
    time = Time()
    assert patiently(failing(3), time.wait, time) == "seen"
    assert 1_500 <= time.at < 1_600


def test_patience_ends_when_it_was_said_to_end() -> None:
    time = Time()
    with pytest.raises(StoreUnavailable):
        patiently(failing(9), time.wait, time, give_up_at=700)
    assert 700 <= time.at < 1_100
