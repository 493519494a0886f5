"""The processes of an agent, as the machine knows them."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def agent_family(folder: Path) -> list[int]:
    """The agent, zygote and executors of the homes in a folder, as far as they live."""
    sign = str(folder).encode()
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if sign in line and b"ostinato.agent" in line:
            found.append(int(process.name))
    return found


def kill_all(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Kill -9, or send another signal. One may take others with it before their turn comes."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
