"""Small dags to rehearse."""

from datetime import date

from ostinato import Context, by, cron, dag, every, param, retry, sensor, task, wait_for_file

DAY = date(2024, 1, 31)


@task
def extract(ctx: Context, region: str) -> dict[str, object]:
    """What a run is for, so that a test can see it."""
    return {"region": region, "day": ctx.logical_date, "try": ctx.number}


@task(retry=retry(transient=2, resource=1, first_delay="10s"), timeout="1h")
def load(data: dict[str, object], path: str) -> str:
    return f"{path}: {data['region']}"


@task
def publish(place: str) -> None:
    del place


@dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"), deadline=by("08:00"), params={"region": "eu"})
def sales() -> None:
    publish(load(extract(param("region", str)), "out/{{ logical_date }}"))


@task
def count() -> int:
    return 1


@dag(schedule=every("1h"))
def hourly() -> None:
    count()


@sensor(every="10m", timeout="3h")
def is_there() -> bool:
    return False


@dag
def waiting() -> None:
    is_there() >> count()


@dag
def file_waiting() -> None:
    wait_for_file("no/such/file", every="10m", timeout="3h") >> count()
