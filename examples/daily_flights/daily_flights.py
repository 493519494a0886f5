"""Every morning: yesterday's flights from New York, checked, joined with the weather, in a Delta table, and reported.

Wait for the day's file, then the job: read, check against the contract, put bad records aside in the dead letter queue,
transform the rest, and replace exactly that day's partition in one atomic commit. Running a day twice changes nothing.
"""

import json
from datetime import date
from pathlib import Path

from flights_contract import FLIGHTS
from rehearsal import rehearse

from ostinato import Context, by, cron, dag, retry, step, task, wait_for_file
from ostinato_data import land, write_whole

HERE = Path(__file__).parent
RAW, TABLE, DLQ, REPORTS = HERE / "raw", HERE / "tables" / "daily_flights", HERE / "dlq", HERE / "reports"
SKY = {"hour": "bigint", "temp": "double", "wind_speed": "double", "visib": "double"}


@task(retry=retry(transient=3, resource=3, first_delay="200ms"), timeout="10m", pool="default")
def load_day(ctx: Context, flights: str, weather: str) -> dict[str, int]:
    """The job: read, check, dead letters, transform, atomic write of the day's partition."""
    rehearse(ctx)  # the demonstration's planned faults; a pipeline of your own has no such line
    landed = land(
        FLIGHTS,
        RAW / flights,
        table=TABLE,
        partition={"date": ctx.logical_date},
        fence=ctx.attempt,
        dead_letters_in=DLQ,
        transform=with_weather(RAW / weather, ctx.logical_date),
        max_reject_share=0.2,
        metadata={"run_id": str(ctx.run_id)},
    )
    if landed.dead_letters is not None:
        ctx.dead_letters(
            asset=FLIGHTS.asset,
            partition=f"date={ctx.logical_date}",
            path=str(landed.dead_letters),
            count=landed.rejected,
            reasons=landed.reasons,
        )
    return {"rows": landed.rows, "rejected": landed.rejected}


def with_weather(weather: Path, day: date):  # noqa: ANN201 - from a DuckDB relation to another
    """The flights of a day as rows of the table: with what the sky was like in the hour they were to leave."""
    sky = f"read_csv('{weather}', header = true, nullstr = 'NA', types = {SKY})"

    def transform(good):  # noqa: ANN001, ANN202
        return good.query(
            "flights",
            f"""
            select flights.*, dep_time is null as cancelled, sky.temp, sky.wind_speed, sky.visib, date '{day}' as date
            from flights left join (select distinct on (origin, hour) * from {sky}) as sky using (origin, hour)
            """,  # noqa: S608 - a date and a path of our own
        )

    return transform


@task
def report_day(ctx: Context, counts: dict[str, int]) -> str:
    """What became of the day, for whoever asks in the morning."""
    path = REPORTS / f"{ctx.logical_date}.json"
    said = {"date": str(ctx.logical_date), "run": ctx.run_id, **counts}
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
    counts = load_day("flights_{{ logical_date }}.csv", "weather_{{ logical_date }}.csv")
    arrived >> step(counts)
    report_day(counts)
