"""What goes wrong in one simulation, and how often. Every seed has a weather of its own, so that rare faults meet."""

from collections.abc import Collection, Sequence
from random import Random
from typing import Final

from msgspec import Struct, structs

FAULTS: Final = (
    "scheduler_killed",
    "scheduler_frozen",
    "agent_killed",
    "agent_stopped",
    "connection_cut",
    "session_lost",
    "machine_cut_off",
    "store_unavailable",
    "disk_full",
    "clock_set",
    "executor_killed",
    "late_report",
    "history_forgotten",
)
"""Faults that come by themselves. Each has a mean time between two of them."""

SET_BACK: Final = "state_set_back"

POINTS: Final = (
    "before it takes the lead",
    "at a read",
    "before a commit",
    "after a commit",
    "before a send",
    "after a send",
)
"""Where in its step a scheduler's process may die, or be overtaken by another that takes the lead."""


class Weather(Struct, frozen=True):
    """``every`` is the mean time between two faults of a kind, in milliseconds; one that is not in it never comes.

    There are so many ``schedulers``, of which one leads and the others stand by, on ``machines`` that have an agent each.
    The chances are for each time that there is occasion: that the scheduler dies at a point of its step, or is overtaken
    there (both much oftener at the ``worst_point``), that a commit is refused or its answer is lost, that a message comes
    twice, that a hint is lost, that a dead agent's journal is lost, that an executor cannot be made, or be given work.
    ``delay_ms`` is the longest time that a message travels, ``idle`` what nobody does.
    """

    storm_ms: int
    every: dict[str, int]
    schedulers: int
    machines: int
    death_at_a_point: float
    overtaken: float
    worst_point: str
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
    idle: frozenset[str] = frozenset()

    def troubles(self) -> list[str]:
        """The names of all that goes wrong now and then."""
        return [*self.every, *(name for name in CHANCES if getattr(self, name))]

    def without(self, names: Collection[str]) -> "Weather":
        """The same without some faults, chances, and deeds of people."""
        every = {fault: mean for fault, mean in self.every.items() if fault not in names}
        never = {name: 0.0 for name in CHANCES if name in names}
        return structs.replace(self, every=every, idle=frozenset(names), **never)


CHANCES: Final = tuple(name for name, kind in Weather.__annotations__.items() if kind is float)


OFTEN_MS: Final = 1_500
WORSE: Final = 8
"""So many times as often as elsewhere things go wrong at the worst point."""


def weather_of(random: Random, fate: Random, often: Sequence[str] = ()) -> Weather:
    """A weather by chance, in which the faults and chances named in ``often`` come often; whether the state is set back, by fate."""

    def chance(name: str, most: float) -> float:
        drawn = random.choice((0.0, most / 10, most))
        return most if name in often else drawn

    schedulers = random.choice((1, 1, 2, 3))
    every = {fault: random.choice((OFTEN_MS, 6_000, 20_000)) for fault in FAULTS if random.random() < 0.55}
    if fate.random() < 0.3:
        every[SET_BACK] = fate.choice((6_000, 20_000))
    return Weather(
        storm_ms=random.choice((5_000, 20_000, 60_000)),
        every=every | {fault: OFTEN_MS for fault in (*FAULTS, SET_BACK) if fault in often},
        schedulers=schedulers,
        machines=random.randint(1, schedulers),
        death_at_a_point=chance("death_at_a_point", 0.01),
        overtaken=chance("overtaken", 0.01),
        worst_point=random.choice(POINTS),
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
