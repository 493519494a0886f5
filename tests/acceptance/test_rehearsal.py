"""A rehearsal goes as the real thing does: the same file, by `ostinato run` and by `dag.test`."""

import json
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

from ostinato.authoring.load import load_source
from ostinato.home import Home
from ostinato.model.spec import Source
from ostinato.testing import Rehearsal
from tests.acceptance.shell import ostinato

CODE = dedent("""
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
MOVES_OF_TIME = {"started"}
"""A real attempt that outlives a beat says that it has started; on a slow machine any may."""


def test_states_causes_outputs_and_errors_are_those_of_the_real_thing(tmp_path: Path, home: Home) -> None:
    del home
    file = tmp_path / "everything.py"
    file.write_text(CODE)
    assert ostinato("run", "everything.py", "--date", "2025-05-01", "--param", "region=us", cwd=tmp_path).code == 1
    real = json.loads(ostinato("show", "1", "--events", "--json", cwd=tmp_path).out)
    dag = load_source(Source(str(file), file.read_bytes())).dag("everything")

    rehearsed = dag.test(date(2025, 5, 1), params={"region": "us"})

    ids = [task["task_id"] for task in real["tasks"]]
    assert rehearsed.states == {task["task_id"]: task["state"] for task in real["tasks"]}
    assert rehearsed.run.state == real["run"]["state"]
    assert rehearsed.outputs["sum_up"] == "us in/2025-05-01.csv 2025-05-01"
    for task_id in [None, *ids]:
        assert _story(rehearsed, task_id) == _real_story(real, task_id)
    for task in real["tasks"]:
        assert [_ending(attempt) for attempt in rehearsed.attempts.get(task["task_id"], [])] == [
            (each["state"], each["error_class"], each["how"], each["message"], each["traceback"])
            for each in task["attempts"]
        ]


def _ending(attempt: Any) -> tuple[object, ...]:
    failure = attempt.failure
    told = (failure.how, failure.message, failure.traceback) if failure else (None, None, None)
    return (str(attempt.state), attempt.error_class, *told)


def _story(rehearsed: Rehearsal, task_id: str | None) -> list[tuple[object, ...]]:
    """Every move of a task, or of the run, with its cause and the facts that were decisive."""
    numbers = {name: task.task_no for name, task in rehearsed.tasks.items()}
    own = [event for event in rehearsed.events if event.task_no == (None if task_id is None else numbers[task_id])]
    return [
        (event.cause, event.was, event.becomes, _facts(event.facts))
        for event in own
        if event.cause not in MOVES_OF_TIME
    ]


def _real_story(real: dict[str, Any], task_id: str | None) -> list[tuple[object, ...]]:
    own = [event for event in real["events"] if event["task_id"] == task_id]
    return [
        (event["cause"], event["was"], event["becomes"], _facts(event["facts"]))
        for event in own
        if event["cause"] not in MOVES_OF_TIME
    ]


def _facts(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """Facts, but for who asked."""
    return facts and {name: value for name, value in facts.items() if name != "by"}
