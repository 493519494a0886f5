"""R4: the product's schedules beside a brute-force oracle, around the clock changes of all time zones."""

import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from ostinato.decide.tick import edges, latest_tick, next_tick, ticks
from ostinato.decide.timetable import begin, due
from ostinato.model.spec import Calendar, Catchup, Cron, DagSpec, Dst, TaskSpec, Ticking
from ostinato.model.time import Instant

from .schedule_oracle import DAY, EPOCH, HOUR, Expression, Story, expression, owed

MINUTE_MS = 60_000
YEARS = range(1975, 2038)
"""Since 1972 all zones differ from UTC by whole minutes, which is what the oracle steps by."""
AROUND = 30 * HOUR
BEYOND = 25 * HOUR
"""The oracle begins so much earlier and ends so much later: the longest jump of a clock is a day."""
SCAN = 7
TARGET = 1_000_000
RULES = (None, *(Dst(gap, fold) for gap in ("after", "skip") for fold in ("first", "second", "both")))
CATCHUPS: tuple[Catchup, ...] = ("all", "last", "none")
TASKS = (TaskSpec("t"),)


@dataclass
class Tally:
    """What was compared, and what differed."""

    counts: Counter[str] = field(default_factory=Counter)
    zones: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, ours: Sequence[object], theirs: Sequence[object], where: object) -> None:
        """Count what the oracle gives; note what only one of the two has."""
        self.counts[what] += len(theirs)
        if [*ours] != [*theirs]:
            wrong = sorted(map(str, {*ours} ^ {*theirs})) or ["another order"]
            self.differences += [f"{what} {each}: {where}" for each in wrong]


def compared(seed: int, ticks: int, zones: Sequence[str] = ()) -> Tally:
    """Compare until so many ticks were, and every zone was there once; without ``zones`` all that change their offset."""
    rng, tally = Random(seed), Tally()
    changes = {zone: found for zone in zones or sorted(available_timezones()) if (found := [*_changes(zone)])}
    for zone, found in changes.items():
        _around(zone, rng.choice(found), rng, tally)
    names = [*changes]
    while tally.counts["ticks"] < ticks:
        zone = rng.choice(names)
        _around(zone, rng.choice(changes[zone]), rng, tally)
    return tally


def _changes(zone: str) -> Iterator[int]:
    """The hours, in minutes since the epoch, in which the clock of a zone is put forward or back."""
    tz = ZoneInfo(zone)

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at * 60, tz).utcoffset()

    first, last = ((date(year, 1, 1) - EPOCH).days * DAY for year in (YEARS[0], YEARS[-1] + 1))
    was = offset(first)
    for at in range(first, last, SCAN * DAY):
        before, was = was, offset(at + SCAN * DAY)
        if was != before:
            yield next(hour for hour in range(at, at + SCAN * DAY, HOUR) if offset(hour + HOUR) != before)


def _around(zone: str, change: int, rng: Random, tally: Tally) -> None:
    """Some schedules, from more than a day before to more than a day after a clock change."""
    first, last = change - AROUND + rng.randint(0, HOUR), change + AROUND
    story = Story(zone, first - BEYOND, last + BEYOND)
    odd = story.odd()
    near = [wall + by for wall in odd for by in (-1, 0, 0, 0, 1)]
    tally.zones.add(zone)
    tally.counts["clock changes"] += 1
    for _ in range(4):
        expressions = [expression(rng, near) for _ in range(rng.choice([1, 1, 2, 3]))]
        _schedule(zone, expressions, story, (first, last), rng, tally)


def _schedule(
    zone: str, expressions: Sequence[Expression], story: Story, span: tuple[int, int], rng: Random, tally: Tally
) -> None:
    dst = rng.choice(RULES)
    rule = None if dst is None else (dst.gap, dst.fold)
    schedule: Ticking = Cron(expressions[0].text, zone, tuple(each.text for each in expressions[1:]), dst)
    row = set().union(*(story.ticks(each, rule) for each in expressions))
    told = set().union(*(story.edges(each, rule) for each in expressions))
    if rng.random() < 0.3:
        holidays = {story.day_of(rng.randrange(*span)) for _ in range(2)}
        weekday = rng.randint(1, 7)
        schedule = Calendar(schedule, tuple(sorted(holidays)), (weekday,))

        def stays(at: int) -> bool:
            day = story.day_of(at)
            return day not in holidays and day.isoweekday() != weekday

        row, told = {at for at in row if stays(at)}, {edge for edge in told if stays(edge[0])}
    tally.counts["schedules"] += 1
    first, last = (at * MINUTE_MS for at in span)
    whole = sorted(at * MINUTE_MS for at in row)
    inside = whole[bisect_left(whole, first) : bisect_left(whole, last)]
    tally.compare("ticks", [*ticks(schedule, first, last)], inside, schedule)
    theirs = sorted((at * MINUTE_MS, wall * MINUTE_MS, kind) for at, wall, kind in told)
    ours = [(edge.at, edge.wall, edge.kind) for edge in edges(schedule, first, last)]
    tally.compare("ticks at clock changes", ours, [edge for edge in theirs if first <= edge[0] < last], schedule)
    _neighbours(schedule, whole, (first, last), rng, tally)
    _downtime(schedule, whole, rng, tally)


def _neighbours(schedule: Ticking, row: Sequence[Instant], span: tuple[int, int], rng: Random, tally: Tally) -> None:
    """The tick before and the tick after some moments, and after and before some ticks."""
    for at in [rng.randrange(*span), *rng.sample(row, min(2, len(row)))]:
        place = bisect_right(row, at)
        if place < len(row):
            tally.compare("neighbours", [next_tick(schedule, at)], [row[place]], (schedule, at))
        if place:
            tally.compare("neighbours", [latest_tick(schedule, at)], [row[place - 1]], (schedule, at))


def _downtime(schedule: Ticking, row: Sequence[Instant], rng: Random, tally: Tally) -> None:
    """Look at a schedule at some moments only, now and then with a clock that was put back; runs in small portions."""
    if len(row) < 4:
        return
    catchup = rng.choice(CATCHUPS)
    looks = sorted(rng.choice(row) + rng.choice([0, -1, 1, rng.randint(-HOUR, HOUR)]) * MINUTE_MS for _ in range(5))
    looks = [min(max(look, row[1]), row[-1]) for look in looks]
    start = rng.choice([None, rng.choice(row) + rng.choice([0, 1])])
    end = rng.choice([None, rng.choice(row) - rng.choice([0, 1])])
    theirs = owed(row, looks, catchup, start, end)
    spec = DagSpec("d", TASKS, schedule, catchup, start, end)
    since, limit, ours = begin(spec, looks[0]), rng.randint(1, 9), []
    for now in looks:
        while True:
            found, since = due(spec, since, now, limit)
            ours += [(interval.start, interval.end) for interval in found]
            if len(found) < limit:
                break
        nothing, since = due(spec, since, now - rng.randint(0, DAY) * MINUTE_MS, limit)
        ours += nothing
    tally.compare("runs after downtimes", ours, theirs, (spec, looks))


def schedules(seed: int = 1, ticks: int = TARGET) -> dict[str, float]:
    """R4: schedules against a brute-force oracle that steps through time minute by minute; no difference is allowed."""
    began = time.process_time()
    tally = compared(seed, ticks)
    for difference in tally.differences[:20]:
        print(f"  differs: {difference}")
    figures = {what: float(number) for what, number in sorted(tally.counts.items())}
    return {
        **figures,
        "zones": float(len(tally.zones)),
        "differences": float(len(tally.differences)),
        "CPU s": time.process_time() - began,
    }
