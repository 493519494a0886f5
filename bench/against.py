"""The product beside other orchestrators that a contributor has, in turn on one machine."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from .product import SLOTS, product

PYTHONS: Final = "OSTINATO_BENCH_PEERS"
"""The environment variable with the Pythons that orchestrators are installed in, separated by colons."""

TASKS: Final = 50
NAMES: Final = ("luigi", "prefect", "dagster")
_SCRIPTS: Final = Path(__file__).parent / "peers"
_PATIENCE_S: Final = 600


def figures(rounds: int = 3) -> dict[str, float]:
    """Seconds for 50 tasks that do nothing, on two workers, for us and for each of the others that is found."""
    peers = dict(_found())
    told: dict[str, list[float]] = {name: [] for name in ("ostinato", *peers)}
    for _ in range(rounds):
        told["ostinato"].append(_ours())
        for name, python in peers.items():
            told[name].append(_seconds(name, python))
    return {f"seconds for {TASKS} tasks, {name}": median(seconds) for name, seconds in told.items()}


def _ours() -> float:
    with product("independent.py") as ours:
        ours.finish([ours.trigger("warm_up")])
        began = perf_counter()
        ours.finish([ours.trigger("fifty")])
        return perf_counter() - began


def _found() -> Iterator[tuple[str, str]]:
    pythons = [*filter(None, os.environ.get(PYTHONS, "").split(":")), sys.executable]
    for name in NAMES:
        for python in pythons:
            if not subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode:
                yield name, python
                break


def _seconds(name: str, python: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        state = dict.fromkeys(("HOME", "DAGSTER_HOME", "PREFECT_HOME"), folder)
        said = subprocess.run(
            [python, str(_SCRIPTS / f"{name}_tasks.py"), str(TASKS), str(SLOTS), folder],
            env={"PATH": os.environ["PATH"], "PREFECT_LOGGING_LEVEL": "CRITICAL", **state},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    if said.returncode:
        raise RuntimeError(f"{name} failed; run its script by hand to see why:\n{said.stdout[-2_000:]}")
    return float(said.stdout.split()[-1])
