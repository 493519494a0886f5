"""``ostinato agent``: the agent alone. It performs what the scheduler of the same state folder sends it."""

import os
import signal
import subprocess
import sys

from ostinato.home import STATE_VARIABLE, Home, agent_alive
from ostinato.model.errors import Conflict

from .terminal import say
from .words import Slots, declaration

app = declaration()


@app.command(epilog="ostinato agent\nostinato agent --slots 8")
def agent(slots: Slots = None) -> int:
    """Run the agent of this state folder until interrupted; what runs then has five seconds to end.

    It waits for a scheduler as long as it takes, and goes on while there is none.
    """
    home = Home.from_environment().create()
    there = agent_alive(home)
    if there is not None:
        raise Conflict(f"an agent (process {there}) works here already", where=str(home.path))
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "ostinato.agent", "--home", str(home.path)),
            *("--slots", str(slots or os.cpu_count() or 1), "--linger", "inf"),
        ],
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != STATE_VARIABLE},
        start_new_session=True,  # Ctrl-C is for this process: it has the agent stop in order
    )
    say(f"agent of {home.path}; stop with Ctrl-C")
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
