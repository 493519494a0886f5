"""The loop in trouble: agents are left alone until the state can be used again."""

import os
from collections.abc import Iterator
from itertools import repeat

import pytest

from ostinato.clock import SystemClock
from ostinato.control.hint import HintListener
from ostinato.control.loop import Alarm, Loop
from ostinato.executors.port import Arrival
from ostinato.home import Home
from ostinato.model.errors import StoreUnavailable
from ostinato.model.limits import Limits
from ostinato.model.message import Hello

RETRY_MS = 5


class Talkative:
    """An agent that says hello whenever it is connected to, and always has something to say."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC)
        os.write(self._write, b".")
        self.heard = 0

    def fileno(self) -> int:
        return self._read

    def receive(self) -> list[Arrival]:
        self.heard += 1
        return [Arrival("a1", Hello("a1", 1, 2, 10, ()))]

    def connected(self) -> bool:
        return True

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Troubled:
    """A scheduler whose store is away for some steps."""

    def __init__(self, away: int) -> None:
        self._away = iter([*repeat(True, away), *repeat(False, 10)])
        self.trouble: Exception | None = None
        self.heard: list[int] = []
        self.at: list[int] = []

    def step(self, arrived: list[Arrival], now: int, *, hinted: bool) -> int | None:
        del hinted
        self.heard.append(len(arrived))
        self.at.append(now)
        self.trouble = StoreUnavailable("gone for lunch") if next(self._away) else None
        return now + RETRY_MS if self.trouble else None

    def has_plenty(self, *, without: int) -> bool:
        return without < 0


@pytest.fixture
def agent() -> Iterator[Talkative]:
    made = Talkative()
    yield made
    made.close()


def test_while_the_store_is_away_no_agent_is_asked_and_it_is_tried_again_in_its_time_and_not_sooner(
    home: Home, agent: Talkative
) -> None:
    scheduler, hints, alarm = Troubled(away=4), HintListener(home), Alarm()
    loop = Loop(scheduler, agent, hints, alarm, None, SystemClock(), Limits())  # type: ignore[arg-type]
    alarm.ring()
    for _ in range(5):
        loop.turn(until=0)
    assert (scheduler.heard, agent.heard) == ([1, 0, 0, 0, 0], 1)
    assert all(later - sooner >= RETRY_MS for sooner, later in zip(scheduler.at[:4], scheduler.at[1:5], strict=True))
    loop.turn()
    assert (scheduler.heard[-1], agent.heard) == (1, 2)
    for part in (loop, hints, alarm):
        part.close()
