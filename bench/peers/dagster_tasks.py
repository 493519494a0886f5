"""Dagster: its instance in a folder, a job of independent ops on its multiprocess executor."""

import os
import sys
import time
from typing import Any

from dagster import DagsterInstance, execute_job, job, multiprocess_executor, op, reconstructable

TASKS = int(os.environ.setdefault("PEER_TASKS", sys.argv[1] if len(sys.argv) > 1 else "1"))
WORKERS = int(os.environ.setdefault("PEER_WORKERS", sys.argv[2] if len(sys.argv) > 2 else "1"))
"""By the environment: each op's process imports this file again, without our arguments."""

executor = multiprocess_executor.configured({"max_concurrent": WORKERS})


@op
def nothing() -> None:
    """Do nothing."""


@job(executor_def=executor)
def few() -> None:
    """To warm up with."""
    for number in range(3):
        nothing.alias(f"t{number}")()


@job(executor_def=executor)
def many() -> None:
    """All of it."""
    for number in range(TASKS):
        nothing.alias(f"t{number}")()


def seconds(what: Any) -> float:
    """How long it takes."""
    began = time.perf_counter()
    with execute_job(what, instance=DagsterInstance.get()) as result:
        if not result.success:
            raise RuntimeError("an op failed")
    return time.perf_counter() - began


if __name__ == "__main__":
    seconds(reconstructable(few))
    print(seconds(reconstructable(many)))
