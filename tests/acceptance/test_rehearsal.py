"""A rehearsal goes as the real thing does: the same file, by `ostinato run` and by `dag.test`."""

import json
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from ostinato.home import Home
from ostinato.model.record import UNMAPPED, Task
from ostinato.testing import Rehearsal, dags_of
from tests.acceptance.shell import ostinato

EVERYTHING = dedent("""
    from ostinato import Context, ResourceError, Skip, TransientError, dag, param, retry, sensor, task, wait_for_file

    @task(retry=retry(transient=2, resource=1, first_delay="50ms", jitter=0))
    def extract(ctx: Context, region: str, path: str) -> list[str]:
        if ctx.number == 1:
            raise TransientError("it hung up")
        if ctx.number == 2:
            raise ResourceError("it is full")
        return [region, path, str(ctx.logical_date)]

    @sensor(every="20ms", timeout="10s")
    def is_there(ctx: Context) -> bool:
        return ctx.number > 2

    @task
    def divide(numbers: list[str]) -> float:
        return 1 / (len(numbers) - 3)

    @task
    def nothing_to_do() -> None:
        raise Skip

    @task(trigger_rule="all_done")
    def sum_up(text: list[str]) -> str:
        return " ".join(text)

    @task
    def never(number: float) -> None: ...

    @task
    def unkept() -> object:
        return object()

    @dag(params={"region": "eu"})
    def everything() -> None:
        extracted = extract(param("region", str), "in/{{ logical_date }}.csv")
        never(divide(extracted))
        skipped = nothing_to_do()
        is_there() >> skipped
        wait_for_file(__file__, every="20ms") >> skipped
        skipped >> unkept.named("after_skip")()
        unkept()
        never.named("cleaned")(divide.named("again")(extracted))
        summed = sum_up(extracted)
        [skipped] >> summed
""")
BLOCKS = dedent("""
    from ostinato import branch, dag, each, gathered, guarded, loop, param, run_dag, short_circuit, step, task, wait_for_dag

    @task
    def partners() -> list[str]:
        return ["acme", "beta", "cola"]

    @task
    def size(partner: str) -> int:
        if partner == "beta":
            raise ValueError("beta has no size")
        return len(partner)

    @task(trigger_rule="all_done")
    def total(sizes: list[int]) -> int:
        return sum(sizes)

    @branch
    def choose(total: int) -> str:
        return "large" if total > 5 else "small"

    @task
    def fetch(page: int) -> int:
        return page + 1

    @task
    def is_last(page: int) -> bool:
        return page > 2

    @short_circuit
    def goes_on() -> bool:
        return False

    @task
    def nothing() -> None: ...

    @dag(params={"partner": "nobody"})
    def load_partner() -> None:
        size(param("partner", str))

    @dag(outcome="leaves")
    def blocks() -> None:
        with each("partner", over=partners(), max_active=2) as partner:
            sized = size(partner)
            run_dag("load_partner", partner=partner)
        all_of_it = total(gathered(sized))
        step(choose(all_of_it)) >> [nothing.named("large")(), nothing.named("small")()]
        with loop("pages", start=0) as turn:
            page = fetch(turn.value)
            turn.until(is_last(page), carry=page)
        opened, closed = nothing.named("open")(), nothing.named("close")()
        with guarded(setup=opened, teardown=closed):
            size.named("inside")("beta")
        step(total.named("pages_total")(gathered(page))) >> step(goes_on()) >> nothing.named("never")()
        wait_for_dag("load_partner", intervals=-1, if_any=True) >> nothing.named("after")()
""")
MOVES_OF_TIME = {"started"}
"""A real attempt that outlives a beat says that it has started; on a slow machine any may."""

Key = tuple[str | None, int]
"""A task id and a map index; no id: the run itself."""


@pytest.mark.parametrize(
    ("code", "dag_id", "params"),
    [(EVERYTHING, "everything", {"region": "us"}), (BLOCKS, "blocks", {})],
)
def test_states_causes_outputs_and_errors_are_those_of_the_real_thing(
    code: str, dag_id: str, params: dict[str, str], tmp_path: Path, home: Home
) -> None:
    del home
    (tmp_path / "dags.py").write_text(code)
    given = [word for name, value in params.items() for word in ("--param", f"{name}={value}")]
    assert ostinato("run", f"dags.py:{dag_id}", "--date", "2025-05-01", *given, cwd=tmp_path).code == 1
    real = json.loads(ostinato("show", "1", "--events", "--json", cwd=tmp_path).out)
    own, *others = sorted(dags_of(tmp_path / "dags.py").values(), key=lambda dag: dag.dag_id != dag_id)

    rehearsed = own.test(date(2025, 5, 1), params=params, others=others)

    tasks = {(task["task_id"], _index(task)): task for task in real["tasks"]}
    assert {key: task.state for key, task in _tasks(rehearsed).items()} == {
        key: task["state"] for key, task in tasks.items()
    }
    assert rehearsed.run.state == real["run"]["state"]
    for key in [(None, UNMAPPED), *tasks]:
        assert _story(rehearsed, key) == _real_story(real, key)
    attempts = dict(zip(_tasks(rehearsed), (rehearsed.attempts.get(name, []) for name in rehearsed.tasks), strict=True))
    for key, task in tasks.items():
        assert [_ending(attempt) for attempt in attempts[key]] == [
            (each["state"], each["error_class"], each["how"], each["message"], each["traceback"])
            for each in task["attempts"]
        ]


def _index(of: dict[str, Any]) -> int:
    return UNMAPPED if of["map_index"] is None else of["map_index"]


def _tasks(rehearsed: Rehearsal) -> dict[Key, Task]:
    return {(name.partition("[")[0], task.map_index): task for name, task in rehearsed.tasks.items()}


def _ending(attempt: Any) -> tuple[object, ...]:
    failure = attempt.failure
    told = (failure.how, failure.message, failure.traceback) if failure else (None, None, None)
    return (str(attempt.state), attempt.error_class, *told)


def _story(rehearsed: Rehearsal, key: Key) -> list[tuple[object, ...]]:
    """Every move of a task instance, or of the run, with its cause and the facts that were decisive."""
    number = None if key[0] is None else _tasks(rehearsed)[key].task_no
    return [
        (event.cause, event.was, event.becomes, _facts(event.facts))
        for event in rehearsed.events
        if (event.task_no, event.map_index) == (number, key[1]) and event.cause not in MOVES_OF_TIME
    ]


def _real_story(real: dict[str, Any], key: Key) -> list[tuple[object, ...]]:
    return [
        (event["cause"], event["was"], event["becomes"], _facts(event["facts"]))
        for event in real["events"]
        if (event["task_id"], _index(event)) == key and event["cause"] not in MOVES_OF_TIME
    ]


def _facts(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """Facts, but for who asked and the numbers of other runs."""
    return facts and {name: value for name, value in facts.items() if name not in {"by", "run", "run_key"}}
