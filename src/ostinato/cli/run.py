"""``ostinato run``: one run of a dag, from its file, in the foreground. Needs no server; leaves the run in the state."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.compile import compile_file
from ostinato.control.hint import hint
from ostinato.home import Home
from ostinato.model.errors import DagFileInvalid, NotFound, UsageError
from ostinato.model.record import Run
from ostinato.view.documents.runs import OneRunDocument
from ostinato.view.reading import run_document

from .dag_files import dag_file
from .errors import did_you_mean
from .problems import shown_path
from .session import state
from .terminal import out_json, say
from .trigger import RunDate, exit_code, tell_end
from .words import AsJson, Params, Slots, declaration

if TYPE_CHECKING:
    from ostinato.control.compilation import Compilation
    from ostinato.model.spec import CompiledDag, DagSpec
    from ostinato.store import Store

    from .waiting import Wait
    from .watch import View

app = declaration()

_LEAVE_MS = 10_000
"""How long a cancelled run has to end before the command leaves."""


@app.command(
    epilog="ostinato run hello.py\n"
    "ostinato run dags/sales.py:daily_sales --date 2025-05-01\n"
    "ostinato run sales.py --param region=eu --param limit=100"
)
def run(
    target: Annotated[str, typer.Argument(metavar="FILE[:DAG]", help="the dag file; which dag, if it defines several")],
    date: RunDate = None,
    param: Params = None,
    slots: Slots = None,
    as_json: AsJson = False,
) -> int:
    """Run a dag of a file once, here and now, and wait for it. Exit 1 if it did not succeed.

    No server is needed. If a scheduler works on this state folder already, it does the work.
    """
    from .watch import Silence, view_for_people  # noqa: PLC0415 - help does without

    text, _, dag_id = target.partition(":")
    file = dag_file(text)
    home, clock = Home.from_environment().create(), SystemClock()
    with ThreadPoolExecutor(max_workers=1) as beside, ExitStack() as stack:
        compiling = beside.submit(compile_file, file)
        from .follow import progress  # noqa: PLC0415 - loads the scheduler and the database while the file compiles
        from .order import interval_for, new_run  # noqa: PLC0415

        store = stack.enter_context(state(home))
        spec = _taken_over(store, compiling.result(), dag_id)
        now = clock.now()
        created = new_run(store, spec, interval_for(spec.schedule, date, now), param or [], asker(), now)
        view = Silence() if as_json else view_for_people(home)
        ended = _performed(home, store, created, progress(home, store, slots=slots, run_only=created.run_id), view)
        if as_json:
            out_json(OneRunDocument(run=run_document(ended, spec)))
        else:
            tell_end(store, ended)
    return exit_code(ended)


def _taken_over(store: "Store", compiled: "Compilation", dag_id: str) -> "DagSpec":
    """Put what the file defines into the state, and return the spec of the dag that is meant.

    Raises DagFileInvalid with all problems of the file.
    """
    from ostinato.control.deploy import moved_from, put  # noqa: PLC0415

    file = Path(compiled.source.file)
    put(store, [compiled], SystemClock(), asker(), moved_from(store, [compiled]))
    if compiled.problems:
        raise DagFileInvalid(f"{shown_path(str(file))} has problems", problems=compiled.problems)
    return _chosen(compiled.dags, dag_id, file).spec


def _chosen(dags: "tuple[CompiledDag, ...]", dag_id: str, file: Path) -> "CompiledDag":
    """The dag of that id, or the only one. Raises NotFound or UsageError."""
    ids = [dag.spec.dag_id for dag in dags]
    if not ids:
        advice = "Decorate a function with @dag; see `ostinato check`."
        raise NotFound("the file defines no dag", where=shown_path(str(file)), help=advice)
    if not dag_id and len(ids) > 1:
        some = ", ".join(f"{shown_path(str(file))}:{each}" for each in ids[:5])
        raise UsageError(f"the file defines {len(ids)} dags", help=f"Say which: {some}.")
    if dag_id and dag_id not in ids:
        advice = did_you_mean(dag_id, ids) or f"It has {', '.join(ids[:8])}."
        raise NotFound(f'the file defines no dag "{dag_id}"', where=shown_path(str(file)), help=advice)
    return dags[ids.index(dag_id) if dag_id else 0]


def _performed(home: Home, store: "Store", created: Run, going: AbstractContextManager["Wait"], view: "View") -> Run:
    """Follow the run to its end while work is ``going``. Who interrupts the command cancels the run, and sees it end."""
    from .watch import Silence, watch  # noqa: PLC0415

    def cancel() -> None:
        store.request_cancel(created.run_id, asker(), SystemClock().now())
        hint(home)

    try:
        with going as wait:
            try:
                return watch(store, created, wait, view)
            except KeyboardInterrupt:
                say(f"stopping run {created.run_id}")
                cancel()
                watch(store, created, wait, Silence(), SystemClock().now() + _LEAVE_MS)
                raise
    except KeyboardInterrupt:
        cancel()  # it may have come while the scheduler was starting: then the next one sees to it
        raise
