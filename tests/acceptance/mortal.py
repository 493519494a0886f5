"""A process that kills itself at a chosen place: ``python -m tests.acceptance.mortal PLACE NTH scheduler DAGS``.

``PLACE`` is ``module:Class.method:before`` or ``...:after``: just before, or just after, what that method does is done for
the ``NTH`` time. The rest are the words of ``ostinato``; ``agent`` is the agent itself, in this process.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from ostinato.home import Home


def main() -> None:
    """Set the trap and run."""
    place, nth, *words = sys.argv[1:]
    set_trap(place, int(nth))
    if words[0] == "agent":
        from ostinato.agent.__main__ import main as agent  # noqa: PLC0415 - only after the trap is set

        sys.argv = ["agent", "--home", str(Home.from_environment().path), *words[1:], "--linger", "inf"]
        agent()
    else:
        from ostinato.cli.main import run  # noqa: PLC0415

        sys.exit(run(words))


def set_trap(place: str, nth: int) -> None:
    """From now on the process ends at that place."""
    module, name, when = place.split(":")
    owner_name, method = name.split(".")
    owner = getattr(import_module(module), owner_name)
    setattr(owner, method, dying(getattr(owner, method), nth, when))


def dying(whole: Callable[..., Any], nth: int, when: str) -> Callable[..., Any]:
    """A function that ends the process before or after it has done what it does."""
    left = nth

    @wraps(whole)
    def deadly(*given: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            die()
        done = whole(*given, **named)
        if left == 0:
            die()
        return done

    return deadly


def die() -> None:
    """As the kernel does it, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
