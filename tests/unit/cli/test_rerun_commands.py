"""Running a part again, marking, answering, switching off: over planted rows, without a scheduler."""

from collections.abc import Callable
from io import StringIO

import pytest
from msgspec import structs

from ostinato.cli.confirm import NotConfirmed, confirm
from ostinato.model.cause import Cause
from ostinato.model.change import Commit, TaskMove
from ostinato.model.errors import UsageError
from ostinato.model.record import UNMAPPED, Run
from ostinato.model.spec import Approval, DagSpec, Param, Scope, TaskSpec, Value
from ostinato.model.state import RunState, TaskState
from tests.unit.cli.planting import Answer, Planter, spec_of

Command = Callable[..., Answer]
Story = dict[str, Run]


def taken_over(answer: Answer) -> dict[str, str]:
    return {each["task"]: each["cause"] for each in answer.json["carried"]}


def test_a_dry_run_lists_what_would_run_and_what_is_taken_over(ostinato: Command, story: Story) -> None:
    said = ostinato("rerun", "2", "--failed", "--dry-run")
    assert said.code == 0
    assert said.out == (
        "2 of 3 tasks of run 2 of sales would run again\n  load\n  report\n"
        "taken over: 1 carried_success\n  extract  success  carried_success\n"
    )
    assert len(ostinato("runs", "--json").json["runs"]) == 3


def test_a_rerun_is_a_new_run_of_the_same_interval_with_the_recorded_parameters(
    ostinato: Command, story: Story, plant: Planter
) -> None:
    answer = ostinato("rerun", "sales@2025-05-02", "--failed", "--json")
    document = answer.json["run"]
    assert (document["based_on"], document["kind"], document["state"]) == (2, "manual", "queued")
    assert document["run_key"].endswith("#2")
    assert document["params"] == {"region": "eu", "limit": 10}
    assert (answer.json["again"], taken_over(answer)) == (["load", "report"], {"extract": "carried_success"})
    new = plant.store.run(document["run_id"])
    assert (new.interval, new.version) == (story["bad"].interval, story["bad"].version)
    assert [(task.task_no, task.state) for task in plant.store.tasks(new.run_id)] == [(0, TaskState.SUCCESS)]
    assert plant.store.run(2) == story["bad"]


def test_without_an_option_all_of_it_runs_again(ostinato: Command, story: Story) -> None:
    said = ostinato("rerun", "1")
    assert "run 4 goes on from run 1: 3 of 3 tasks run again" in said.out
    assert "next: ostinato show 4" in said.err


def test_a_selection_runs_with_all_that_comes_after_it(ostinato: Command, story: Story) -> None:
    answer = ostinato("rerun", "1", "--select", "load", "--dry-run", "--json")
    assert (answer.json["again"], answer.json["run"]) == (["load", "report"], None)


def test_many_names_are_cut_short_for_people(ostinato: Command, story: Story, plant: Planter) -> None:
    plant.dag(DagSpec("wide", tuple(TaskSpec(f"t{n}") for n in range(40))), "/dags/wide.py")
    run = plant.run(0, "wide")
    plant.move(run, RunState.QUEUED, RunState.CANCELLED, Cause.CANCELLED, run.created_at)
    assert "  and 10 more; --json lists them all" in ostinato("rerun", str(run.run_id), "--dry-run").out


def test_the_newest_version_is_run_where_that_is_wanted(ostinato: Command, story: Story, plant: Planter) -> None:
    old = spec_of()
    params = (Param("region", "string", default="us"), Param("day", "integer", default=3))
    newer = structs.replace(old, tasks=(*old.tasks, TaskSpec("notify", upstream=(0,))), params=params)
    plant.dag(newer)
    answer = ostinato("rerun", "2", "--failed", "--newest", "--json")
    assert answer.json["again"] == ["load", "report", "notify"]
    assert answer.json["run"]["params"] == {"region": "eu", "day": 3}
    assert answer.json["version"] == plant.store.dag("sales").version != story["bad"].version


