"""``ostinato approve``: say yes to what a run asks."""

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.change import Decision

from .mark import tell_decision
from .session import present_home, state
from .target import run_named
from .words import AsJson, RunName, Selected, declaration

app = declaration()


@app.command(epilog="ostinato approve 12 release\nostinato approve sales@2025-05-01 release")
def approve(run: RunName, task: Selected, as_json: AsJson = False) -> None:
    """Say yes to what a run asks: what comes after the question begins."""
    answered(run, task, "approve", as_json=as_json, told="approved")


def answered(run: str, task: str, what: Decision, *, as_json: bool, told: str) -> None:
    """Answer a question, and say so."""
    from ostinato.control.intervene import answer  # noqa: PLC0415 - loads the database

    home, by = present_home(), asker()
    with state(home) as store:
        found = run_named(store, run)
        names = answer(store, found, task, what, by, SystemClock().now())
    hint(home)
    tell_decision(found, names, what, by, as_json=as_json, told=told)
