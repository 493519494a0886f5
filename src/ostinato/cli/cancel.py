"""``ostinato cancel``: ask that a run stops."""

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.errors import Conflict
from ostinato.model.state import FINAL_RUN
from ostinato.view.documents.runs import OneRunDocument
from ostinato.view.reading import run_document

from .confirm import Yes, confirm
from .session import present_home, state
from .target import run_named
from .terminal import next_step, out, out_json
from .words import AsJson, RunName, declaration

app = declaration()


@app.command(epilog="ostinato cancel 12\nostinato cancel sales@2025-05-01 --yes")
def cancel(run: RunName, yes: Yes = False, as_json: AsJson = False) -> None:
    """Stop a run: what has not started never starts, what runs is stopped; what succeeded stays."""
    home = present_home()
    with state(home) as store:
        found = run_named(store, run)
        if found.state not in FINAL_RUN:
            confirm(f"Stop run {found.run_id} of {found.dag_id}, which is {found.state}?", yes=yes)
        asked = store.request_cancel(found.run_id, asker(), SystemClock().now())
        found = store.run(found.run_id)
        if not asked and found.state in FINAL_RUN:
            raise Conflict(f"run {found.run_id} is over: {found.state}", help="There is nothing left to stop.")
        spec = store.compiled(found.version).spec
    hint(home)
    if as_json:
        out_json(OneRunDocument(run=run_document(found, spec)))
        return
    out(f"run {found.run_id} of {found.dag_id} {'is' if asked else 'was already'} asked to stop")
    next_step(f"ostinato show {found.run_id}")