@pytest.mark.parametrize(
    ("words", "code", "error", "says"),
    [
        ("rerun 1 --failed", 6, "OST-262", "nothing of run 1 would run again"),
        ("rerun 3", 6, "OST-263", "run 3 of sales is queued"),
        ("rerun 1 --select laod", 4, "OST-261", "Did you mean load?"),
        ("rerun 1 --select load[", 2, "OST-260", "is no selector"),
        ("rerun 1 --select load --failed", 2, "OST-400", "two answers"),
        ("rerun 99", 4, "OST-401", "there is no run 99"),
        ("mark 1 load done", 2, "OST-400", "Choose one of success, failed, skipped."),
        ("mark 1 load succes", 2, "OST-400", "Did you mean success?"),
        ("mark 3 load success", 6, "OST-268", "has not begun"),
        ("approve 3 load", 6, "OST-264", "asks nobody anything"),
        ("decline 1 lod", 4, "OST-261", "Did you mean load?"),
        ("tasks off sales laod", 4, "OST-401", "Did you mean load?"),
        ("tasks off sales load --as faild", 2, "OST-400", "Choose one of success, skipped."),
        ("tasks on sales laod", 4, "OST-401", "Did you mean load?"),
        ("tasks ls slaes", 4, "OST-401", "Did you mean sales?"),
        ("cancel 3", 2, "OST-400", "Say --yes."),
    ],
)
def test_what_cannot_be_is_said(ostinato: Command, story: Story, words: str, code: int, error: str, says: str) -> None:
    answer = ostinato(*words.split())
    assert (answer.code, error in answer.err) == (code, True), answer.err
    assert says in answer.err


def test_an_interval_is_not_run_twice_at_once(ostinato: Command, story: Story) -> None:
    assert ostinato("rerun", "2").code == 0
    again = ostinato("rerun", "2")
    assert (again.code, "OST-266" in again.err) == (6, True)
    assert "run 4 of sales is for the same interval and is queued" in again.err


# --- mark -------------------------------------------------------------------------------------------------------


def test_marking_in_a_run_that_is_over_makes_a_new_one(ostinato: Command, story: Story, plant: Planter) -> None:
    dry = ostinato("mark", "2", "load", "success", "--dry-run", "--json")
    assert (dry.json["run"], dry.json["again"]) == (None, ["report"])
    answer = ostinato("mark", "2", "load", "success", "--json")
    assert taken_over(answer) == {"extract": "carried_success", "load": "marked_success"}
    assert answer.json["run"]["based_on"] == 2
    assert plant.store.run(2).state is RunState.FAILED


def begun(plant: Planter, spec: DagSpec, *moves: tuple[int, TaskState]) -> int:
    """A run that goes on, whose tasks stand so."""
    plant.dag(spec, f"/dags/{spec.dag_id}.py")
    run = plant.run(0, spec.dag_id)
    plant.move(run, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, run.created_at)
    for task_no, becomes in moves:
        move = TaskMove(run.run_id, task_no, TaskState.NONE, becomes, run.created_at)
        cause = Cause.ASKED if becomes is TaskState.DEFERRED else Cause.UPSTREAM_SKIPPED
        event = plant.event(run, run.created_at, cause, "none", becomes, task_no)
        plant.store.commit(Commit(tasks=[move], events=[event]), plant.epoch)
    return run.run_id


ASKS = DagSpec(
    "asks",
    (
        TaskSpec("build"),
        TaskSpec("release", kind="approval", approval=Approval("publish?")),
        TaskSpec("later", kind="approval", upstream=(1,), approval=Approval("tell?")),
        TaskSpec("load", scope=0, upstream=()),
    ),
    scopes=(Scope("load", "each", upstream=(0,), over=(("n", Value([1])),)),),
)


def decided(plant: Planter) -> list[tuple[int, int, str]]:
    return [(each.task_no, each.map_index, each.what) for each in plant.store.interventions()]


