"""How dag files use the vocabulary. Type checkers accept every line but those that end in ``# wrong``."""

from datetime import UTC, date, datetime, timedelta
from typing import assert_type

from ostinato import (
    Context,
    Dag,
    Expansion,
    Step,
    Task,
    TransientError,
    after,
    approval,
    branch,
    by,
    calendar,
    context,
    continuous,
    cron,
    dag,
    each,
    every,
    field,
    gathered,
    group,
    guarded,
    loop,
    moments,
    param,
    retry,
    run_dag,
    sensor,
    short_circuit,
    step,
    task,
    wait_for_dag,
    wait_for_file,
)
from ostinato.model.spec import After
from ostinato.testing import Rehearsal, Script, Simulation, arrives, dags_of, fails, returns, simulate, skips, takes


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


@branch
def sized(ctx: Context, rows: int) -> str:
    return "a" if rows > ctx.number else "b"


@branch(pool="gold")
def several(rows: int) -> list[str]:
    return ["a"] * rows


@short_circuit
def has_rows(rows: int) -> bool:
    return rows > 0


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


@dag(
    outcome="leaves",
    overlap="cancel_previous",
    max_active_tasks=4,
    previous=True,
    clock="fail",
    params={"rows": field(int, minimum=1, description="how many"), "region": field("eu", enum=["eu", "us"])},
)
def blocks() -> None:
    rows = anything(1)
    chosen = sized(rows)
    assert_type(chosen, str)
    assert_type(several(rows), list[str])
    assert_type(has_rows(rows), bool)
    with group("g") as inside:
        number = anything(2)
    assert_type(step(chosen).on("succeeded", "skipped") >> inside, Step)
    with guarded(setup=rows, teardown=[is_ready("a")]) as block:
        anything(3)
    _ = step(number).on("failed") >> block >> approval("publish?", timeout="2d", no="fail")
    numbers = anything.partial(limit=1).expand(value=["a", "b"])
    assert_type(numbers, list[int])
    assert_type(anything.expand_zip(value=numbers), list[int])
    assert_type(anything.bounded(limit=3, max_active=2), Expansion[int])
    assert_type(publish.partial(names=[]).expand(everything=[[]]), Step)
    with each("file", over=["a", "b"], max_active=2) as path:
        assert_type(path, str)
        loaded = load(path)
    assert_type(gathered(loaded), list[dict[str, int]])
    with loop("pages", start=1, limit=9) as turn:
        assert_type(turn.value, int)
        assert_type(turn.number, int)
        turn.until(has_rows(turn.value), carry=anything(turn.value))
    with each("day", over=param("days", list[str])) as day:
        assert_type(day, str)
        run_dag("other", day=day, wait=False)
    _ = wait_for_dag("hourly", shift="-1h", task="load") >> turn >> wait_for_dag("daily", last=7, if_any=True)


@dag
def bare() -> None:
    anything(1)


assert_type(right, Dag)
assert_type(bare.dag_id, str)
assert_type(load.function(Context(), "a"), dict[str, int])
same: Task[[object], int] = anything.named("other")

rehearsed = right.test(
    date(2024, 1, 31),
    params={"region": "eu"},
    outcomes={
        "load": takes("5m").fails(2, TransientError).takes(timedelta(hours=1)).returns({"rows": 1}),
        "clean": skips(),
        "is_ready": arrives("2h"),
        "anything": lambda ctx: fails(1, TransientError("no")) if ctx.number == 1 else None,
        "load_b[0]": returns(7),
    },
    others=[bare],
)
assert_type(rehearsed, Rehearsal)
assert_type(rehearsed.called, dict[str, Rehearsal])
assert_type(fails(1, ValueError), Script)
assert_type(simulate([right, bare], start=date(2024, 1, 1), end=date(2024, 2, 1), pools={"gold": 2}), Simulation)
assert_type(dags_of("a.dag.yaml"), dict[str, Dag])


every("1d", offset="6h")
continuous(at_least="5m")
assert_type(after(right, "bare", each=every("1h")), After)
moments([datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)])
calendar(cron(["0 6 * * *", "0 9 1 * *"], gap="skip", fold="both"), dates=[date(2025, 12, 25)], weekdays=["saturday"])


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
    sized("3")  # wrong
    step(loaded).on("faild")  # wrong
    loaded.on("failed")  # wrong
    group()  # wrong
    guarded(setup=step(loaded))  # wrong
    load.expand(path="a")  # wrong
    load.bounded(limit="3")  # wrong
    gathered(loaded) >> arrived  # wrong
    each("file", over=3)  # wrong
    with each("file", over=[1]) as number:
        load(number)  # wrong
    with loop("pages", start=1) as turn:
        load(turn.value)  # wrong
        turn.until("done")  # wrong
        turn.until(has_rows(1), carry="2")  # wrong
    run_dag(3)  # wrong
    run_dag("other", wait="no")  # wrong
    approval()  # wrong
    approval("sure?", no="stop")  # wrong
    wait_for_dag("other", intervals="1")  # wrong
    wait_for_dag("other", last="7d")  # wrong


task(timeout=[3])  # wrong
task(isolation="proces")  # wrong
task(trigger_rule="any")  # wrong
task(nosuch=1)  # wrong
task(depends_on_past=1)  # wrong
field("eu", minumum=1)  # wrong
field("eu", minimum="1")  # wrong
dag(outcome="leafs")  # wrong
dag(overlap="stop")  # wrong
dag(clock="on")  # wrong
sensor(every="1m")  # wrong
retry(transient="3")  # wrong
dag(schedule="0 6 * * *")  # wrong
dag(deadline="08:00")  # wrong
dag(catchup="some")  # wrong
dag(start="2024-01-01")  # wrong
cron(6)  # wrong
cron("0 6 * * *", fold="never")  # wrong
calendar(every("1d"))  # wrong
calendar(cron("0 6 * * *"), weekdays=["sat"])  # wrong
moments(["2025-01-01"])  # wrong
continuous(60)  # wrong
after(3)  # wrong
after("a", each=continuous())  # wrong
right.test("2024-01-31")  # wrong
right.test(outcomes={"load": 3})  # wrong
right.test(others=bare)  # wrong
fails("2", ValueError)  # wrong
fails(1, "no")  # wrong
simulate([right])  # wrong
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


@branch  # wrong
def not_an_id(rows: int) -> int:
    return rows


@short_circuit  # wrong
def no_answer(rows: int) -> str:
    return str(rows)
