"""Sets of time are sets: the laws, against sets of whole numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis.strategies import builds, integers, lists

from ostinato.decide.interval_set import IntervalSet
from ostinato.model.time import DataInterval

intervals = builds(lambda start, length: DataInterval(start, start + length), integers(-30, 30), integers(1, 9))
many = lists(intervals, max_size=12)


def naive(ranges):
    return {at for each in ranges for at in range(each.start, each.end)}


def instants(made):
    return naive(made.ranges)


@given(many)
def test_it_holds_what_it_is_made_of_in_one_form(given_ranges):
    made = IntervalSet.of(given_ranges)
    assert instants(made) == naive(given_ranges)
    assert all(one.end < next_one.start for one, next_one in pairwise(made.ranges))
    assert made == IntervalSet.of(reversed(given_ranges)) == IntervalSet.of(made.ranges)
    assert bool(made) == bool(given_ranges)


@given(many, many)
def test_its_operations_are_those_of_sets(one, other):
    mine, theirs = IntervalSet.of(one), IntervalSet.of(other)
    for made, wanted in (
        (mine | theirs, naive(one) | naive(other)),
        (mine & theirs, naive(one) & naive(other)),
        (mine - theirs, naive(one) - naive(other)),
    ):
        assert instants(made) == wanted
        assert made == IntervalSet.of(made.ranges)


@given(many, intervals)
def test_it_says_whether_all_or_any_of_an_interval_is_in_it(ranges, interval):
    made, asked = IntervalSet.of(ranges), naive([interval])
    assert made.covers(interval) == (asked <= naive(ranges))
    assert made.meets(interval) == bool(asked & naive(ranges))


def test_a_year_of_days_is_one_range():
    days = [DataInterval(day, day + 1) for day in range(365)]
    assert IntervalSet.of(days).ranges == (DataInterval(0, 365),)
