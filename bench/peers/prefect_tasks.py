"""Prefect: its ephemeral server on SQLite, a flow that maps a task over numbers on a pool of threads."""

import sys
import time

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

TASKS, WORKERS = int(sys.argv[1]), int(sys.argv[2])


@task
def nothing(number: int) -> None:
    """Do nothing."""
    del number


@flow(task_runner=ThreadPoolTaskRunner(max_workers=WORKERS))
def many(tasks: int) -> None:
    """So many of it."""
    for future in nothing.map(range(tasks)):
        future.result()


def seconds(tasks: int) -> float:
    """How long it takes."""
    began = time.perf_counter()
    many(tasks)
    return time.perf_counter() - began


if __name__ == "__main__":
    seconds(5)
    print(seconds(TASKS))
