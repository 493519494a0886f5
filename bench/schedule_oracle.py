"""What a schedule must do, told minute by minute: the slow and obvious way, which shares no code with the product.

Times are whole minutes: instants since the Unix epoch, wall times since the wall clock showed 1970.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
HOUR = 60
DAY = 24 * HOUR
EPOCH = date(1970, 1, 1)
ON_TIME_MS = 60_000
"""An interval that ended at most so long ago was not missed."""
LAST, LAST_WORKDAY = -1, -2
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Field:
    """A field of a cron expression: its text, and the numbers that it stands for by the way it was made."""

    text: str
    numbers: frozenset[int]


@dataclass(frozen=True)
class Expression:
    """A cron expression that knows what it means because it was built from that, not read."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field
    nth: int = 0
    """The weekdays are the nth of their kind in the month; 0: all of them, -1: the last."""

    @property
    def text(self) -> str:
        """The five fields."""
        nth = "" if not self.nth else "L" if self.nth == LAST else f"#{self.nth}"
        fields = (self.minute, self.hour, self.day, self.month, self.weekday)
        return " ".join(field.text for field in fields) + nth

    @property
    def rule(self) -> tuple[str, str]:
        """What becomes of times in a gap and in a fold unless it is chosen."""
        named = not self.minute.text.startswith("*") and not self.hour.text.startswith("*")
        return ("after", "first") if named else ("skip", "both")

    def matches_day(self, day: date) -> bool:
        """Whether the last three fields match."""
        if day.month not in self.month.numbers:
            return False
        last = (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        workday = next(each for each in (last - timedelta(days=back) for back in range(3)) if each.isoweekday() < 6)
        in_month = {day.day} | {LAST for _ in [0] if day == last} | {LAST_WORKDAY for _ in [0] if day == workday}
        of_kind = {0, (day.day - 1) // 7 + 1} | {LAST for _ in [0] if (last - day).days < 7}
        by_day = bool(in_month & self.day.numbers)
        by_weekday = day.isoweekday() % 7 in self.weekday.numbers and self.nth in of_kind
        both = self.day.text.startswith("*") or self.weekday.text.startswith("*")
        return by_day and by_weekday if both else by_day or by_weekday


def expression(rng: Random, near: Sequence[int]) -> Expression:
    """A random expression; every second one names the minute or the hour, or both, of a wall time that is ``near``."""
    wall = rng.choice(near) if near and rng.random() < 0.5 else None
    minute = _field(rng, 0, 59, star=0.05) if wall is None or rng.random() < 0.3 else _one(wall % HOUR)
    hour = _field(rng, 0, 23, star=0.4) if wall is None or rng.random() < 0.3 else _one(wall // HOUR % 24)
    day, month, weekday, nth = _any(1, 31), _any(1, 12), _any(0, 6), 0
    if rng.random() < 0.3:
        day = rng.choice([_field(rng, 1, 31), Field("L", frozenset({LAST})), Field("LW", frozenset({LAST_WORKDAY}))])
    if rng.random() < 0.1 and min(day.numbers) <= 28:  # what no month has, such as 30 February, is refused
        month = _field(rng, 1, 12, names=MONTHS)
    if rng.random() < 0.3:
        weekday = _field(rng, 0, 6, names=WEEKDAYS)
    elif rng.random() < 0.1:
        nth = rng.choice([LAST, 1, 2, 3, 4, 5])
        weekday = _one(rng.randint(0, 6))
    return Expression(minute, hour, day, month, weekday, nth)


def _any(low: int, high: int) -> Field:
    return Field("*", frozenset(range(low, high + 1)))


def _one(number: int) -> Field:
    return Field(str(number), frozenset({number}))


def _field(rng: Random, low: int, high: int, *, star: float = 0.2, names: Sequence[str] = ()) -> Field:
    """A random field of any shape."""
    if rng.random() < star:
        return _any(low, high)
    begin = rng.randint(low, high)
    end, step = rng.randint(begin, high), rng.randint(2, max(2, (high - low) // 2))
    shapes = [
        Field(f"*/{step}", frozenset(range(low, (7 if names is WEEKDAYS else high) + 1, step))),
        Field(f"{begin}", frozenset({begin})),
        Field(f"{end},{begin}", frozenset({begin, end})),
        Field(f"{begin}-{end}", frozenset(range(begin, end + 1))),
        Field(f"{begin}-{end}/{step}", frozenset(range(begin, end + 1, step))),
        Field(f"{low},{begin}-{end}/{step}", frozenset({low, *range(begin, end + 1, step)})),
    ]
    if names:
        shapes.append(Field(names[begin - low], frozenset({begin})))
    made = rng.choice(shapes)
    return Field(made.text, frozenset(number % 7 for number in made.numbers)) if names is WEEKDAYS else made


class Story:
    """What the wall clock of a zone showed in ``[first, last)``: when each time was shown, and at which jump skipped."""

    def __init__(self, zone: str, first: int, last: int) -> None:
        tz, before = ZoneInfo(zone), None
        self.shown: dict[int, list[int]] = {}
        self.skipped: dict[int, int] = {}
        self.wall_at: dict[int, int] = {}
        for at in range(first, last):
            local = datetime.fromtimestamp(at * 60, tz)
            wall = at + local.utcoffset() // MINUTE
            for jumped in range(wall if before is None else before + 1, wall):
                self.skipped[jumped] = at
            self.shown.setdefault(wall, []).append(at)
            self.wall_at[at] = before = wall

    def odd(self) -> list[int]:
        """The wall times that were skipped, or shown more than once."""
        return [*self.skipped, *(wall for wall, times in self.shown.items() if len(times) > 1)]

    def matching(self, wanted: Expression) -> Iterator[int]:
        """Every wall time of the story that an expression matches, shown or skipped."""
        days: dict[int, bool] = {}
        for wall in (*self.shown, *self.skipped):
            if wall % HOUR in wanted.minute.numbers and wall // HOUR % 24 in wanted.hour.numbers:
                day = wall // DAY
                if day not in days:
                    days[day] = wanted.matches_day(EPOCH + timedelta(days=day))
                if days[day]:
                    yield wall

    def ticks(self, wanted: Expression, rule: tuple[str, str] | None) -> set[int]:
        """When an expression ticks."""
        gap, fold = rule or wanted.rule
        found: set[int] = set()
        for wall in self.matching(wanted):
            times = self.shown.get(wall)
            if times is None:
                found |= {self.skipped[wall]} if gap == "after" else set()
            else:
                found |= {"first": {times[0]}, "second": {times[-1]}, "both": {*times}}[fold]
        return found

    def edges(self, wanted: Expression, rule: tuple[str, str] | None) -> set[tuple[int, int, str]]:
        """What clock changes do to an expression: when, to which wall time, and what."""
        gap, fold = rule or wanted.rule
        found: set[tuple[int, int, str]] = set()
        for wall in self.matching(wanted):
            times = self.shown.get(wall, [])
            if not times:
                found.add((self.skipped[wall], wall, "moved" if gap == "after" else "skipped"))
            elif len(times) > 1:
                kept = {"first": times[:1], "second": times[-1:], "both": times}[fold]
                found |= {(at, wall, "doubled" if fold == "both" else fold) for at in kept}
        return found

    def day_of(self, at: int) -> date:
        """The date that the wall clock showed at an instant."""
        return EPOCH + timedelta(days=self.wall_at[at] // DAY)


def owed(
    ticks: Sequence[int], looks: Sequence[int], catchup: str, start: int | None, end: int | None
) -> list[tuple[int, int]]:
    """The intervals that get a run, in order, if somebody looks at a schedule at these moments, first at ``looks[0]``.

    All in milliseconds.
    """
    found: list[tuple[int, int]] = []
    first = start if start is not None and catchup == "all" else looks[0]
    for since, now in pairwise([first, *looks]):
        over = [
            (begin, until)
            for begin, until in pairwise(ticks)
            if since < until <= now and (start is None or start <= begin) and (end is None or begin <= end)
        ]
        on_time = [interval for interval in over if now - interval[1] <= ON_TIME_MS]
        found += {"all": over, "none": on_time, "last": on_time or over[-1:]}[catchup]
    return found
