"""What a schedule will do: `dags next` and `dags unpause`."""

from collections.abc import Callable

import pytest
import typer
from msgspec.structs import replace

from ostinato.cli import dags as dags_module
from ostinato.cli import why as why_module
from ostinato.model.cause import Cause
from ostinato.model.spec import After, Calendar, Continuous, Cron, Dst, Every, Moments, Schedule
from ostinato.model.state import RunState
from ostinato.view.reading import schedule_text
from tests.unit.cli.planting import DAY, MAY_1, Answer, Planter, spec_of

Command = Callable[..., Answer]
BERLIN = Cron("30 2 * * *", "Europe/Berlin")


def scheduled(plant: Planter, schedule: Schedule | None, **more: object) -> None:
    """The dag ``sales`` with another schedule."""
    plant.dag(replace(spec_of(), schedule=schedule, deadline=None, **more))


def test_the_next_ticks_are_told_with_what_clock_changes_do(ostinato: Command, plant: Planter) -> None:
    scheduled(plant, BERLIN)
    lines = ostinato("dags", "next", "sales", "-n", "3", "--from", "2025-03-29").out.splitlines()
    assert [line.split("  ") for line in lines[1:]] == [
        ["2025-03-29 02:30:00 +0100", "2025-03-28"],
        ["2025-03-30 03:00:00 +0200", "2025-03-29", "02:30 does not exist: right after the gap"],
        ["2025-03-31 02:30:00 +0200", "2025-03-30"],
    ]


def test_a_time_that_is_left_out_is_told_too(ostinato: Command, plant: Planter) -> None:
    scheduled(plant, replace(BERLIN, dst=Dst("skip", "second")))
    answer = ostinato("dags", "next", "sales", "-n", "2", "--from", "2025-03-29", "--zone", "UTC")
    assert [line.split("  ")[0] for line in answer.out.splitlines()[1:]] == [
        "2025-03-29 01:30:00 +0000",
        "-",
        "2025-03-31 00:30:00 +0000",
    ]
    assert "left out" in answer.out


@pytest.mark.parametrize("schedule", [None, Continuous(60)])
def test_what_nobody_knows_beforehand_is_not_told(ostinato: Command, plant: Planter, schedule: Schedule | None) -> None:
    scheduled(plant, schedule)
    assert ostinato("dags", "next", "sales").code == 2


def test_a_zone_that_is_none_is_refused(ostinato: Command, plant: Planter) -> None:
    answer = ostinato("dags", "next", "sales", "--zone", "Mars")
    assert (answer.code, "Mars" in answer.err) == (2, True)


def test_moments_that_are_over_have_no_more_ticks(ostinato: Command, plant: Planter) -> None:
    scheduled(plant, Moments((0, DAY), "UTC"))
    answer = ostinato("dags", "next", "sales")
    assert (answer.code, answer.out, "no more ticks" in answer.err) == (0, "", True)
    assert ostinato("trigger", "sales", "--date", "2025-05-01").code != 0


def owing(plant: Planter) -> None:
    """A paused dag, three of whose four days have no run."""
    more = {"catchup": "all", "start": MAY_1, "end": MAY_1 + 3 * DAY}
    scheduled(plant, Cron("0 0 * * *", "America/New_York"), **more)
    plant.run(0)
    plant.store.set_paused("sales", True, MAY_1, "ada")


def test_unpausing_says_what_it_would_make_and_does_not_without_a_yes(ostinato: Command, plant: Planter) -> None:
    owing(plant)
    answer = ostinato("dags", "unpause", "sales")
    assert (answer.code, "3 runs for 2025-05-02 to 2025-05-04" in answer.err) == (2, True)
    assert plant.store.dag("sales").paused
    answer = ostinato("dags", "unpause", "sales", "--yes", "--json")
    assert answer.json == {
        "schema": "unpause/1",
        "dag_id": "sales",
        "paused": False,
        "runs": 3,
        "more": False,
        "first": "2025-05-02",
        "last": "2025-05-04",
    }
    assert not plant.store.dag("sales").paused


