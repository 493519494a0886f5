"""Which processes work on a home, asked without disturbing them."""

from pathlib import Path

from ostinato.home import Home


def agent_alive(home: Home) -> int | None:
    """The process id of the agent of this home, if there is one."""
    return _holder(home.agent / "agent.lock")


def _holder(path: Path) -> int | None:
    """The process that holds a lock file, as the kernel's list says: asking does not touch the lock."""
    try:
        inode = str(path.stat().st_ino)
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in locks:
        _, kind, _, _, pid, place, *_ = line.split()
        if kind == "FLOCK" and place.rpartition(":")[2] == inode:
            return int(pid)
    return None
