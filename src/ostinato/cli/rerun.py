"""``ostinato rerun``: run a part of a run that is over again."""

from typing import Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.model.errors import UsageError

from .session import present_home, state
from .target import run_named
from .words import AsJson, RunName, Timeout, Wait, declaration

app = declaration()


@app.command(
    epilog="ostinato rerun 12 --failed\n"
    "ostinato rerun sales@2025-05-01 --select load+ --newest --dry-run\n"
    "ostinato rerun 12 --select 'load[3],load[7]' --wait"
)
def rerun(
    run: RunName,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", "-s", metavar="WHAT", help="load, +load, load+, load[3], group.*, tag:slow, state:failed"
        ),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="only what did not end well, and what comes after it")
    ] = False,
    newest: Annotated[bool, typer.Option("--newest", help="with the dag as it is now, not as it was")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would run and what is taken over")] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> int:
    """Run a part of a run that is over again, with the parameters it had; without an option all of it.

    A new run of the same interval is made. It runs what is selected, all that comes after that, and what did not end
    well; it takes over all the rest from the earlier run, which stays as it is.
    """
    from ostinato.control.rerun import create_rerun, plan_rerun  # noqa: PLC0415 - loads the database

    from .rerun_text import Asked, tell_plan, tell_rerun  # noqa: PLC0415

    if failed and select:
        raise UsageError("--failed and --select are two answers to one question", help="Try --select state:failed+.")
    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        planned = plan_rerun(store, run_named(store, run), [] if failed else select, newest=newest)
        if dry_run:
            return tell_plan(planned, as_json=as_json)
        created = create_rerun(store, planned, asker(), now)
        return tell_rerun(store, home, planned, created, Asked(wait, timeout, as_json))
