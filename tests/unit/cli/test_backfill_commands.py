"""Backfills and gaps over planted rows: what is planned, kept, held and listed."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from ostinato.model.cause import Cause
from ostinato.model.record import Run
from ostinato.model.spec import Cron, DagSpec, Need, Param, TaskSpec
from ostinato.model.state import RunState
from tests.unit.cli.planting import Answer, Planter, spec_of

Command = Callable[..., Answer]
Story = dict[str, Run]
APRIL = ("--from", "2025-04-01", "--to", "2025-04-10")


def weekly(**more: object) -> DagSpec:
    """A dag that needs the seven days of its week from ``sales``."""
    waits = TaskSpec("waits", kind="interval", needs=(Need("sales"),))
    schedule = Cron("0 0 * * 1", "America/New_York")
    return DagSpec("weekly", (waits,), schedule=schedule, **more)  # pyright: ignore[reportArgumentType]


def succeed(plant: Planter, day: int, took: int, nth: int = 1) -> None:
    """A run of ``sales`` that took so many milliseconds."""
    run = plant.run(day, nth=nth)
    begin = run.interval.end
    plant.move(run, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, begin)
    plant.move(run, RunState.RUNNING, RunState.SUCCESS, Cause.TASKS_SUCCEEDED, begin + took)


def dates(answer: Answer) -> list[str]:
    return [run["logical_date"] for run in answer.json["runs"]]


def test_a_list_of_dates_is_run_each_once_and_in_order(ostinato: Command, plant: Planter) -> None:
    words = ("backfill", "sales", "--intervals", "2025-04-07, 2025-04-01,2025-04-02,2025-04-07", "--json")
    assert dates(ostinato(*words, "--dry-run")) == ["2025-04-01", "2025-04-02", "2025-04-07"]
    document = ostinato(*words).json["backfill"]
    assert document["chosen"] == [
        {"first": "2025-04-01", "last": "2025-04-02"},
        {"first": "2025-04-07", "last": "2025-04-07"},
    ]


def test_a_moment_of_a_list_is_the_interval_that_starts_then(ostinato: Command, plant: Planter) -> None:
    words = ("backfill", "sales", "--intervals", "2025-04-07T00:00", "--dry-run", "--json")
    assert dates(ostinato(*words)) == ["2025-04-07"]


@pytest.mark.parametrize("option", ["--newest-first", "--reverse"])
def test_the_newest_date_can_go_first(ostinato: Command, plant: Planter, option: str) -> None:
    found = dates(ostinato("backfill", "sales", *APRIL, option, "--dry-run", "--json"))
    assert found == sorted(found, reverse=True)
    assert len(found) == 10


def test_a_batch_is_one_run_for_neighbours_and_they_count_as_run(ostinato: Command, plant: Planter) -> None:
    for day in (-27, -26):
        succeed(plant, day, 100)
    runs = ostinato("backfill", "sales", *APRIL, "--batch", "3", "--dry-run", "--json").json["runs"]
    lengths = [(run["logical_date"], run["interval_end"][:10]) for run in runs]
    assert lengths == [
        ("2025-04-01", "2025-04-04"),
        ("2025-04-06", "2025-04-09"),
        ("2025-04-09", "2025-04-11"),
    ]
    ostinato("backfill", "sales", *APRIL, "--batch", "3")
    again = ostinato("backfill", "sales", *APRIL, "--dry-run", "--json").json
    assert (again["runs"], again["left_alone"]) == ([], {"is queued or running": 8, "succeeded already": 2})


def test_a_backfill_shows_how_it_was_asked_for(ostinato: Command, plant: Planter) -> None:
    words = (
        "--batch",
        "2",
        "--max-active",
        "3",
        "--share",
        "0.25",
        "--param",
        "limit=3",
        "--newest-first",
        "--cascade",
    )
    document = ostinato("backfill", "sales", *APRIL, *words, "--json").json["backfill"]
    how = {name: document[name] for name in ("batch", "max_active_runs", "share", "newest_first", "cascade", "params")}
    assert how == {
        "batch": 2,
        "max_active_runs": 3,
        "share": 0.25,
        "newest_first": True,
        "cascade": True,
        "params": {"region": "eu", "limit": 3},
    }
    said = ostinato("backfill", "show", "1").out
    assert "2025-04-01 to 2025-04-10" in said
    assert "newest first, up to 2 intervals a run, with the dags that need them, at most 3 at once, share 0.25" in said


def test_a_cascade_makes_the_weeks_of_the_days_after_the_days(ostinato: Command, plant: Planter) -> None:
    plant.dag(weekly(), "/dags/weekly.py")
    words = ("backfill", "sales", "--from", "2025-04-03", "--to", "2025-04-09", "--cascade")
    planned = ostinato(*words, "--dry-run", "--json").json["runs"]
    found = [(run["dag_id"], run["logical_date"]) for run in planned]
    assert found[-2:] == [("weekly", "2025-03-31"), ("weekly", "2025-04-07")]
    assert {dag_id for dag_id, _ in found[:-2]} == {"sales"}
    assert len(found) == 9
    said = ostinato(*words, "--dry-run").out
    assert "7 runs of sales would be created: 2025-04-03 to 2025-04-09, in this order" in said
    assert "2 runs of weekly would be created" in said
    assert ostinato(*words, "--json").json["backfill"]["runs"] == {"queued": 9}
    assert len(ostinato("runs", "weekly", "--backfill", "1", "--json").json["runs"]) == 2


def test_a_cascade_to_a_dag_that_must_be_given_something_is_refused(ostinato: Command, plant: Planter) -> None:
    plant.dag(weekly(params=(Param("region", "string", required=True),)), "/dags/weekly.py")
    answer = ostinato("backfill", "sales", *APRIL, "--cascade")
    assert answer.code == 2
    assert "weekly: the parameters do not fit" in answer.err
    assert ostinato("backfill", "ls", "--json").json["backfills"] == []


def test_a_cascade_in_a_circle_is_refused(ostinato: Command, plant: Planter) -> None:
    plant.dag(weekly(), "/dags/weekly.py")
    plant.dag(DagSpec("sales", (TaskSpec("waits", needs=(Need("weekly", shift=-1, by_interval=True),)),)))
    answer = ostinato("backfill", "sales", *APRIL, "--cascade")
    assert answer.code == 3
    assert "sales → weekly → sales" in answer.err


def test_time_is_estimated_from_five_runs_on_and_not_before(ostinato: Command, plant: Planter) -> None:
    words = ("backfill", "sales", *APRIL, "--max-active", "4", "--dry-run")
    for day in range(4):
        succeed(plant, day, 60_000)
    guess = ostinato(*words, "--json").json
    assert (guess["estimated_ms"], guess["too_little_history"]) == (None, "sales")
    assert "too few runs of sales like these have succeeded" in ostinato(*words).out
    succeed(plant, 4, 200_000)
    guess = ostinato(*words, "--json").json
    assert (guess["estimated_ms"], guess["too_little_history"], guess["median_run_ms"]) == (180_000, None, 60_000)
    assert "all of it takes about 3 min 00 s, 4 at once" in ostinato(*words).out


def test_runs_for_a_day_say_nothing_about_runs_for_a_week(ostinato: Command, plant: Planter) -> None:
    for day in range(9):
        succeed(plant, day, 60_000)
    guess = ostinato("backfill", "sales", *APRIL, "--batch", "7", "--dry-run", "--json").json
    assert (guess["estimated_ms"], guess["too_little_history"]) == (None, "sales")


def test_a_dry_run_lists_every_stretch(ostinato: Command, plant: Planter) -> None:
    for day in (-28, -24):
        succeed(plant, day, 100)
    said = ostinato("backfill", "sales", *APRIL, "--dry-run").out
    for line in (
        "  2 for 2025-04-01 to 2025-04-02",
        "  3 for 2025-04-04 to 2025-04-06",
        "  3 for 2025-04-08 to 2025-04-10",
    ):
        assert line in said.splitlines()


def test_a_dry_run_of_very_many_stretches_is_cut(ostinato: Command, plant: Planter) -> None:
    words = ",".join(f"2025-0{month}-{day:02}" for month in (1, 2, 3) for day in range(1, 29, 2))
    said = ostinato("backfill", "sales", "--intervals", words, "--dry-run").out
    assert "and 2 stretches more: see them with --json" in said


def test_a_backfill_is_paused_resumed_and_cancelled(ostinato: Command, plant: Planter) -> None:
    def state(*words: str) -> str:
        return ostinato("backfill", *words, "1", "--json").json["backfill"]["state"]

    ostinato("backfill", "sales", *APRIL)
    steps = [("pause",), ("pause",), ("resume",), ("resume",), ("pause",), ("cancel", "--yes"), ("show",)]
    assert [state(*words) for words in steps] == [
        "paused",
        "paused",
        "running",
        "running",
        "paused",
        "cancelled",
        "cancelled",
    ]
    for word in ("pause", "resume", "cancel"):
        answer = ostinato("backfill", word, "1")
        assert answer.code == 6
        assert "OST-240" in answer.err


def test_a_paused_backfill_says_how_it_goes_on(ostinato: Command, plant: Planter) -> None:
    ostinato("backfill", "sales", *APRIL)
    said = ostinato("backfill", "pause", "1")
    assert "backfill 1 of sales: paused, 0/10 runs" in said.out
    assert "ostinato backfill resume 1" in said.out + said.err


def test_a_dag_without_a_gap_says_so(ostinato: Command, plant: Planter) -> None:
    succeed(plant, 0, 100)
    said = ostinato("gaps", "sales", "--to", "2025-05-01").out
    assert "sales: no gap in 1 intervals from 2025-05-01 to 2025-05-01" in said


def test_gaps_are_told_by_what_they_are_and_how_they_are_filled(ostinato: Command, story: Story) -> None:
    document = ostinato("gaps", "sales", "--from", "2025-04-28", "--to", "2025-05-05", "--json").json
    assert document["counts"] == {"missing": 5, "failed": 1, "stale": 0, "running": 1}
    assert [(each["gap"], each["first"], each["last"], each["intervals"]) for each in document["gaps"]] == [
        ("missing", "2025-04-28", "2025-04-30", 3),
        ("missing", "2025-05-04", "2025-05-05", 2),
        ("failed", "2025-05-02", "2025-05-02", 1),
        ("running", "2025-05-03", "2025-05-03", 1),
    ]
    said = ostinato("gaps", "sales", "--from", "2025-04-28", "--to", "2025-05-05")
    assert "ostinato backfill sales --from 2025-04-28 --to 2025-05-05 --reprocess failed" in said.out + said.err
    planned = ostinato(
        "backfill",
        "sales",
        "--from",
        "2025-04-28",
        "--to",
        "2025-05-05",
        "--reprocess",
        "failed",
        "--dry-run",
        "--json",
    )
    assert len(planned.json["runs"]) == 6


def test_what_another_version_made_is_stale_until_it_is_run_again(ostinato: Command, plant: Planter) -> None:
    for day in range(3):
        succeed(plant, day, 100)
    plant.dag(DagSpec("sales", (*spec_of().tasks, TaskSpec("publish")), schedule=spec_of().schedule))
    words = ("gaps", "sales", "--to", "2025-05-03")
    assert ostinato(*words, "--json").json["counts"]["stale"] == 3
    said = ostinato(*words)
    assert "--from 2025-05-01 --to 2025-05-03 --reprocess all" in said.out + said.err
    succeed(plant, 1, 100, nth=2)
    assert [each["first"] for each in ostinato(*words, "--json").json["gaps"]] == ["2025-05-01", "2025-05-03"]


def test_gaps_begin_where_the_dag_does_and_end_with_the_last_interval_that_is_over(
    ostinato: Command, plant: Planter
) -> None:
    nothing = ostinato("gaps", "sales")
    assert nothing.code == 4
    assert "--from" in nothing.err
    succeed(plant, 0, 100)
    document = ostinato("gaps", "sales", "--json").json
    assert document["first"] == "2025-05-01"
    assert document["intervals"] == document["counts"]["missing"] + 1
    ahead = ostinato("gaps", "sales", "--from", "2199-01-01", "--json").json
    assert (ahead["intervals"], ahead["gaps"]) == (0, [])


def test_gaps_of_a_dag_that_has_ended_end_with_it(ostinato: Command, plant: Planter) -> None:
    first, last = (plant.run(day).interval.start for day in (0, 9))
    plant.dag(DagSpec("sales", spec_of().tasks, schedule=spec_of().schedule, start=first, end=last))
    document = ostinato("gaps", "sales", "--json").json
    assert (document["first"], document["last"], document["intervals"]) == ("2025-05-01", "2025-05-10", 10)
    stretches = [
        (each["interval_start"], each["interval_end"]) for each in document["gaps"] if each["gap"] == "missing"
    ]
    assert all(one[1] <= other[0] for one, other in pairwise(stretches))
