"""What a schedule does with a new run while an earlier one still goes; see `model.spec.Overlap`."""

from collections.abc import Iterable

from ostinato.model.record import Run

from .live import LiveRun


def may_overlap(live: LiveRun) -> bool:
    """Whether nothing is to be done about a new run: the clock did not make it, or its dag lets runs queue."""
    return live.run.kind != "scheduled" or live.shape.spec.overlap == "queue"


def earlier(run: Run, going: Iterable[LiveRun]) -> list[LiveRun]:
    """The runs of the same schedule that were made earlier, have not ended, and are not being cancelled.

    A clock makes runs in the order of their intervals, `after` in the order in which their intervals are completed:
    what was made later takes the place of what was made earlier, or is not run, whichever interval comes first.
    """
    return [
        live
        for live in going
        if live.run.dag_id == run.dag_id
        and live.run.kind == "scheduled"
        and live.run.run_id < run.run_id
        and not live.cancelling
    ]
