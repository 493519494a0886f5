"""Runs as they stand in history, in few words."""

from ostinato.model.record import Run, run_key
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval


def run(number, start, state=RunState.SUCCESS, *, length=1, version="v1", dag_id="dag", nth=1, began=True):
    """A run for ``length`` instants from ``start`` on, the ``number``-th that was made."""
    started = 5 if began and state is not RunState.QUEUED else None
    ended = 9 if state in FINAL_RUN else None
    interval = DataInterval(start, start + length)
    return Run(number, dag_id, version, run_key(start, nth), "backfill", state, interval, b"", 1, started, ended)
