"""One agent lives in a home, and begins only when nothing runs any more that a former one had begun.

That is two locks of the kernel's. ``agent.lock`` goes with the agent. ``executors.lock`` is shared with the zygote, which
outlives a killed agent for as long as it takes to bury what that ran.
"""

import fcntl
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Final

from ostinato.model.errors import AgentFailed

PATIENCE_S: Final = 10
"""What a killed agent ran has this long to be gone."""


def take_agent_lock(folder: Path) -> int | None:
    """The descriptor of the lock; None if a living agent has it."""
    fd = _open(folder / "agent.lock")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def take_executors_lock(folder: Path) -> int:
    """The descriptor of the lock, once it is free. Raises AgentFailed if that takes too long."""
    fd = _open(folder / "executors.lock")
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(PATIENCE_S)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except TimeoutError as error:
        os.close(fd)
        what = f"what a former agent ran has not ended within {PATIENCE_S} s"
        raise AgentFailed(what, where=str(folder), help="Find it with `ps`: it may wait for a disk.") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return fd


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _give_up(_number: int, _where: FrameType | None) -> None:
    raise TimeoutError
