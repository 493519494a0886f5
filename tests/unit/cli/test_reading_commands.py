"""The commands that read, over planted rows: what people see, and the document that machines get."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ostinato.home import Home
from ostinato.model.record import Run
from ostinato.view.documents import backfills, dags, runs, state
from tests.unit.cli.planting import Answer, Planter, spec_of

Command = Callable[..., Answer]
Story = dict[str, Run]

READS = [
    (("runs",), runs.RunsDocument),
    (("pools",), state.PoolsDocument),
    (("runs", "sales", "--state", "failed", "--limit", "5"), runs.RunsDocument),
    (("show", "1"), runs.ShowDocument),
    (("show", "2", "--events"), runs.ShowDocument),
    (("show", "sales@2025-05-02"), runs.ShowDocument),
    (("logs", "1"), runs.LogsDocument),
    (("logs", "1", "load", "--attempt", "2"), runs.LogsDocument),
    (("dags",), dags.DagsDocument),
    (("dags", "ls", "--retired"), dags.DagsDocument),
    (("dags", "next", "sales"), dags.TicksDocument),
    (("dlq",), runs.DeadLettersDocument),
    (("dlq", "ls", "sales"), runs.DeadLettersDocument),
    (("dlq", "show", "sales", "2025-05-01"), runs.RecordsDocument),
    (("backfill", "ls"), backfills.BackfillsDocument),
    (("backfill", "sales", "--from", "2025-04-01", "--to", "2025-04-30", "--dry-run"), backfills.PlanDocument),
    (("gaps", "sales", "--from", "2025-04-28", "--to", "2025-05-04"), backfills.GapsDocument),
    (("check", "."), dags.CheckDocument),
    (("audit",), state.AuditDocument),
    (("audit", "ls", "--who", "ada", "--to", "sales"), state.AuditDocument),
    (("audit", "verify"), state.ChainDocument),
    (("doctor",), state.DoctorDocument),
    (("why", "sales"), runs.WhyDocument),
    (("why", "1"), runs.WhyDocument),
    (("why", "sales@2025-05-02/report"), runs.WhyDocument),
]


@pytest.mark.parametrize(
    ("words", "document"), READS, ids=lambda value: " ".join(value) if type(value) is tuple else ""
)
def test_every_read_answers_with_exactly_one_document_of_the_promised_shape(
    ostinato: Command, story: Story, words: tuple[str, ...], document: type[msgspec.Struct]
) -> None:
    answer = ostinato(*words, "--json")
    assert answer.code == 0, answer.err
    read = msgspec.json.decode(answer.out, type=document)
    assert json.loads(msgspec.json.encode(read)) == answer.json
    assert answer.json["schema"] == document.__struct_defaults__[0]


@pytest.mark.parametrize("words", [words for words, _ in READS], ids=" ".join)
def test_every_read_has_a_form_for_people(ostinato: Command, story: Story, words: tuple[str, ...]) -> None:
    answer = ostinato(*words)
    assert answer.code == 0, answer.err
    assert answer.out or answer.err
    assert "{" not in answer.out
    assert "\x1b[" not in answer.out


def test_runs_are_listed_newest_first_with_their_logical_dates(ostinato: Command, story: Story) -> None:
    lines = ostinato("runs").out.splitlines()
    assert [line.split()[:5] for line in lines[1:]] == [
        ["3", "sales", "2025-05-03", "manual", "queued"],
        ["2", "sales", "2025-05-02", "manual", "failed"],
        ["1", "sales", "2025-05-01", "manual", "success"],
    ]


def test_a_long_list_says_how_to_see_the_rest(ostinato: Command, story: Story) -> None:
    answer = ostinato("runs", "--limit", "2")
    assert "--before 2" in answer.err
    assert ostinato("runs", "--before", "2").out.splitlines()[1].split()[0] == "1"


def test_moments_are_told_in_the_local_zone_and_dates_in_the_schedules(
    ostinato: Command, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time  # noqa: PLC0415

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        answer = ostinato("show", "1")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "logical date  2025-05-01" in answer.out
    assert "started       2025-05-02 13:00:00 JST" in answer.out


def test_show_says_what_was_retried_and_by_which_rule(ostinato: Command, story: Story) -> None:
    assert "retried: transient (exception ConnectionError)" in ostinato("show", "1").out


def test_show_has_the_users_frames_of_what_failed(ostinato: Command, story: Story) -> None:
    answer = ostinato("show", "2")
    assert 'File "sales.py", line 12, in load' in answer.out
    assert "load failed on try 1, a logic error: no rule says that trying again helps" in answer.out
    assert "not delivered yet after 1 tries: connection refused" in answer.out
    assert "next: ostinato logs 2 load" in answer.err


def test_show_tells_the_story_on_request(ostinato: Command, story: Story) -> None:
    assert "failed_finally" not in ostinato("show", "2").out
    assert "load  queued → failed  failed_finally" in ostinato("show", "2", "--events").out
    document = ostinato("show", "2", "--events", "--json").json
    assert [event["seq"] for event in document["events"]] == list(range(7))


def test_the_newest_run_of_a_dag_is_shown_by_the_dags_id(ostinato: Command, story: Story) -> None:
    assert ostinato("show", "sales", "--json").json["run"]["run_id"] == 3


def test_a_run_with_many_tasks_is_shown_in_part(ostinato: Command, plant: Planter) -> None:
    big = msgspec.structs.replace(
        spec_of("big"), tasks=tuple(msgspec.structs.replace(spec_of().tasks[0], task_id=f"t{n}") for n in range(500))
    )
    plant.dag(big, "/dags/big.py")
    run = plant.run(0, "big")
    plant.attempt(run, 333, run.interval.end)
    answer = ostinato("show", str(run.run_id))
    assert "40 of 500 tasks are shown (499 none, 1 success); --all shows every one" in answer.out
    assert len(ostinato("show", str(run.run_id), "--all").out.splitlines()) > 500


def test_logs_are_exactly_what_the_attempt_wrote(ostinato: Command, story: Story) -> None:
    assert ostinato("logs", "1", "extract").out == "reading raw/sales.csv\n1,000 rows\n"
    assert ostinato("logs", "1", "load", "--attempt", "1").out == "blip\n"
    assert ostinato("logs", "1", "load", "--attempt", "2").out == "loaded 997\n"


def test_logs_of_several_tasks_name_the_task_on_each_line(ostinato: Command, story: Story) -> None:
    assert ostinato("logs", "1").out.splitlines() == [
        "extract | reading raw/sales.csv",
        "extract | 1,000 rows",
        "load    | blip",
        "load    | loaded 997",
    ]


def test_logs_that_were_cleaned_away_are_not_an_error(ostinato: Command, story: Story, home: Home) -> None:
    (home.logs / "segment-1").unlink()
    answer = ostinato("logs", "1")
    assert (answer.code, answer.out) == (0, "")
    assert "nothing was written" in answer.err


def test_rejected_records_are_shown_as_they_came(ostinato: Command, story: Story) -> None:
    answer = ostinato("dlq", "show", "sales", "2025-05-01", "--limit", "2")
    assert "3 rejected rows of sales for 2025-05-01" in answer.out
    assert "2025,5,1,0,," in answer.out
    assert "2025,5,1,2,," not in answer.out
    assert "2 of 3 are shown" in answer.err


def test_a_pause_is_seen_in_the_list_and_can_be_lifted(ostinato: Command, story: Story) -> None:
    assert ostinato("dags", "pause", "sales").code == 0
    assert ostinato("dags", "--json").json["dags"][0]["paused"] is True
    assert ostinato("dags", "unpause", "sales").code == 0
    assert ostinato("dags", "--json").json["dags"][0]["paused"] is False


def test_cancelling_asks_once_and_says_so(ostinato: Command, story: Story) -> None:
    assert "run 3 of sales is asked to stop" in ostinato("cancel", "3", "--yes").out
    assert "run 3 of sales was already asked to stop" in ostinato("cancel", "3", "--yes").out
    assert ostinato("show", "3", "--json").json["run"]["cancel_requested_at"] is not None


def test_what_is_over_cannot_be_cancelled(ostinato: Command, story: Story) -> None:
    answer = ostinato("cancel", "1")
    assert answer.code == 6
    assert "run 1 is over: success" in answer.err


def test_a_trigger_makes_the_next_run_of_its_interval(ostinato: Command, story: Story) -> None:
    document = ostinato("trigger", "sales", "--date", "2025-05-01", "--param", "limit=3", "--json").json
    assert document["run"]["run_key"] == "2025-05-01T04:00:00Z#2"
    assert document["run"]["params"] == {"region": "eu", "limit": 3}
    assert document["run"]["state"] == "queued"


def test_a_backfill_makes_a_run_for_each_date_that_has_none(ostinato: Command, story: Story) -> None:
    answer = ostinato("backfill", "sales", "--from", "2025-04-29", "--to", "2025-05-04", "--json")
    assert answer.json["backfill"]["runs"] == {"queued": 3}
    runs = ostinato("runs", "--backfill", "1", "--json").json["runs"]
    assert sorted(run["logical_date"] for run in runs) == ["2025-04-29", "2025-04-30", "2025-05-04"]


@pytest.mark.parametrize(("which", "count"), [("missing", 0), ("failed", 1), ("all", 2)])
def test_reprocessing_says_which_dates_are_run_again(ostinato: Command, story: Story, which: str, count: int) -> None:
    words = ("backfill", "sales", "--from", "2025-05-01", "--to", "2025-05-03", "--reprocess", which, "--dry-run")
    document = ostinato(*words, "--json").json
    assert len(document["runs"]) == count
    assert sum(document["left_alone"].values()) == 3 - count
    assert document["median_run_ms"] == 7_990


def test_a_dry_run_changes_nothing(ostinato: Command, story: Story) -> None:
    ostinato("backfill", "sales", "--from", "2025-04-01", "--to", "2025-04-30", "--dry-run")
    assert ostinato("backfill", "ls", "--json").json["backfills"] == []
    assert len(ostinato("runs", "--json").json["runs"]) == 3


def test_a_backfill_is_cancelled_as_a_whole(ostinato: Command, story: Story) -> None:
    ostinato("backfill", "sales", "--from", "2025-04-01", "--to", "2025-04-03")
    answer = ostinato("backfill", "cancel", "1", "--yes")
    assert "3 runs of backfill 1 are asked to stop" in answer.out
    runs = ostinato("runs", "--backfill", "1", "--json").json["runs"]
    assert all(run["cancel_requested_at"] for run in runs)


def test_the_doctor_finds_nothing_wrong_with_a_new_state(ostinato: Command, story: Story) -> None:
    checks = {check["name"]: check["state"] for check in ostinato("doctor", "--json").json["checks"]}
    assert checks["database"] == "ok"
    assert checks["home"] == "ok"
    assert checks["alerts"] == "warning"
    assert "error" not in checks.values()


def test_the_doctor_says_what_is_wrong_with_a_database(ostinato: Command, story: Story, plant: Planter) -> None:
    plant.damage()
    answer = ostinato("doctor", "--json")
    assert answer.code == 3
    (check,) = (check for check in answer.json["checks"] if check["state"] == "error")
    assert check["name"] == "database"
    assert check["help"]


def test_the_doctor_warns_of_a_state_that_others_can_read(ostinato: Command, story: Story, home: Home) -> None:
    home.path.chmod(0o755)
    (check,) = (check for check in ostinato("doctor", "--json").json["checks"] if check["name"] == "home")
    assert check["state"] == "warning"
    assert "chmod 700" in check["help"]


def test_colours_are_for_those_who_want_them(ostinato: Command, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    assert "\x1b[32m" in ostinato("runs").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in ostinato("runs").out


def test_a_failing_command_that_was_asked_for_json_answers_with_a_json_error(ostinato: Command, story: Story) -> None:
    answer = ostinato("show", "99", "--json")
    assert answer.code == 4
    assert answer.json["schema"] == "error/1"
    assert answer.json["error"]["code"] == "OST-401"


def test_an_empty_folder_of_dags_is_no_mistake(ostinato: Command, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    answer = ostinato("check", "dags")
    assert answer.code == 0
    assert "no dags were found" in answer.err


def test_a_pool_that_is_set_is_in_the_list(ostinato: Command, story: Story) -> None:
    assert ostinato("pools", "set", "warehouse", "3").code == 0
    assert {"name": "warehouse", "slots": 3, "used": 0} in ostinato("pools", "--json").json["pools"]