@pytest.mark.parametrize("agreed", [True, False])
def test_a_person_is_asked(ostinato: Command, plant: Planter, monkeypatch: pytest.MonkeyPatch, agreed: bool) -> None:
    owing(plant)
    monkeypatch.setattr(dags_module.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda _text, **_more: agreed)
    assert ostinato("dags", "unpause", "sales").code == 0
    assert plant.store.dag("sales").paused is not agreed


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (None, None),
        (Cron("0 6 * * *", "UTC", ("0 9 * * 6",)), "0 6 * * *; 0 9 * * 6 UTC"),
        (Calendar(BERLIN, weekdays=(7,)), "30 2 * * * Europe/Berlin, some days left out"),
        (Every(3_600), "every 1 h 00 min"),
        (Every(3_600, 60), "every 1 h 00 min from 1 min 00 s on"),
        (Moments((0, DAY, 3 * DAY), "UTC"), "2 given intervals"),
        (Continuous(60), "continuous, at least 1 min 00 s"),
        (After(("clicks", "prices"), Every(3_600)), "after clicks, prices: every 1 h 00 min"),
    ],
)
def test_every_kind_of_schedule_has_words(schedule: Schedule | None, text: str | None) -> None:
    assert schedule_text(schedule) == text


def after_sales(plant: Planter, **more: object) -> None:
    """A dag ``report`` that runs after ``sales``, for the same days."""
    days = Cron("0 0 * * *", "America/New_York")
    plant.dag(replace(spec_of("report"), schedule=After(("sales",), days), deadline=None, **more), "/dags/report.py")


def test_ticks_of_a_dag_that_runs_after_others_are_the_ends_of_its_intervals(ostinato: Command, plant: Planter) -> None:
    after_sales(plant)
    answer = ostinato("dags", "next", "report", "-n", "2", "--from", "2025-03-29")
    first, second = answer.err.splitlines()[:2]
    assert first == "report: after sales: 0 0 * * * America/New_York, times in America/New_York"
    assert second == "each run is made once sales succeeded for all of its interval, which ends at the tick"
    assert [row.split("  ")[1] for row in answer.out.splitlines()[1:]] == ["2025-03-28", "2025-03-29"]
    document = ostinato("dags", "next", "report", "-n", "1", "--json").json
    assert document["after"] == ["sales"]


def test_clock_changes_are_told_where_the_intervals_of_others_end(ostinato: Command, plant: Planter) -> None:
    scheduled(plant, After(("clicks",), BERLIN))
    lines = ostinato("dags", "next", "sales", "-n", "1", "--from", "2025-03-30").out.splitlines()
    assert lines[1].endswith("02:30 does not exist: right after the gap")


def test_unpausing_makes_what_others_completed_meanwhile(ostinato: Command, plant: Planter) -> None:
    more = {"catchup": "all", "start": MAY_1}
    after_sales(plant, **more)
    for day in (0, 2, 3):
        run = plant.run(day)
        plant.move(run, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, MAY_1 + 8 * DAY)
        plant.move(run, RunState.RUNNING, RunState.SUCCESS, Cause.TASKS_SUCCEEDED, MAY_1 + 8 * DAY)
    plant.store.set_paused("report", True, MAY_1, "ada")
    answer = ostinato("dags", "unpause", "report")
    assert (answer.code, "3 runs for 2025-05-01 to 2025-05-04" in answer.err) == (2, True)


def test_a_dag_says_which_of_the_others_its_next_run_waits_for(
    ostinato: Command, plant: Planter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why_module, "scheduler_of", lambda _home, _store: "process 1")
    after_sales(plant)
    answer = ostinato("why", "report", "--json").json
    (reason,) = answer["reasons"]
    assert reason["code"] == "W-207"
    assert "it is made once sales has succeeded from" in reason["what"]
