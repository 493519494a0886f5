"""``ostinato trigger``: ask for one run of a dag."""

from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.home import Home
from ostinato.model.record import Run
from ostinato.model.state import RunState
from ostinato.view.documents.runs import OneRunDocument
from ostinato.view.reading import run_document
from ostinato.view.when import duration

from .session import present_home, state
from .target import spec_of
from .terminal import Ink, next_step, out, out_json
from .words import AsJson, DagId, Params, Timeout, Wait, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

RunDate = Annotated[
    str | None, typer.Option(metavar="DATE", help="what the run is for: 2025-05-01, or 2025-05-01T06:00")
]


@app.command(
    epilog="ostinato trigger sales\n"
    "ostinato trigger sales --date 2025-05-01 --param region=eu\n"
    "ostinato trigger sales --wait --timeout 600"
)
def trigger(
    dag: DagId,
    date: RunDate = None,
    param: Params = None,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> int:
    """Ask for one run of a dag.

    Without --date it is for the last interval that is complete, or for today if the dag has no schedule.
    """
    from .order import interval_for, new_run  # noqa: PLC0415 - loads timetables, which help does without

    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        spec = spec_of(store, dag)
        run = new_run(store, spec, interval_for(spec.schedule, date, now), param or [], asker(), now)
        hint(home)
        if wait:
            run = awaited(store, home, run, timeout, as_json=as_json)
        document = run_document(run, spec)
        if wait and not as_json:
            tell_end(store, run)
    if as_json:
        out_json(OneRunDocument(run=document))
    elif not wait:
        out(f"run {document.run_id} of {document.dag_id} for {document.logical_date} is {document.state}")
        next_step(f"ostinato show {document.run_id}")
    return exit_code(run) if wait else 0


def awaited(store: "Store", home: Home, run: Run, timeout: float | None, *, as_json: bool) -> Run:
    """The run once it is over. Raises WaitedTooLong after ``timeout`` seconds."""
    from .follow import progress  # noqa: PLC0415
    from .watch import Silence, view_for_people, watch  # noqa: PLC0415

    give_up_at = None if timeout is None else SystemClock().now() + round(timeout * 1_000)
    with progress(home, store, run_only=run.run_id) as pause:
        return watch(store, run, pause, Silence() if as_json else view_for_people(home), give_up_at)


def tell_end(store: "Store", run: Run) -> None:
    """How a run that was waited for ended, and what went wrong."""
    from ostinato.view.story import story_of  # noqa: PLC0415

    from .portrait import draw_errors  # noqa: PLC0415

    ink, story = Ink(), story_of(store, run, events=False)
    if run.state == RunState.FAILED:
        draw_errors(story.tasks, ink)
        out()
    told = f"run {run.run_id} of {run.dag_id} for {story.run.logical_date}"
    out(f"{told}: {ink.state(run.state)} in {duration(story.run.duration_ms)}")
    next_step(f"ostinato {'show' if run.state == RunState.SUCCESS else 'why'} {run.run_id}")


def exit_code(run: Run) -> int:
    """0 for a run that succeeded, 1 for one that did not."""
    return 0 if run.state == RunState.SUCCESS else 1
