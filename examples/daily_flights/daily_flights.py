"""Every morning: yesterday's flights from New York, checked, joined with the weather, in a Delta table, and reported.

Wait for the day's file, then the job: read, check against the contract, put bad records aside in the dead letter queue,
transform the rest, and replace exactly that day's partition in one atomic commit. Running a day twice changes nothing.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from flights_contract import FLIGHTS, WEATHER
from flights_table import FIGURES, with_weather
from rehearsal import rehearse

from ostinato import Context, by, cron, dag, retry, step, task, wait_for_file
from ostinato_data import Landed, Sifted, land, sift, write_whole

HERE = Path(__file__).parent
RAW, TABLE, DLQ, REPORTS = HERE / "raw", HERE / "tables" / "daily_flights", HERE / "dlq", HERE / "reports"


@task(retry=retry(transient=3, resource=3, first_delay="200ms"), timeout="10m")
def load_day(ctx: Context, flights: str, weather: str) -> dict[str, Any]:
    """The job: read, check, dead letters, transform, atomic write of the day's partition."""
    rehearse(ctx)  # the demonstration's planned faults; a pipeline of your own has no such line
    day = {"date": ctx.logical_date}
    sky = sift(WEATHER, RAW / weather, partition=day, dead_letters_in=DLQ)
    landed = land(
        FLIGHTS,
        RAW / flights,
        table=TABLE,
        partition=day,
        fence=ctx.attempt,
        dead_letters_in=DLQ,
        transform=lambda flights: with_weather(flights, sky.rows),
        figures=FIGURES,
        max_reject_share=0.2,
        metadata={"run_id": str(ctx.run_id)},
    )
    put_aside(ctx, "weather", sky)
    put_aside(ctx, "flights", landed)
    return {"rows": landed.rows, **landed.figures, "rejected": {"flights": landed.reasons, "weather": sky.reasons}}


def put_aside(ctx: Context, asset: str, result: Landed | Sifted) -> None:
    """Tell which records wait in the dead letter queue for somebody to look at them."""
    ctx.dead_letters(
        asset=asset,
        partition=f"date={ctx.logical_date}",
        path=str(result.dead_letters),
        count=result.rejected,
        reasons=result.reasons,
    )


@task
def report_day(ctx: Context, loaded: dict[str, Any]) -> str:
    """What became of the day, for whoever asks in the morning."""
    path = REPORTS / f"{ctx.logical_date}.json"
    said = {"date": str(ctx.logical_date), "run": ctx.run_id, **loaded}
    write_whole(path, [json.dumps(said, indent=2).encode()])
    return str(path)


@dag(
    schedule=cron("0 6 * * *", tz="America/New_York"),
    start=date(2013, 1, 1),
    end=date(2013, 12, 31),
    deadline=by("08:00"),
    max_active_runs=8,
    tags=["flights", "demo"],
)
def daily_flights() -> None:
    """Flights that left New York, by day."""
    arrived = wait_for_file("raw/flights_{{ logical_date }}.csv", every="1s", timeout="12h")
    loaded = load_day("flights_{{ logical_date }}.csv", "weather_{{ logical_date }}.csv")
    arrived >> step(loaded)
    report_day(loaded)
