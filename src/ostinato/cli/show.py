"""``ostinato show``: one run from all sides."""

from typing import Annotated

import typer

from ostinato.view.story import story_of

from .session import present_state
from .target import run_named
from .terminal import out_json
from .words import AsJson, RunName, declaration

app = declaration()


@app.command(epilog="ostinato show 12\nostinato show sales@2025-05-01 --events\nostinato show sales   (its newest run)")
def show(
    run: RunName,
    events: Annotated[bool, typer.Option("--events", help="also its story: every move and its cause")] = False,
    all_tasks: Annotated[bool, typer.Option("--all", help="every task, however many there are")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one run: its tasks with their tries and times, what failed and why, rejected rows, alerts."""
    with present_state() as store:
        document = story_of(store, run_named(store, run, newest=True), events=events)
    if as_json:
        out_json(document)
        return
    from .portrait import draw  # noqa: PLC0415 - a machine does not need the picture

    draw(document, every_task=all_tasks)
