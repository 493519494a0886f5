"""A part of a run that is over is run again: as a new run of the same interval, which takes over all the rest.

The run that was stays as it is. The new one gets its parameters, and its version of the dag or the newest one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ostinato.authoring.params import fill
from ostinato.decide.rerun import Rerun, rerun
from ostinato.model.cause import Cause
from ostinato.model.change import NewRun
from ostinato.model.errors import Conflict
from ostinato.model.record import Instance, Run
from ostinato.model.state import FINAL_RUN
from ostinato.model.time import Instant
from ostinato.model.value import decode, encode
from ostinato.store import Store

from .next_run import create_next, newest_for
from .seen import Seen, seen


class NothingToRun(Conflict):
    """Nothing of a run is to be run again: all of it ended well, or the selection is empty."""

    code = "OST-262"


class RunGoesOn(Conflict):
    """A run that has not ended cannot be run again."""

    code = "OST-263"


class HistoryForgotten(Conflict):
    """The history of a run was pruned, so it is not known any more which parts of it there were."""

    code = "OST-269"


class IntervalBusy(Conflict):
    """Another run of the same interval has not ended. Two at once would write the same partitions."""

    code = "OST-266"


class Planned(Struct, frozen=True):
    """What would run again of an earlier run, seen from the dag version that it would run with; and the parameters."""

    earlier: Seen
    plan: Rerun
    params: bytes


def plan_rerun(store: Store, run: Run, selectors: Sequence[str] | None, *, newest: bool = False) -> Planned:
    """Plan to run again what ``selectors`` mean, with what goes with it and what failed; None: everything.

    Raises RunGoesOn, HistoryForgotten, NothingToRun, and what `decide.select.select` raises; UsageError if the recorded
    parameters do not fit the ``newest`` version.
    """
    earlier = _over(store, run, newest=newest)
    selected = earlier.reach.everything() if selectors is None else earlier.chosen(selectors)
    planned = _planned(earlier, rerun(earlier.shape, earlier.past, selected))
    if not planned.plan.again:
        raise NothingToRun(
            f"nothing of run {run.run_id} would run again",
            help="Choose a part with --select, or leave all options out.",
        )
    return planned


def plan_marks(store: Store, run: Run, marked: Mapping[Instance, Cause]) -> Planned:
    """Plan a run in which task instances of one that is over end otherwise.

    Raises RunGoesOn, HistoryForgotten and NotMarkable.
    """
    earlier = _over(store, run, newest=False)
    return _planned(earlier, rerun(earlier.shape, earlier.past, (), marked))


def create_rerun(store: Store, planned: Planned, by: str, now: Instant) -> Run:
    """Make the run that was planned. Raises IntervalBusy."""
    old = planned.earlier.run
    other = newest_for(store, old.dag_id, old.interval.start)
    if other is not None and other.state not in FINAL_RUN:
        raise IntervalBusy(
            f"run {other.run_id} of {other.dag_id} is for the same interval and is {other.state}",
            help=f"Wait for it, or stop it: `ostinato cancel {other.run_id}`.",
        )
    return create_next(
        store,
        NewRun(
            dag_id=old.dag_id,
            version=planned.earlier.shape.compiled.version,
            run_key="",
            kind="manual",
            start=old.interval.start,
            end=old.interval.end,
            params=planned.params,
            at=now,
            by=by,
            based_on=old.run_id,
            carried=planned.plan.carried,
            scopes=planned.plan.scopes,
        ),
    )


def _over(store: Store, run: Run, *, newest: bool) -> Seen:
    if run.state not in FINAL_RUN:
        help = f"Wait for it, or stop it: `ostinato cancel {run.run_id}`."
        raise RunGoesOn(f"run {run.run_id} of {run.dag_id} is {run.state}", help=help)
    if store.is_pruned(run.run_id):
        help = "Run its interval again as a whole: `ostinato backfill` with --reprocess all, or `ostinato run`."
        raise HistoryForgotten(f"the history of run {run.run_id} of {run.dag_id} was pruned", help=help)
    return seen(store, run, store.dag(run.dag_id).version if newest else None)


def _planned(earlier: Seen, plan: Rerun) -> Planned:
    compiled, run = earlier.shape.compiled, earlier.run
    params = run.params
    if compiled.version != run.version:
        recorded: dict[str, Any] = decode(params) or {}
        known = {param.name for param in compiled.spec.params}
        given = {name: value for name, value in recorded.items() if name in known}
        params = encode(fill(compiled.spec.params, given))
    return Planned(earlier, plan, params)
