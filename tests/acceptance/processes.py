"""The processes of an agent, as the machine knows them."""

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
