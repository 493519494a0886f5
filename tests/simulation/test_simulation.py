"""The first seeds, in every build; `python -m tests.simulation` runs as many as one likes."""

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from ostinato.model.cause import Cause
from ostinato.model.state import TaskState

from .__main__ import MACHINES
from .shrink import Case, shrunk
from .story import story
from .test_eyesight import forgets_failures_when_it_restarts
from .trace import Violation
from .weather import SET_BACK

SEEDS = 2_000
CHUNK = 20
ROOT = Path(__file__).parents[2]


def outcome(seed: int, without: Collection[str] = ()) -> tuple[str, set[tuple[str, str, str]]]:
    """The history of a seed and the moves in it; a failure is told as a story."""
    case = Case(seed, frozenset(without))
    simulation = case.simulation()
    try:
        done = simulation.run()
    except Violation as violation:
        pytest.fail(story(case, simulation, violation), pytrace=False)
    return done.history, done.moves


KEPT = (193, 1_012, 2_568, 2_893)
"""Seeds that once failed, before the state could be set back."""


@pytest.mark.parametrize("seed", KEPT)
def test_what_was_mended_stays_mended(seed: int) -> None:
    outcome(seed, {SET_BACK})


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_all_that_is_promised_holds_in_any_weather(first: int) -> None:
    for seed in range(first, first + CHUNK):
        outcome(seed)


def test_a_seed_always_has_the_same_history() -> None:
    seeds = range(3, 7)
    told = [outcome(seed)[0] for seed in seeds]
    command = [sys.executable, "-m", "tests.simulation", "--start", "3", "--seeds", "4", "--jobs", "1", "--histories"]
    elsewhere = {**os.environ, "PYTHONHASHSEED": "77"}
    said = subprocess.run(command, cwd=ROOT, env=elsewhere, check=True, capture_output=True, text=True).stdout
    assert [line.split()[3].rstrip(",") for line in said.splitlines()[: len(told)]] == told


def test_a_failure_is_made_as_simple_as_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    forgets_failures_when_it_restarts(monkeypatch)
    case = Case(39)
    weather = case.weather()
    simplest = shrunk(case, lambda _: None)
    assert simplest.failure()
    assert (simplest.storm_ms or weather.storm_ms) < weather.storm_ms
    left = set(weather.troubles()) - simplest.without
    assert left < set(weather.troubles())
    for name in left:  # none of it can be left out
        assert Case(case.seed, simplest.without | {name}, simplest.storm_ms).failure() is None


NOT_YET = frozenset({Cause.CARRIED_SUCCESS, Cause.CARRIED_SKIPPED})
"""No simulation runs a part of a run again."""
NEVER = {("task", TaskState.RUNNING, Cause.EXPANSION_FAILED)}
"""Of plain data a next turn can always be made."""
RARE = (276, 120, 117, 114, 95, 75, 69, 65, 62, 57, 48, 44)
"""Seeds with moves that few others make, when they were last looked for: tried first, then all."""


@pytest.mark.timeout(600)  # if the rare moves have to be looked for
def test_every_move_that_the_tables_allow_is_made() -> None:
    never = {(name, was, cause) for name, table in MACHINES.items() for was, cause in table if cause not in NOT_YET}
    never -= NEVER
    for seed in (*RARE, *range(SEEDS)):
        never -= outcome(seed)[1]
        if not never:
            break
    assert not never
