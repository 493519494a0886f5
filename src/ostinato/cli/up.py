"""``ostinato up``: everything in one, for a machine that works day and night."""

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from ostinato.home import Home

from .api import serving
from .dag_files import existing
from .terminal import say
from .words import DagPaths, Slots, declaration

app = declaration()


@app.command(epilog="ostinato up dags/\nostinato up dags/ --slots 8 --api 8470")
def up(
    paths: DagPaths = None,
    slots: Slots = None,
    api: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="PORT", help="answer over HTTP too, on this port (see `ostinato api`)"),
    ] = None,
) -> None:
    """Run the scheduler and an agent here until interrupted; if another scheduler leads already, stand by for it.

    Several schedulers need a state on a server (OSTINATO_STATE). One leads; when it dies, hangs or loses the database,
    another one takes over.
    """
    from .serve import serve_in_turn  # noqa: PLC0415 - loads the whole scheduler, which help does without

    files = existing(paths or ["."])
    with ExitStack() as beside:
        if api is not None:
            server = beside.enter_context(closing(serving("127.0.0.1", api)))
            say(server.address)
        serve_in_turn(Home.from_environment().create(), files, slots=slots, own_agent=True)
