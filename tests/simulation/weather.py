"""What goes wrong in one simulation, and how often. Every seed has a weather of its own, so that rare faults meet."""

from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import Struct

FAULTS: Final = (
    "scheduler_killed",
    "scheduler_frozen",
    "agent_killed",
    "agent_stopped",
    "connection_cut",
    "store_unavailable",
    "clock_set",
    "executor_killed",
    "late_report",
)
"""Faults that come by themselves. Each has a mean time between two of them."""


class Weather(Struct, frozen=True):
    """``every`` is the mean time between two faults of a kind, in milliseconds; one that is not in it never comes.

    The chances are for each time that there is occasion: that the scheduler dies at a point of its step, that a commit
    is refused or its answer is lost, that a message comes twice, that a hint is lost, that a dead agent's
    journal is lost, that an executor cannot be made, or be given work. ``delay_ms`` is the longest time that a message travels.
    """

    storm_ms: int
    every: dict[str, int]
    death_at_a_point: float
    refused_commit: float
    lost_answer: float
    doubled_message: float
    lost_hint: float
    lost_journal: float
    not_made: float
    not_handed: float
    refused_alert: float
    delay_ms: int
    slots: int
    window: int


OFTEN_MS: Final = 1_500


def weather_of(random: Random, often: Sequence[str] = ()) -> Weather:
    """A weather by chance, in which the faults and chances named in ``often`` come often."""

    def chance(name: str, most: float) -> float:
        drawn = random.choice((0.0, most / 10, most))
        return most if name in often else drawn

    every = {fault: random.choice((OFTEN_MS, 6_000, 20_000)) for fault in FAULTS if random.random() < 0.55}
    return Weather(
        storm_ms=random.choice((5_000, 20_000, 60_000)),
        every=every | {fault: OFTEN_MS for fault in FAULTS if fault in often},
        death_at_a_point=chance("death_at_a_point", 0.01),
        refused_commit=chance("refused_commit", 0.05),
        lost_answer=chance("lost_answer", 0.03),
        doubled_message=chance("doubled_message", 0.1),
        lost_hint=chance("lost_hint", 0.7),
        lost_journal=chance("lost_journal", 0.3),
        not_made=chance("not_made", 0.2),
        not_handed=chance("not_handed", 0.1),
        refused_alert=chance("refused_alert", 0.3),
        delay_ms=random.choice((0, 3, 40, 400)),
        slots=random.choice((1, 2, 4)),
        window=random.choice((1, 3, 8, 64)),
    )
