"""Rehearsals: dags in this process, on a clock that is set, with no state to keep."""

import time
from datetime import date

from ostinato import TransientError, cron, dag, every, retry, task, wait_for_dag
from ostinato.testing import fails, simulate, takes

DAY = date(2024, 1, 31)
JANUARY = {"start": date(2024, 1, 1), "end": date(2024, 2, 1)}


@task
def extract() -> int:
    """The first of three."""
    return 1


@task(retry=retry(transient=2))
def load(rows: int) -> int:
    """The second of three."""
    return rows


@task
def publish(rows: int) -> None:
    """The last of three."""
    del rows


@dag
def small() -> None:
    """Three tasks in a row."""
    publish(load(extract()))


@dag(schedule=every("1h"))
def hourly() -> None:
    """Three tasks in a row, every hour."""
    publish(load(extract()))


@dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"))
def daily() -> None:
    """Waits for the hours of its day."""
    wait_for_dag("hourly") >> publish.named("report")(1)


def seconds_of_dags(count: int, *, failing: bool = False) -> tuple[float, float]:
    """How long it takes to rehearse so many small dags, and how much processor time."""
    outcomes = {"load": fails(2, TransientError)} if failing else {}
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(count):
        if small.test(DAY, outcomes=outcomes).run.state != "success":
            raise RuntimeError("a rehearsal failed")
    return time.perf_counter() - began, time.process_time() - cpu


def seconds_of_a_month() -> tuple[float, float]:
    """How long a month of a daily dag takes that waits for an hourly one, and how much processor time."""
    cpu, began = time.process_time(), time.perf_counter()
    month = simulate([daily, hourly], **JANUARY, outcomes={"load": takes("20m")})
    spent = time.perf_counter() - began, time.process_time() - cpu
    if len(month.runs) != 31 * 25 or any(each.run.state != "success" for each in month.runs):
        raise RuntimeError(f"a month that is not as it should be: {month!r}")
    return spent
