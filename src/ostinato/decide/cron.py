"""When cron expressions tick, in their time zone, by the chosen rule for clock changes.

Where a clock is put forward it skips wall times (a gap); where it is put back it shows some twice (a fold). A rule says
for each what a time that an expression names does there: `model.spec.Dst`. Without a choice it is what Debian's cron
does:

- An expression whose minute and hour are both named (neither begins with ``*``) ticks once for each wall time it names:
  one that falls into a gap ticks right after it, one that a fold shows twice ticks the first time.
- Every other expression ticks at each real minute at which the wall clock shows a time that matches: nothing in a gap,
  twice in a fold.

Ticks are found zone segment by zone segment, because cronsim's own walk misses repeated half hours (Lord Howe Island).
"""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby, pairwise
from typing import Final, Literal

from msgspec import Struct

from ostinato.model.spec import Cron, Dst
from ostinato.model.time import Instant

from .expression import Expression, parsed
from .zone import Segment, segments

_LONGEST_JUMP: Final = 86_400_000
"""No clock was ever put back by more: whoever looks back so far knows of every wall time whether it shows again."""
_NAMED_TIME: Final = Dst("after", "first")
_REAL_MINUTES: Final = Dst("skip", "both")


class Edge(Struct, frozen=True, order=True):
    """What a clock change does to the wall time ``wall`` (milliseconds) that an expression matches.

    ``moved``: the clock skips it, the tick is ``at`` the end of the gap. ``skipped``: the clock skips it ``at``, and it
    does not tick. ``doubled``: it is shown twice and ticks both times, once ``at``. ``first``, ``second``: it is shown
    twice and ticks ``at`` that time only.
    """

    at: Instant
    wall: int
    kind: Literal["moved", "skipped", "doubled", "first", "second"]


def cron_ticks(cron: Cron, first: Instant, last: Instant) -> Iterator[Instant]:
    """The ticks in ``[first, last)``, ascending, each once, made as they are asked for.

    Raises ScheduleInvalid for an expression or a time zone that is none.
    """
    rows = [_walk(expression, cron.tz, dst, first, last) for expression, dst in _rules(cron)]
    return rows[0] if len(rows) == 1 else (tick for tick, _ in groupby(merge(*rows)))


def cron_edges(cron: Cron, first: Instant, last: Instant) -> Iterator[Edge]:
    """What the clock changes around ``[first, last)`` do to ticks, in order of time."""
    around = segments(cron.tz, first - _LONGEST_JUMP, last + _LONGEST_JUMP)
    for before, after in pairwise(around):
        found = [edge for expression, dst in _rules(cron) for edge in _edges(expression, dst, before, after)]
        yield from sorted({edge for edge in found if first <= edge.at < last})


def _rules(cron: Cron) -> list[tuple[Expression, Dst]]:
    expressions = [parsed(text) for text in (cron.expression, *cron.also)]
    return [(each, cron.dst or (_NAMED_TIME if each.named_time else _REAL_MINUTES)) for each in expressions]


def _walk(expression: Expression, tz: str, dst: Dst, first: Instant, last: Instant) -> Iterator[Instant]:
    """``shown`` is the wall time up to which the clock has shown or skipped everything once; it never goes back."""
    shown: int | None = None
    for segment in segments(tz, first - _LONGEST_JUMP, last):
        start, end = segment.start + segment.offset, segment.end + segment.offset
        begin, until = max(start, first + segment.offset), min(end, last + segment.offset)
        shown = start if shown is None else shown
        if dst.gap == "after" and segment.start >= first and any(expression.wall_ticks(shown, start)):
            yield segment.start
            begin = max(begin, start + 1)
        if dst.fold == "first":
            begin = max(begin, shown)
        elif dst.fold == "second":
            until = min(until, _shown_again(tz, segment))
        for wall in expression.wall_ticks(begin, until):
            yield wall - segment.offset
        shown = max(shown, end)


def _shown_again(tz: str, segment: Segment) -> int:
    """The wall time from which on the clock shows again what it shows in a segment; the segment's end if nothing."""
    later = segments(tz, segment.end, segment.end + _LONGEST_JUMP)
    return min((each.start + each.offset for each in later), default=segment.end + segment.offset)


def _edges(expression: Expression, dst: Dst, before: Segment, after: Segment) -> Iterator[Edge]:
    """What one change of the clock does. Where it is put forward the second range is empty, else the first."""
    ends, begins = before.end + before.offset, after.start + after.offset
    for wall in expression.wall_ticks(ends, begins):
        yield Edge(after.start, wall, "moved" if dst.gap == "after" else "skipped")
    for wall in expression.wall_ticks(begins, ends):
        if dst.fold != "second":
            yield Edge(wall - before.offset, wall, "first" if dst.fold == "first" else "doubled")
        if dst.fold != "first":
            yield Edge(wall - after.offset, wall, "second" if dst.fold == "second" else "doubled")
