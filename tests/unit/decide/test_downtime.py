"""Whatever the times at which a scheduler is up, down, or a dag paused: what the policy says is made, nothing twice."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, composite, integers, lists, none, one_of, sampled_from
from msgspec import structs

from ostinato.decide import agenda as agenda_module
from ostinato.decide.agenda import Agenda
from ostinato.decide.tick import ticks
from ostinato.decide.timetable import ON_TIME_MS, begin
from ostinato.model.change import Commit
from ostinato.model.record import Dag
from ostinato.model.spec import Calendar, Catchup, Cron, DagSpec, Every, Moments, TaskSpec, Ticking
from ostinato.model.time import DataInterval, Instant, instant
from tests.unit.decide.known_runs import KnownRuns

HOUR, DAY = 3_600_000, 86_400_000
MONDAY = instant(datetime(2025, 10, 20, tzinfo=UTC))
"""Six days before clocks are put back in Berlin, and two weeks in New York."""
SCHEDULES: tuple[Ticking, ...] = (
    Every(3_600, 900),
    Every(45),
    Cron("30 2 * * *", "Europe/Berlin", ("0 */3 * * *",)),
    Cron("*/15 1-2 * * *", "Australia/Lord_Howe"),
    Calendar(Cron("0 6 * * *", "America/New_York"), dates=(date(2025, 10, 22),), weekdays=(6, 7)),
    Moments(tuple(MONDAY + hours * HOUR for hours in (-5, 0, 24, 25, 96, 300)), "UTC"),
)


class Life:
    """An installation with one dag: a scheduler that comes and goes, and a store that stays."""

    def __init__(self, spec: DagSpec, now: Instant) -> None:
        self.spec = spec
        self.dag = Dag(spec.dag_id, "v1", "d.py")
        self.made: list[DataInterval] = []
        self.cursors: list[Instant] = []
        self.agenda: Agenda | None = None
        self.rise(now)

    def rise(self, now: Instant) -> None:
        """A scheduler starts; all it knows is what is stored."""
        self.agenda = Agenda()
        self._plan(now)
        self.look(now)

    def look(self, now: Instant) -> None:
        """The scheduler looks, and goes on looking while there is more to do now."""
        assert self.agenda is not None
        while True:
            commit = Commit()
            self.agenda.tick(now, commit, KnownRuns(), lambda _dag: False)
            self.made += [DataInterval(new.start, new.end) for new in commit.new_runs]
            self.cursors += [cursor.until for cursor in commit.cursors]
            for until in self.cursors[-1:]:
                self.dag = structs.replace(self.dag, scheduled_until=until)
            due = self.agenda.next_due()
            if due is None or due > now:
                return

    def live(self, now: Instant, until: Instant, late: int) -> None:
        """The scheduler is up for a while, and looks ``late`` whenever something is due."""
        assert self.agenda is not None
        while (due := self.agenda.next_due()) is not None and due + late <= until:
            self.look(max(now, due + late))
        self.look(until)

    def pause(self, now: Instant) -> None:
        """Pause the schedule, or let it go on."""
        self.dag = structs.replace(self.dag, paused=not self.dag.paused)
        self._plan(now)
        self.look(now)

    def _plan(self, now: Instant) -> None:
        assert self.agenda is not None
        self.agenda.replan([self.dag], lambda _version: self.spec, now)


def intervals(spec: DagSpec, last: Instant) -> Iterator[DataInterval]:
    """The intervals of a schedule that its dag wants, from long before the story."""
    assert isinstance(spec.schedule, Ticking)
    for start, end in pairwise(ticks(spec.schedule, MONDAY - 30 * DAY, last + 30 * DAY)):
        if (spec.start is None or spec.start <= start) and (spec.end is None or start <= spec.end):
            yield DataInterval(start, end)


def owed(passed: Sequence[DataInterval], catchup: Catchup, now: Instant) -> Sequence[DataInterval]:
    """Of the intervals that passed while nobody looked, those that are made when somebody does."""
    on_time = [interval for interval in passed if now - interval.end <= ON_TIME_MS]
    return {"all": passed, "none": on_time, "last": on_time or passed[-1:]}[catchup]


@composite
def dags(draw) -> DagSpec:
    bounds = one_of(none(), integers(MONDAY - 2 * DAY, MONDAY + 8 * DAY))
    start, end = draw(bounds), draw(bounds)
    return DagSpec("d", (TaskSpec("t"),), draw(sampled_from(SCHEDULES)), draw(sampled_from(CATCHUPS)), start, end)


CATCHUPS: tuple[Catchup, ...] = ("all", "last", "none")
spans = lists(integers(1, 2 * DAY), min_size=1, max_size=8)


@settings(max_examples=150)
@given(dags(), spans, integers(0, 1_000), booleans())
def test_up_down_up_every_interval_is_made_as_the_policy_says_and_none_twice(spec, spans, late, by_pause) -> None:
    now = MONDAY
    life = Life(spec, now)
    first = begin(spec, now)
    wanted = list(owed([each for each in intervals(spec, now) if first < each.end <= now], spec.catchup, now))
    for number, span in enumerate(spans):
        before, now = now, now + span
        passed = [each for each in intervals(spec, now) if before < each.end <= now and each.end > first]
        if number % 2 == 0:
            life.live(before, now, late)
            wanted += passed
        else:
            if by_pause:
                life.pause(before)
                life.look(now)
                life.pause(now)
            else:
                life.rise(now)
            wanted += owed(passed, spec.catchup, now)
    assert life.made == wanted
    assert all(each.start < each.end for each in life.made)
    assert all(one.end <= other.start for one, other in pairwise(life.made))


@given(dags(), lists(integers(-DAY, 2 * DAY), min_size=1, max_size=12), booleans())
def test_whatever_the_clock_does_nothing_is_made_twice_or_before_it_is_over(spec, steps, restarts) -> None:
    now = MONDAY
    life = Life(spec, now)
    for step in steps:
        now += step
        count = len(life.made)
        life.rise(now) if restarts else life.look(now)
        assert all(each.end <= now for each in life.made[count:])
    assert len(set(life.made)) == len(life.made)
    assert life.made == sorted(life.made, key=lambda each: each.start)
    assert life.cursors == sorted(life.cursors)


@given(sampled_from(SCHEDULES), spans)
def test_however_small_the_portions_the_same_is_made(schedule, spans) -> None:
    def story(portion: int) -> list[DataInterval]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agenda_module, "MAX_RUNS_PER_TICK", portion)
            life, now = Life(DagSpec("d", (TaskSpec("t"),), schedule, "all", MONDAY - DAY // 4), MONDAY), MONDAY
            for span in spans[:3]:
                now += span // 8
                life.look(now)
            return life.made

    assert story(7) == story(10_000)


@given(integers(1, 10_000), integers(0, 9_999), integers(-(10**9), 10**9), integers(0, 10**6))
def test_a_fixed_interval_ticks_at_its_offset_and_every_length_from_there(seconds, offset, first, length) -> None:
    offset %= seconds
    last = first + length
    brute = [at for at in range(-(-first // 1000) * 1000, last, 1000) if (at // 1000 - offset) % seconds == 0]
    assert list(ticks(Every(seconds, offset), first, last)) == brute
