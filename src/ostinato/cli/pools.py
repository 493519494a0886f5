"""``ostinato pools``: named capacities that tasks share."""

import sys
from typing import Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.home import Home
from ostinato.view.listing import pools_document

from .session import present_state, state
from .terminal import Ink, next_step, out, out_json, table
from .words import AsJson, declaration

app = declaration()


@app.command("ls", epilog="ostinato pools\nostinato pools --json")
def ls(as_json: AsJson = False) -> None:
    """List the pools, with the slots that are taken now."""
    with present_state() as store:
        found = pools_document(store)
    if as_json:
        out_json(found)
        return
    rows = [(pool.name, str(pool.used), str(pool.slots)) for pool in found.pools]
    out(table(("POOL", "TAKEN", "SLOTS"), rows, right=(1, 2), ink=Ink(sys.stdout)))
    next_step("ostinato pools set NAME SLOTS")


@app.command("set", epilog="ostinato pools set warehouse 4")
def set_slots(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the pool, as `@task(pool=...)` names it")],
    slots: Annotated[int, typer.Argument(metavar="SLOTS", min=0, help="how much runs in it at once; 0 holds it")],
) -> None:
    """Make a pool, or change how much it holds. What runs already goes on."""
    home = Home.from_environment()
    with state(home) as store:
        store.set_pool(name, slots, asker(), SystemClock().now())
    hint(home)
    out(f"{name} has {slots} slots")
    next_step("ostinato pools")
