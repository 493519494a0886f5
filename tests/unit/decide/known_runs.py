"""Runs in memory, for tests of what is decided from those that are known."""

from ostinato.model.record import Run
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant


class KnownRuns:
    """See `ostinato.decide.after.KnownRuns`; of a dag that is not there nothing is known."""

    def __init__(self, runs: list[Run] | None = None) -> None:
        self.runs = [] if runs is None else runs

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag whose data interval has a part in ``[first, before)``."""
        return [
            run
            for run in self.runs
            if run.dag_id == dag_id and run.interval.start < before and run.interval.end > first
        ]

    def succeeded_over(self, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
        """The data intervals of those of them that succeeded."""
        return [run.interval for run in self.runs_over(dag_id, first, before) if run.state is RunState.SUCCESS]

    def succeeded_between(self, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that ended in ``(after, until]``, with success."""
        ended = (run for run in self.runs if run.dag_id == dag_id and after < (run.finished_at or 0) <= until)
        return [run.interval for run in ended if run.state is RunState.SUCCESS]