def test_marking_in_a_run_that_goes_on_is_a_decision_for_the_scheduler(
    ostinato: Command, plant: Planter, story: Story
) -> None:
    run = begun(plant, ASKS, (1, TaskState.SKIPPED))
    said = ostinato("mark", str(run), "build,release", "failed")
    assert said.out == f"build of run {run} of asks: to end as failed\n"
    assert decided(plant) == [(0, UNMAPPED, "mark_failed")]
    over = ostinato("mark", str(run), "release", "failed")
    assert (over.code, "OST-268" in over.err, "is skipped" in over.err) == (6, True, True)
    nothing = ostinato("mark", str(run), "state:failed", "success")
    assert (nothing.code, "not there" in nothing.err) == (6, True)
    whole = ostinato("mark", str(run), "load", "success")
    assert (whole.code, "has no instances" in whole.err) == (6, True)
    waited = ostinato("mark", str(run), "build", "success", "--wait")
    assert (waited.code, "goes on" in waited.err) == (2, True)
    ostinato("cancel", str(run), "--yes")
    assert "is being stopped" in ostinato("mark", str(run), "build", "failed").err


# --- approve, decline -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "told"), [("approve", "approved"), ("decline", "declined")])
def test_a_question_is_answered_once_it_is_asked(ostinato: Command, plant: Planter, word: str, told: str) -> None:
    run = begun(plant, ASKS, (1, TaskState.DEFERRED))
    answer = ostinato(word, str(run), "release")
    assert answer.out == f"release of run {run} of asks: {told}\n"
    assert decided(plant) == [(1, UNMAPPED, word)]
    document = ostinato(word, str(run), "release", "--json").json
    assert (document["run_id"], document["tasks"], document["decision"]) == (run, ["release"], word)
    early = ostinato(word, str(run), "later")
    assert (early.code, "has not asked yet" in early.err) == (6, True)


def test_a_question_that_is_over_is_answered_no_more(ostinato: Command, plant: Planter) -> None:
    run = begun(plant, ASKS, (1, TaskState.SKIPPED))
    late = ostinato("approve", str(run), "release")
    assert (late.code, "asks no more: it is skipped" in late.err) == (6, True)


# --- tasks ------------------------------------------------------------------------------------------------------


def test_tasks_are_switched_off_and_on(ostinato: Command, plant: Planter, story: Story) -> None:
    assert ostinato("tasks").err == "no task is switched off\n"
    assert "report of sales is switched off and ends as success" in ostinato("tasks", "off", "sales", "report").out
    ostinato("tasks", "off", "sales", "load", "--as", "skipped")
    assert ostinato("tasks", "ls", "sales", "--json").json["tasks"] == [
        {"dag_id": "sales", "task_id": "load", "ends_as": "skipped"},
        {"dag_id": "sales", "task_id": "report", "ends_as": "success"},
    ]
    listed = ostinato("tasks")
    assert "sales  load    skipped" in listed.out
    assert "next: ostinato tasks on sales load" in listed.err
    assert "load of sales is run again" in ostinato("tasks", "on", "sales", "load").out
    assert "was not switched off" in ostinato("tasks", "on", "sales", "load").out
    assert plant.store.switched_off() == {("sales", "report"): "success"}


# --- asking again -----------------------------------------------------------------------------------------------


class Terminal(StringIO):
    """A terminal at which somebody has typed something."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("word", ["y", "YES"])
def test_a_yes_goes_on(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(f"{word}\n"))
    monkeypatch.setattr("sys.stderr", shown)
    confirm("Stop it?", yes=False)
    assert shown.getvalue() == "Stop it? [y/N] "


@pytest.mark.parametrize("word", ["", "n", "what?"])
def test_anything_else_does_not(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{word}\n"))
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(NotConfirmed):
        confirm("Stop it?", yes=False)


def test_where_nobody_can_answer_yes_has_to_be_said_before() -> None:
    with pytest.raises(UsageError, match="nobody can be asked"):
        confirm("Stop it?", yes=False)
    confirm("Stop it?", yes=True)
