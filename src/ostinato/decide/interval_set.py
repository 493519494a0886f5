"""A set of instants as sorted, disjoint, half-open ranges, none touching the next: one value has one form."""

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter

from msgspec import Struct

from ostinato.model.time import DataInterval

_end = attrgetter("end")


class IntervalSet(Struct, frozen=True):
    """Stretches of time, as many as there are gaps between them: a year of days without a hole is one range.

    Made by `of`, which takes ranges in any order. ``|``, ``&`` and ``-`` are those of sets.
    """

    ranges: tuple[DataInterval, ...] = ()

    @classmethod
    def of(cls, intervals: Iterable[DataInterval]) -> "IntervalSet":
        """The instants that are in any of the intervals."""
        ranges: list[DataInterval] = []
        for interval in sorted(intervals):
            if ranges and interval.start <= ranges[-1].end:
                if interval.end > ranges[-1].end:
                    ranges[-1] = DataInterval(ranges[-1].start, interval.end)
            else:
                ranges.append(interval)
        return cls(tuple(ranges))

    def __bool__(self) -> bool:
        """Whether there is any instant in it."""
        return bool(self.ranges)

    def __or__(self, other: "IntervalSet") -> "IntervalSet":
        """What is in either."""
        return IntervalSet.of((*self.ranges, *other.ranges))

    def __and__(self, other: "IntervalSet") -> "IntervalSet":
        """What is in both."""
        return IntervalSet(
            tuple(
                DataInterval(max(mine.start, theirs.start), min(mine.end, theirs.end))
                for mine in self.ranges
                for theirs in other.meeting(mine)
            )
        )

    def __sub__(self, other: "IntervalSet") -> "IntervalSet":
        """What is in this and not in the other."""
        left: list[DataInterval] = []
        for mine in self.ranges:
            begin = mine.start
            for theirs in other.meeting(mine):
                if begin < theirs.start:
                    left.append(DataInterval(begin, theirs.start))
                begin = theirs.end
            if begin < mine.end:
                left.append(DataInterval(begin, mine.end))
        return IntervalSet(tuple(left))

    def covers(self, interval: DataInterval) -> bool:
        """Whether every instant of the interval is in it."""
        at = bisect_right(self.ranges, interval.start, key=_end)
        return at < len(self.ranges) and self.ranges[at].start <= interval.start and interval.end <= self.ranges[at].end

    def meets(self, interval: DataInterval) -> bool:
        """Whether any instant of the interval is in it."""
        at = bisect_right(self.ranges, interval.start, key=_end)
        return at < len(self.ranges) and self.ranges[at].start < interval.end

    def meeting(self, interval: DataInterval) -> tuple[DataInterval, ...]:
        """The ranges that have an instant in common with the interval."""
        first = bisect_right(self.ranges, interval.start, key=_end)
        after = first
        while after < len(self.ranges) and self.ranges[after].start < interval.end:
            after += 1
        return self.ranges[first:after]
