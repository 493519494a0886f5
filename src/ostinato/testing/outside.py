"""What a rehearsal takes for granted of intervals that it does not rehearse: they have succeeded."""

from collections.abc import Mapping

from ostinato.decide.after import KnownRuns
from ostinato.decide.need import History
from ostinato.model.errors import NotFound
from ostinato.model.record import Run
from ostinato.model.spec import Schedule
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant


class Outside:
    """A `decide.need.History`. ``inside`` is what was rehearsed so far.

    ``since`` is, for each dag whose schedule is followed, the instant from which it is: what ended before has succeeded.
    Of all other dags everything has.
    """

    def __init__(self, inside: History, since: Mapping[str, Instant]) -> None:
        self._inside = inside
        self._since = since

    def schedule(self, dag_id: str) -> Schedule | None:
        """The schedule of a dag; None for one that is not there."""
        try:
            return self._inside.schedule(dag_id)
        except NotFound:
            return None

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none."""
        return self._inside.first_interval(dag_id)

    def runs(self, dag_id: str, window: DataInterval, task_id: str | None) -> list[Run]:
        """The runs of a dag over a stretch of time, and one that nobody saw for what is taken for granted of it."""
        since = self._since.get(dag_id, window.end)
        granted = [_granted(dag_id, DataInterval(window.start, min(since, window.end)))] if since > window.start else []
        try:
            self._inside.schedule(dag_id)
        except NotFound:
            return granted
        return granted + self._inside.runs(dag_id, window, task_id)


class OutsideRuns:
    """A `decide.after.KnownRuns`. ``inside`` is what was rehearsed so far; ``since`` as in `Outside`."""

    def __init__(self, inside: KnownRuns, since: Mapping[str, Instant]) -> None:
        self._inside = inside
        self._since = since

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag that were rehearsed and whose data interval has a part in ``[first, before)``."""
        return self._inside.runs_over(dag_id, first, before)

    def succeeded_over(self, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
        """For what a dag has succeeded in ``[first, before)``, or is taken to have."""
        until = min(self._since.get(dag_id, before), before)
        granted = [DataInterval(first, until)] if first < until else []
        return granted + self._inside.succeeded_over(dag_id, first, before)

    def succeeded_between(self, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
        """For what a dag has succeeded in ``(after, until]``. One whose schedule is not followed keeps up with the clock."""
        if dag_id in self._since:
            return self._inside.succeeded_between(dag_id, after, until)
        return [DataInterval(after, until)] if after < until else []


def _granted(dag_id: str, interval: DataInterval) -> Run:
    """A run that has succeeded, older than any that is rehearsed: what those come to counts more."""
    return Run(0, dag_id, "", "", "scheduled", RunState.SUCCESS, interval, b"", interval.end, interval.end)
