"""``ostinato agent``: the agent alone. It performs what the scheduler of the same state folder sends it."""

import os
import signal

from ostinato.home import Home, agent_alive
from ostinato.model.errors import Conflict

from .terminal import say
from .words import Slots, declaration

app = declaration()


@app.command(epilog="ostinato agent\nostinato agent --slots 8")
def agent(slots: Slots = None) -> int:
    """Run the agent of this state folder until interrupted; what runs then has five seconds to end.

    It waits for a scheduler as long as it takes, and goes on while there is none.
    """
    from ostinato.executors.local import agent_process  # noqa: PLC0415 - help does without

    home = Home.from_environment().create()
    there = agent_alive(home)
    if there is not None:
        raise Conflict(f"an agent (process {there}) works here already", where=str(home.path))
    process = agent_process(
        home,
        slots or os.cpu_count() or 1,
        *("--linger", "inf"),
        own_session=True,  # Ctrl-C is for this process: it has the agent stop in order
    )
    say(f"agent of {home.path}; stop with Ctrl-C")
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
