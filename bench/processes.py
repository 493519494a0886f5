"""What processes cost, read from /proc: the processor time of a family, and the memory it does not share."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    members = [pid]
    for member in members:
        try:
            children = Path(f"/proc/{member}/task/{member}/children").read_text()
        except FileNotFoundError:
            continue
        members += map(int, children.split())
    return members


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, its living family, and those of the family that have ended."""
    total = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def pss_mb(pid: int) -> float:
    """Memory of a family in MB, shared pages counted once."""
    kib = 0
    for member in family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        kib += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kib / 1024


def agents(home: Path) -> list[int]:
    """The agent of a home, its zygote and its executors, as far as they live."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            continue
        if b"ostinato.agent" in words and str(home).encode() in words:
            found.append(int(folder.name))
    return sorted(found)
