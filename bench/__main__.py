"""``python -m bench [P1 P2 ...]``: measure, print a table, write JSON to ``bench/results/``."""

import json
import os
import platform
import signal
import sys
import sysconfig
from pathlib import Path

from ostinato.clock import SystemClock
from ostinato.model.time import stamp

from .measures import MEASURES, TAKES_LONG


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    flags = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "python": platform.python_version(),
        "optimised build": "--enable-optimizations" in flags,
        "cores": os.cpu_count(),
        "memory GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load": os.getloadavg()[0],
        "at": stamp(SystemClock().now()),
    }


def main(wanted: list[str]) -> None:
    """Run the wanted measures, or all."""
    result: dict[str, object] = {"machine": machine(), "figures": {}}
    print("  ".join(f"{name}: {value}" for name, value in machine().items()))
    for name in wanted or [name for name in MEASURES if name not in TAKES_LONG]:
        measure = MEASURES[name]
        figures = measure()
        print(f"\n{(measure.__doc__ or name).splitlines()[0]}")
        for what, value in figures.items():
            print(f"  {what:<32} {value:>12,.2f}")
        if not figures:
            print("  not measured: what it needs is not installed")
        result["figures"][name] = figures
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"{stamp(SystemClock().now()).replace(':', '')}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # whoever ignores it (`nohup`): what we start has to hear it
    main(sys.argv[1:])
