"""``ostinato dev``: scheduler and agent in one process tree, dags reloaded when their files change."""

from ostinato.home import Home

from .dag_files import existing
from .words import DagPaths, Slots, declaration

app = declaration()


@app.command(epilog="ostinato dev\nostinato dev dags/ --slots 4")
def dev(paths: DagPaths = None, slots: Slots = None) -> None:
    """Run the scheduler and an agent here until interrupted, and take over dag files whenever they change.

    Each run that begins or ends, and each problem of a file, is told on a line.
    """
    from .serve import serve  # noqa: PLC0415 - loads the whole scheduler, which help does without

    files = existing(paths or ["."])
    serve(Home.from_environment().create(), files, slots=slots)
