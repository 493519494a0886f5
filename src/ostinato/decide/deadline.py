"""When a run must be done. A deadline is a promise of the calendar: it stands whether or not a run was ever made."""

from ostinato.model.record import Expectation
from ostinato.model.spec import Cron, Deadline
from ostinato.model.time import DataInterval, Instant

from .tick import next_tick


def due_at(deadline: Deadline, interval: DataInterval) -> Instant:
    """The first ``HH:MM`` local time at or after the interval's end.

    It is found as cron would find it: a time that the clock skips is due right after the gap, one that it shows twice
    the first time. Raises ScheduleInvalid for a time or zone that is none.
    """
    hour, _, minute = deadline.at.partition(":")
    due = next_tick(Cron(f"{minute} {hour} * * *", deadline.tz), interval.end - 1)
    assert due is not None, "a cron goes on for ever"
    return due


def missed(expectation: Expectation, now: Instant) -> bool:
    """Whether an expectation that nothing has met is past its due time. Done on the dot is done in time."""
    return expectation.state == "expected" and now > expectation.due_at
