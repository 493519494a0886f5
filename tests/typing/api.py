"""How dag files use the vocabulary. Type checkers accept every line but those that end in ``# wrong``."""

from datetime import date, timedelta
from typing import assert_type

from ostinato import (
    Context,
    Dag,
    Step,
    Task,
    by,
    context,
    cron,
    dag,
    every,
    param,
    retry,
    sensor,
    step,
    task,
    wait_for_file,
)


@task
def load(ctx: Context, path: str, *, limit: int = 0) -> dict[str, int]:
    ctx.dead_letters(asset="flights", partition=f"{ctx.logical_date}", path="x", count=1, reasons={"range": 1})
    return {"rows": ctx.number + limit}


@task(retry=retry(transient=5, first_delay="200ms"), timeout=timedelta(minutes=5), isolation="process", memory="2GB")
def clean(data: dict[str, int], day: date = date(2024, 1, 1)) -> list[str]:
    return sorted(data)


@task(trigger_rule="all_done", pool="gold", slots=2, priority=10)
def publish(names: list[str], everything: list[dict[str, int]]) -> None:
    context().params.get("region")


@task
def anything(value: object) -> int:
    return hash(value)


@sensor(every="1m", timeout=3600)
def is_ready(ctx: Context, partner: str) -> bool:
    return ctx.number > 1 and partner == "a"


@dag(
    schedule=cron("0 6 * * *", tz="Europe/Berlin"),
    start=date(2013, 1, 1),
    catchup="all",
    deadline=by("08:00"),
    params={"region": "eu"},
    tags=["flights"],
)
def right() -> None:
    arrived = wait_for_file("raw/{{ logical_date }}.csv", every="30s", timeout="12h")
    ready = is_ready("a")
    loaded = load(param("region", str), limit=3)
    names = clean(loaded)
    done = publish(names, [loaded, load.named("load_b")("b")])
    number = anything(loaded)
    assert_type(arrived, Step)
    assert_type(ready, Step)
    assert_type(done, Step)
    assert_type(loaded, dict[str, int])
    assert_type(names, list[str])
    assert_type(number, int)
    assert_type(arrived >> step(loaded), Step)
    assert_type([arrived, ready] >> step(loaded) >> [done, step(number)], list[Step])
    assert_type([arrived, ready] >> done, Step)


@dag
def bare() -> None:
    anything(1)


assert_type(right, Dag)
assert_type(bare.dag_id, str)
assert_type(load.function(Context(), "a"), dict[str, int])
same: Task[[object], int] = anything.named("other")


@dag(schedule=every("1h"))
def wrong() -> None:
    load()  # wrong
    load(3)  # wrong
    load("a", "b")  # wrong
    load("a", limit="3")  # wrong
    load("a", nosuch=3)  # wrong
    load(Context(), "a")  # wrong
    is_ready(3)  # wrong
    loaded = load("a")
    publish(loaded, [])  # wrong
    clean(clean(loaded))  # wrong
    clean(publish([], []))  # wrong
    arrived = wait_for_file("a")
    _ = arrived >> loaded  # wrong
    _ = loaded >> arrived  # wrong
    clean(arrived)  # wrong
    wait_for_file()  # wrong
    wait_for_file("a", evry="30s")  # wrong
    load.named(3)  # wrong
    load(param("limit", int))  # wrong


task(timeout=[3])  # wrong
task(isolation="proces")  # wrong
task(trigger_rule="any")  # wrong
task(nosuch=1)  # wrong
sensor(every="1m")  # wrong
retry(transient="3")  # wrong
dag(schedule="0 6 * * *")  # wrong
dag(deadline="08:00")  # wrong
dag(catchup="some")  # wrong
dag(start="2024-01-01")  # wrong
cron(6)  # wrong
Context().run_id = 3  # wrong


@sensor(every="1m", timeout="1h")  # wrong
def not_an_answer(partner: str) -> str:
    return partner


@dag  # wrong
def with_arguments(region: str) -> None:
    load(region)


@dag  # wrong
def with_result() -> int:
    return anything(3)
