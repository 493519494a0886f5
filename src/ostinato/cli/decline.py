"""``ostinato decline``: say no to what a run asks."""

from .approve import answered
from .words import AsJson, RunName, Selected, declaration

app = declaration()


@app.command(epilog="ostinato decline 12 release")
def decline(run: RunName, task: Selected, as_json: AsJson = False) -> None:
    """Say no to what a run asks: what comes after the question is skipped, or fails if the question says so."""
    answered(run, task, "decline", as_json=as_json, told="declined")
