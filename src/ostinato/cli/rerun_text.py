"""What commands say about a run that takes over from another: what runs again, what does not."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ostinato.control.hint import hint
from ostinato.control.rerun import Planned
from ostinato.home import Home
from ostinato.model.record import UNMAPPED, Run, instance_name
from ostinato.view.documents.runs import CarriedDocument, RerunDocument
from ostinato.view.reading import run_document

from .terminal import Ink, next_step, out, out_json
from .trigger import awaited, exit_code, tell_end

if TYPE_CHECKING:
    from ostinato.store import Store

_SHOWN = 30


class Asked(NamedTuple):
    """How somebody wants to be told."""

    wait: bool
    timeout: float | None
    as_json: bool


def tell_plan(planned: Planned, *, as_json: bool) -> int:
    """What would run again."""
    document = _document(planned, None)
    if as_json:
        out_json(document)
        return 0
    run, ink = planned.earlier.run, Ink()
    out(f"{_counted(document)} of run {run.run_id} of {run.dag_id} would run again")
    _list([ink(name, "bold") for name in document.again])
    if document.carried:
        told = Counter(each.cause for each in document.carried)
        out("taken over: " + ", ".join(f"{count:,} {cause}" for cause, count in told.most_common()))
        _list([f"{each.task}  {ink.state(each.state)}  {each.cause}" for each in document.carried])
    return 0


def tell_rerun(store: "Store", home: Home, planned: Planned, created: Run, asked: Asked) -> int:
    """What runs again; wait for it if that is asked for."""
    hint(home)
    run = awaited(store, home, created, asked.timeout, as_json=asked.as_json) if asked.wait else created
    document = _document(planned, run)
    if asked.as_json:
        out_json(document)
    else:
        out(f"run {created.run_id} goes on from run {document.based_on}: {_counted(document)} run again")
        if asked.wait:
            tell_end(store, run)
        else:
            next_step(f"ostinato show {created.run_id}")
    return exit_code(run) if asked.wait else 0


def _document(planned: Planned, run: Run | None) -> RerunDocument:
    earlier, spec = planned.earlier, planned.earlier.shape.spec
    unfolded = {scope_no for scope_no, _ in planned.plan.scopes}
    return RerunDocument(
        run=None if run is None else run_document(run, spec),
        based_on=earlier.run.run_id,
        version=earlier.shape.compiled.version,
        again=earlier.named(planned.plan.again),
        carried=[
            CarriedDocument(
                task=instance_name(spec, each.task_no, each.map_index), state=each.becomes, cause=each.cause
            )
            for each in planned.plan.carried
            if each.map_index != UNMAPPED or spec.tasks[each.task_no].scope not in unfolded
        ],
    )


def _counted(document: RerunDocument) -> str:
    again, every = len(document.again), len(document.again) + len(document.carried)
    return f"{again:,} of {every:,} tasks"


def _list(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        out(f"  {line}")
    if len(lines) > _SHOWN:
        out(f"  and {len(lines) - _SHOWN:,} more; --json lists them all")
