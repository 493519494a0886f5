"""Cron against an oracle that steps through real time minute by minute and knows nothing of segments or of cronsim."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, example, given, reject
from hypothesis.strategies import composite, integers, lists, sampled_from, text

from ostinato.decide.tick import latest_tick, next_tick, ticks
from ostinato.decide.zone import ScheduleInvalid, segments
from ostinato.model.spec import Cron
from ostinato.model.time import Instant, instant, moment, stamp

MINUTE = 60_000
DAY = 86_400_000
HARD_ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/Sao_Paulo",  # midnight did not exist
    "America/Havana",  # midnight came twice
    "Asia/Kathmandu",
    "Africa/Casablanca",  # four changes a year
    "Pacific/Apia",  # 30 December 2011 did not exist
    "Antarctica/Troll",  # clocks move by two hours
    "Europe/Dublin",
    "America/St_Johns",  # changed at one minute past midnight
    "Asia/Pyongyang",
    "UTC",
]
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
NAMES = {
    "month": dict(
        zip(
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
            range(1, 13),
            strict=True,
        )
    ),
    "weekday": dict(zip(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], range(7), strict=True)),
}


class Oracle:
    """The five fields as sets of numbers, and the rule for clock changes, told as a story of minutes that pass."""

    def __init__(self, expression: str) -> None:
        parts = expression.split()
        self.sets = {name: expand(part, name) for name, part in zip(RANGES, parts, strict=True)}
        self.sets["weekday"] |= {0} if 7 in self.sets["weekday"] else set()
        self.both_days = parts[2].startswith("*") or parts[4].startswith("*")
        self.named_time = not parts[0].startswith("*") and not parts[1].startswith("*")

    def matches(self, wall: datetime) -> bool:
        if wall.minute not in self.sets["minute"] or wall.hour not in self.sets["hour"]:
            return False
        if wall.month not in self.sets["month"]:
            return False
        day, weekday = wall.day in self.sets["day"], wall.isoweekday() % 7 in self.sets["weekday"]
        return (day and weekday) if self.both_days else (day or weekday)

    def ticks(self, zone: str, first: Instant, last: Instant) -> list[Instant]:
        """Walk from a day before ``first``, so that the memory of what the clock has shown is complete."""
        tz, at = ZoneInfo(zone), first - DAY
        shown = moment(at - MINUTE).astimezone(tz).replace(tzinfo=None)
        found = []
        while at < last:
            wall = moment(at).astimezone(tz).replace(tzinfo=None)
            fresh, shown = minutes_between(shown, wall), max(shown, wall)
            hit = any(map(self.matches, fresh)) if self.named_time else self.matches(wall)
            if hit and at >= first:
                found.append(at)
            at += MINUTE
        return found


def minutes_between(shown: datetime, wall: datetime) -> Iterator[datetime]:
    """The wall minutes after ``shown`` up to ``wall``: one as a rule, many after a gap, none in an overlap."""
    while shown < wall:
        shown += timedelta(minutes=1)
        yield shown


def expand(part: str, name: str) -> set[int]:
    low, high = RANGES[name]
    found: set[int] = set()
    for term in part.split(","):
        span, _, step = term.partition("/")
        if span == "*":
            begin, end = low, high
        else:
            begin_text, _, end_text = span.partition("-")
            begin = number(begin_text, name)
            end = number(end_text, name) if end_text else (high if step else begin)
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def number(written: str, name: str) -> int:
    return NAMES.get(name, {}).get(written.upper(), -1) if written.isalpha() else int(written)


@composite
def fields(draw, name: str) -> str:
    low, high = RANGES[name]
    begin = draw(integers(low, high))
    end = draw(integers(begin, high))
    step = draw(integers(1, high))
    shapes = [
        "*",
        f"*/{step}",
        f"{begin}",
        f"{begin},{end}",
        f"{begin}-{end}",
        f"{begin}-{end}/{step}",
        f"{begin}/{step}",
    ]
    if name in NAMES:
        shapes.append(draw(sampled_from(sorted(NAMES[name]))))
    return draw(sampled_from(shapes))


@composite
def expressions(draw) -> str:
    """Times of every shape; days mostly open, so that something ticks in a short window."""
    dates = draw(sampled_from([True, False, False]))
    days = [draw(fields(name)) for name in ("day", "month", "weekday")] if dates else ["*", "*", "*"]
    text = " ".join([draw(fields("minute")), draw(fields("hour")), *days])
    assume(_has_date(text))
    return text


def _has_date(expression: str) -> bool:
    """What no month has, such as 31 April, is refused, while the oracle just never ticks."""
    try:
        list(ticks(Cron(expression, "UTC"), 0, 1))
    except ScheduleInvalid as error:
        return "Bad day-of-month" not in str(error)
    return True


@composite
def windows(draw, zones: list[str]) -> tuple[str, Instant]:
    """A zone and an instant, mostly close before a change of its clock."""
    zone = draw(sampled_from(zones))
    year = draw(integers(1975, 2036))
    begin = instant(datetime(year, 1, 1, tzinfo=UTC))
    changes = [segment.end for segment in segments(zone, begin, begin + 364 * DAY)]
    anchor = draw(sampled_from([*changes, begin + draw(integers(0, 363)) * DAY]))
    return zone, anchor // MINUTE * MINUTE - draw(integers(0, 22 * 60)) * MINUTE


@given(expressions(), windows(HARD_ZONES))
def test_ticks_are_those_of_the_oracle_where_clocks_do_odd_things(expression, window):
    zone, begin = window
    assert list(ticks(Cron(expression, zone), begin, begin + DAY)) == Oracle(expression).ticks(zone, begin, begin + DAY)


@given(expressions(), windows(ZONES))
def test_ticks_are_those_of_the_oracle_in_every_zone(expression, window):
    zone, begin = window
    assert list(ticks(Cron(expression, zone), begin, begin + DAY)) == Oracle(expression).ticks(zone, begin, begin + DAY)


@given(sampled_from(["L * *", "LW * *", "* * MON#2", "* * 5L", "15 * FRI", "*/3 * 1-5", "1,L 2 *", "29 2 *"]))
def test_the_richer_day_fields_mean_what_cronsim_says(days):
    expression, begin = f"30 4 {days}", datetime(2023, 1, 1, tzinfo=UTC)
    theirs = [instant(tick) for tick in islice(CronSim(expression, begin), 12)]
    assert list(ticks(Cron(expression, "UTC"), instant(begin), theirs[-1] + 1)) == theirs


@given(expressions(), windows(HARD_ZONES), integers(0, DAY))
def test_next_and_latest_tick_are_neighbours_in_the_row_of_ticks(expression, window, within):
    (zone, begin), cron = window, Cron(expression, window[0])
    row = list(ticks(cron, begin, begin + 2 * DAY))
    at = begin + within
    later = [tick for tick in row if tick > at]
    earlier = [tick for tick in row if tick <= at]
    assume(later or earlier)
    if later:
        assert next_tick(Cron(expression, zone), at) == later[0]
    if earlier:
        assert latest_tick(Cron(expression, zone), at) == earlier[-1]


@given(expressions(), windows(HARD_ZONES))
def test_looking_back_from_the_next_tick_finds_it_again(expression, window):
    zone, at = window
    cron = Cron(expression, zone)
    try:
        tick = next_tick(cron, at)
    except ScheduleInvalid:
        reject()
    assert tick > at
    assert latest_tick(cron, tick) == tick
    assert latest_tick(cron, tick - 1) <= at


@pytest.mark.parametrize(
    ("expression", "zone", "begin", "expected"),
    [
        # Berlin, 30 March 2025: 02:00 becomes 03:00
        ("30 2 * * *", "Europe/Berlin", "2025-03-30T00:00", ["2025-03-30T01:00:00Z"]),
        ("0,30 2 * * *", "Europe/Berlin", "2025-03-30T00:00", ["2025-03-30T01:00:00Z"]),
        ("0 2,3 * * *", "Europe/Berlin", "2025-03-30T00:00", ["2025-03-30T01:00:00Z"]),
        ("0 */2 * * *", "Europe/Berlin", "2025-03-29T22:30", ["2025-03-29T23:00:00Z", "2025-03-30T02:00:00Z"]),
        # Berlin, 26 October 2025: 03:00 becomes 02:00
        ("30 2 * * *", "Europe/Berlin", "2025-10-26T00:00", ["2025-10-26T00:30:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2025-10-26T00:00", ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"]),
        # Lord Howe, 6 April 2025: 02:00 becomes 01:30, so that 01:30 to 02:00 comes twice
        ("45 1 * * *", "Australia/Lord_Howe", "2025-04-05T14:00", ["2025-04-05T14:45:00Z"]),
        ("45 * * * *", "Australia/Lord_Howe", "2025-04-05T14:30", ["2025-04-05T14:45:00Z", "2025-04-05T15:15:00Z"]),
        ("*/20 1 * * *", "Australia/Lord_Howe", "2025-04-05T14:30", ["2025-04-05T14:40:00Z", "2025-04-05T15:10:00Z"]),
        ("0 2 * * *", "Australia/Lord_Howe", "2025-04-05T14:00", ["2025-04-05T15:30:00Z"]),
        # Samoa went from the 29th straight to the 31st
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-30T00:00", ["2011-12-30T10:00:00Z"]),
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00", ["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]),
        # São Paulo, 4 November 2018: midnight did not exist
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-04T00:00", ["2018-11-04T03:00:00Z"]),
        ("0 6 * * *", "UTC", "2025-03-30T00:00", ["2025-03-30T06:00:00Z"]),
    ],
)
def test_known_days_tick_as_documented(expression, zone, begin, expected):
    first = instant(datetime.fromisoformat(begin + "+00:00"))
    row = ticks(Cron(expression, zone), first, first + DAY)
    assert [stamp(tick) for tick in islice(row, len(expected))] == expected


@pytest.mark.parametrize("expression", ["30 6 * * *", "30 * * * *"])
def test_a_window_has_its_first_instant_and_not_its_last(expression):
    cron, tick = Cron(expression, "Europe/Berlin"), instant(datetime(2025, 5, 2, 4, 30, tzinfo=UTC))
    assert list(ticks(cron, tick, tick + 1)) == [tick]
    assert list(ticks(cron, tick - 1, tick)) == []
    assert list(ticks(cron, tick + 1, tick + MINUTE)) == []


def test_a_day_of_twenty_five_hours_has_twenty_five_hourly_ticks_and_one_daily():
    begin, end = (instant(datetime(2025, 10, day, 22 + (day > 25), tzinfo=UTC)) for day in (25, 26))
    assert len(list(ticks(Cron("0 * * * *", "Europe/Berlin"), begin, end))) == 25
    assert len(list(ticks(Cron("30 2 * * *", "Europe/Berlin"), begin, end))) == 1


def test_a_leap_day_on_a_monday_is_found_decades_ahead_and_back():
    cron = Cron("0 0 29 2 */7", "UTC")  # a leap day that is also a Sunday
    at = instant(datetime(2093, 1, 1, tzinfo=UTC))
    assert stamp(next_tick(cron, at)) == "2128-02-29T00:00:00Z"
    assert stamp(latest_tick(cron, at)) == "2088-02-29T00:00:00Z"


@pytest.mark.parametrize("find", [next_tick, latest_tick])
def test_an_expression_that_never_ticks_is_refused_and_not_searched_for_ever(find):
    with pytest.raises(ScheduleInvalid, match="does not tick within 50 years"):
        find(Cron("0 0 */31 2 MON#5", "UTC"), instant(datetime(2025, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize("year", [1, 2, 9_998, 9_999])
def test_at_the_ends_of_the_calendar_ticks_just_end(year):
    begin = instant(datetime(year, 1, 1, tzinfo=UTC))
    found = list(ticks(Cron("0 0 1 * *", "Europe/Berlin"), begin - 400 * DAY, begin + 400 * DAY))
    assert 1 <= len(found) <= 26
    assert found == sorted(set(found))


@pytest.mark.parametrize("at", [-(10**14), 10**15])
def test_beyond_the_calendar_nothing_ticks(at):
    with pytest.raises(ScheduleInvalid):
        next_tick(Cron("* * * * *", "UTC"), at)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("0 0 6 * * *", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("60 * * * *", "Bad minute"),
        ("* 24 * * *", "Bad hour"),
        ("* * 0 * *", "Bad day-of-month"),
        ("* * * * FRI-MON", "Bad day-of-week"),
        ("0 0 30 2 *", "Bad day-of-month"),
    ],
)
def test_an_expression_that_is_none_is_refused_with_its_fault(expression, says):
    with pytest.raises(ScheduleInvalid, match=says) as refusal:
        next_tick(Cron(expression, "UTC"), 0)
    assert refusal.value.code == "OST-203"
    assert refusal.value.help


@given(lists(text("0123456789*/-,#LWMONFRI ", max_size=8), min_size=5, max_size=5).map(" ".join))
@example("*/0 * * * *")
@example("* * L/2 * *")
@example("* * * * MONL")
@example("* * * * 1#6")
def test_whatever_is_written_gives_ticks_or_a_clear_refusal(expression):
    begin = instant(datetime(2025, 1, 1, tzinfo=UTC))
    try:
        found = list(islice(ticks(Cron(expression, "UTC"), begin, begin + 40 * DAY), 50))
    except ScheduleInvalid:
        return
    assert found == sorted(set(found))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe/", "\0"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(ScheduleInvalid, match="there is no time zone"):
        next_tick(Cron("0 6 * * *", zone), 0)
