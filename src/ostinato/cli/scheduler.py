"""``ostinato scheduler``: the scheduler alone. Tasks go on while it is restarted."""

from ostinato.home import Home

from .dag_files import existing
from .words import DagPaths, declaration

app = declaration()


@app.command(epilog="ostinato scheduler dags/")
def scheduler(paths: DagPaths = None) -> None:
    """Run the scheduler until interrupted, beside an agent of the same state folder that `ostinato agent` runs.

    Stopping it stops no task: the next scheduler takes over what the agent has. If another scheduler leads already, stand
    by for it.
    """
    from .serve import serve_in_turn  # noqa: PLC0415 - loads the whole scheduler, which help does without

    files = existing(paths or ["."])
    serve_in_turn(Home.from_environment().create(), files, slots=None, own_agent=False)
