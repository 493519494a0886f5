"""``python -m ostinato.agent --home PATH --slots N``: the agent of one home, until it is stopped or not needed."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Final

from ostinato.executors.local import READY
from ostinato.home import Home
from ostinato.model.errors import OstinatoError
from ostinato.model.limits import Limits

from .kernel import set_name
from .lock import take_agent_lock
from .loop import Agent

LINGER_S: Final = 300.0


def main() -> None:
    """Be the agent, unless there is one already. With ``--announce`` in a session of its own, in the background."""
    parser = argparse.ArgumentParser(prog="python -m ostinato.agent", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the state folder")
    parser.add_argument("--slots", type=int, required=True, help="how many attempts run at once")
    parser.add_argument(
        "--linger", type=float, default=LINGER_S, help="seconds to wait for a scheduler when idle, or inf"
    )
    parser.add_argument("--announce", type=int, help="a pipe to write to once it listens, or why it cannot")
    options = parser.parse_args()
    if options.announce is not None:
        _detach()
        os.set_inheritable(options.announce, False)
    try:
        agent = _begin(Home(options.home.absolute()), options.slots, options.linger)
    except (OstinatoError, OSError) as error:
        _announce(options.announce, str(error).encode())
        sys.exit(str(error))
    _announce(options.announce, READY)
    if agent is not None:
        agent.run()


def _begin(home: Home, slots: int, linger_s: float) -> Agent | None:
    """An agent that listens; None if there is one already."""
    home.create()
    lock = take_agent_lock(home.agent)
    if lock is None:
        return None
    set_name("ostinato-agent")
    return Agent(home, slots, linger_s, Limits())


def _detach() -> None:
    """Outlive whoever started us, in a session of our own, with no signal held back for their sake."""
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _announce(pipe: int | None, text: bytes) -> None:
    if pipe is not None:
        os.write(pipe, text)
        os.close(pipe)


if __name__ == "__main__":
    main()
