"""A daily dag of three tasks that do nothing, for backfills; and a dag of one task, for the time to its start."""

from datetime import date

from ostinato import cron, dag, task


@task
def extract() -> int:
    """Give a number."""
    return 1


@task
def transform(number: int) -> int:
    """Give the next one."""
    return number + 1


@task
def load(number: int) -> None:
    """Take a number."""


@dag(schedule=cron("0 0 * * *", tz="UTC"), start=date(2013, 1, 1), end=date(2013, 12, 31))
def daily() -> None:
    load(transform(extract()))


@dag()
def single() -> None:
    extract()
