"""Six months of the past, run beside the daily run.

Every morning yesterday's sales are extracted and replace the file of their day. The logic has changed, or the dag is
new: half a year is to be run as well, and tomorrow's run must not wait for it.

    ostinato dev catch_up.py
    ostinato backfill catch_up --from 2025-01-01 --to 2025-06-30 --max-active 4 --share 0.2 --dry-run
    ostinato backfill catch_up --from 2025-01-01 --to 2025-06-30 --max-active 4 --share 0.2
    ostinato gaps catch_up

What makes it safe is in the tasks: the day comes from the run and never from the clock, each day has a file of its own,
and a file is replaced whole. So a day may run twice, and two days may run at once.
"""

from datetime import date
from pathlib import Path
from random import Random

from ostinato import Context, cron, dag, task
from ostinato_data import write_whole

SALES = Path(__file__).parent / "sales"


@task
def extract(ctx: Context) -> list[int]:
    """The amounts of a day; those of the same day are the same each time."""
    chance = Random(str(ctx.logical_date))  # noqa: S311 - stands for a source, and is no secret
    return [chance.randrange(1, 500) for _ in range(20)]


@task
def load(ctx: Context, amounts: list[int]) -> dict[str, int]:
    """Replace the day's file."""
    lines = [f"{ctx.logical_date},{amount}\n".encode() for amount in amounts]
    write_whole(SALES / f"date={ctx.logical_date}" / "sales.csv", lines)
    return {"rows": len(amounts)}


@dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"), start=date(2025, 1, 1), max_active_runs=8)
def catch_up() -> None:
    """Yesterday's sales, in the file of their day."""
    load(extract())
