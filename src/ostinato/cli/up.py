"""``ostinato up``: everything in one, for a machine that works day and night."""

from ostinato.home import Home

from .dag_files import existing
from .words import DagPaths, Slots, declaration

app = declaration()


@app.command(epilog="ostinato up dags/\nostinato up dags/ --slots 8")
def up(paths: DagPaths = None, slots: Slots = None) -> None:
    """Run the scheduler and an agent here until interrupted; if another scheduler leads already, stand by for it.

    Several schedulers need a state on a server (OSTINATO_STATE). One leads; when it dies, hangs or loses the database,
    another one takes over.
    """
    from .serve import serve_in_turn  # noqa: PLC0415 - loads the whole scheduler, which help does without

    files = existing(paths or ["."])
    serve_in_turn(Home.from_environment().create(), files, slots=slots, own_agent=True)
