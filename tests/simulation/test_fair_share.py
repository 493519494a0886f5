"""The daily run beside half a year of backfill, in figures: how late it is by it, and what the backfill gets done meanwhile."""

from collections.abc import Sequence
from contextlib import closing
from functools import cache
from statistics import mean
from typing import NamedTuple

import pytest

from ostinato.model.spec import DagSpec, Every, TaskSpec
from ostinato.model.time import DataInterval

from .quiet import MINUTE, Quiet
from .timeline import BEGIN

HOUR = 60 * MINUTE
EVERY = 4 * HOUR
DAYS = 182
LONGEST = 15
"""Minutes that a task takes at most; see `Quiet`."""
SHARE = 0.1


def daily(pool: str) -> DagSpec:
    """One task, then three beside each other, then one: so that it comes round in reach of a test, every four hours."""
    tasks = (
        TaskSpec("extract", pool=pool),
        *(TaskSpec(f"part_{no}", upstream=(0,), pool=pool) for no in range(3)),
        TaskSpec("load", upstream=(1, 2, 3), pool=pool),
    )
    return DagSpec("daily", tasks, schedule=Every(EVERY // 1000))


def busy(pool: str) -> DagSpec:
    """More scheduled work than there is room for."""
    return DagSpec("busy", tuple([TaskSpec(f"t{no}", pool=pool) for no in range(60)]), schedule=Every(HOUR // 1000))


def past() -> list[DataInterval]:
    """The intervals of half a year of runs before now."""
    first = BEGIN - BEGIN % EVERY - DAYS * EVERY
    return [DataInterval(first + no * EVERY, first + (no + 1) * EVERY) for no in range(DAYS)]


def tell(figures: str) -> None:
    """For those who look: `pytest -s` shows what decision 012 says."""
    print(figures)  # noqa: T201


class Day(NamedTuple):
    """Minutes from the end of each interval to the end of its run; how many runs of the backfill ended, and when.

    ``tasks`` are those begun after the first hour, by kind of run.
    """

    took: list[float]
    backfilled: int
    hours: float
    tasks: dict[str, int]


@cache
def day(pool: str, executors: int, at_once: int = 0, beside: str = "") -> Day:
    """What happens within a day, in which the backfill may have ``at_once`` runs; 0: there is none."""
    spec = daily(pool)
    dags: Sequence[DagSpec] = [spec, busy(pool)] if beside else [spec]
    with closing(Quiet(dags, executors=executors, slots=8)) as quiet:
        quiet.until(BEGIN + 10 * MINUTE)
        if at_once:
            quiet.backfill(spec, past(), max_active_runs=at_once, share=SHARE)
        quiet.until(BEGIN + 24 * HOUR)
        took = [(run.finished_at or 0) - run.interval.end for run in quiet.ended("scheduled") if run.dag_id == "daily"]
        done = quiet.ended("backfill")
        last = max([run.finished_at or 0 for run in done], default=BEGIN)
        tasks: dict[str, int] = {"backfill": 0, "scheduled": 0}
    for attempt in quiet.witness.attempts.values():
        if attempt.new.at >= BEGIN + HOUR:  # by then everything is there that is to be there
            tasks[quiet.witness.runs[attempt.new.run_id].run.kind] += 1
    return Day([each / MINUTE for each in took], len(done), (last - BEGIN) / HOUR, tasks)


@pytest.mark.parametrize(
    ("pool", "executors", "at_once"), [("p", 16, 16), ("default", 8, 100)], ids=["full pool", "full machine"]
)
def test_half_a_year_of_backfill_does_not_delay_the_daily_run(pool: str, executors: int, at_once: int) -> None:
    """It waits for one task to end at most, each of the three times that it wants to start something."""
    alone, beside = day(pool, executors), day(pool, executors, at_once)
    later = [with_it - without for without, with_it in zip(alone.took, beside.took, strict=True)]
    tell(
        f"alone {mean(alone.took):.1f} min, beside {mean(beside.took):.1f} min, later by {max(later):.1f} min at most;"
    )
    tell(f"{beside.backfilled} of {DAYS} intervals in {beside.hours:.1f} h")
    assert len(later) == 6
    assert max(later) <= LONGEST


def test_the_backfill_uses_all_that_the_daily_run_leaves() -> None:
    """182 runs of five tasks of ten minutes, in eight slots: 19 hours, if no slot is ever empty."""
    beside = day("p", 16, 16)
    assert beside.backfilled == DAYS
    assert beside.hours <= 21


def test_a_backfill_beside_more_scheduled_work_than_there_is_room_for_gets_its_share() -> None:
    crowd = day("p", 16, 16, "busy")
    share = crowd.tasks["backfill"] / sum(crowd.tasks.values())
    tell(f"{crowd.tasks['backfill']} of {sum(crowd.tasks.values())} tasks were the backfill's: {share:.1%}")
    assert share == pytest.approx(SHARE, abs=0.02)


def test_scheduled_work_is_not_starved_by_the_share_of_a_backfill() -> None:
    crowd, without = day("p", 16, 16, "busy"), day("p", 16, 0, "busy")
    tell(f"the daily run among other dags: {mean(without.took):.1f} min, beside a backfill {mean(crowd.took):.1f} min")
    assert mean(crowd.took) - mean(without.took) <= LONGEST
