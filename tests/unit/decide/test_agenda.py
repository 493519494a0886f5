"""Every tick of every schedule leads to one run, and every deadline that passes is told once."""

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, sampled_from
from msgspec import structs

from ostinato.decide import agenda as agenda_module
from ostinato.decide.agenda import Agenda
from ostinato.model.change import Commit
from ostinato.model.record import Dag, Expectation, run_key
from ostinato.model.spec import Catchup, DagSpec, Deadline, Every, Param, TaskSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant
from ostinato.model.value import decode
from tests.unit.decide.boards import run_of
from tests.unit.decide.known_runs import KnownRuns

HOUR = 3_600_000
NOON = 472_224 * HOUR
"""An hour that begins."""
TASKS = (TaskSpec("t"),)


class Calendar:
    """An agenda with one dag, and all that it has decided."""

    def __init__(self, spec: DagSpec, now: Instant = NOON, until: Instant | None = None) -> None:
        self.specs = {"v1": spec}
        self.going = False
        self.dag = Dag(spec.dag_id, "v1", "sales.py", scheduled_until=until)
        self.agenda = Agenda()
        self.plan(now)
        self.made: list[Instant] = []
        self.alerts: list[tuple[str, str]] = []
        self.expectations: list[tuple[str, Instant]] = []
        self.known = KnownRuns()

    def plan(self, now: Instant) -> None:
        """What is deployed now."""
        self.agenda.replan([self.dag], self.specs.__getitem__, now)

    def tick(self, now: Instant) -> Commit:
        """What is due by now."""
        commit = Commit()
        self.agenda.tick(now, commit, self.known, lambda _dag: self.going)
        return self.learn(commit)

    def learn(self, commit: Commit) -> Commit:
        """Keep what was decided."""
        self.made += [new.start for new in commit.new_runs]
        self.alerts += [(alert.action, alert.dedup_key) for alert in commit.alerts]
        self.expectations += [(move.becomes, move.start) for move in commit.expectations]
        return commit

    def success(self, start: Instant, now: Instant) -> Commit:
        """A run of an interval succeeds."""
        run = structs.replace(run_of(1), state=RunState.SUCCESS)
        run = structs.replace(run, interval=run.interval.__class__(start, start + HOUR))
        commit = Commit()
        self.agenda.succeeded([run], now, commit, self.known)
        return self.learn(commit)


def hourly(catchup: Catchup = "last", deadline: Deadline | None = None, **more: object) -> DagSpec:
    return structs.replace(DagSpec("sales", TASKS, Every(3_600), catchup, deadline=deadline), **more)


AT_ONE = Deadline("01:00", "UTC")
FROM_MIDNIGHT = NOON // (24 * HOUR) * 24 * HOUR


# --- runs -----------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(sampled_from(("all", "last", "none")), lists(integers(1, 50 * 60_000), min_size=1, max_size=30))
def test_looked_at_in_time_every_interval_gets_one_run_whatever_the_catchup(
    catchup: Catchup, pauses: list[int]
) -> None:
    calendar = Calendar(hourly(catchup))
    now = NOON
    for pause in pauses:
        for at in range(now - now % 60_000 + 60_000, now + pause + 1, 60_000):
            calendar.tick(at)
        now += pause
        calendar.tick(now)
    assert calendar.made == list(range(NOON, now // HOUR * HOUR, HOUR))


@pytest.mark.parametrize(
    ("catchup", "made"),
    [("all", [NOON, NOON + HOUR, NOON + 2 * HOUR]), ("last", [NOON + 2 * HOUR]), ("none", [])],
)
def test_what_passed_while_nobody_looked_is_caught_up_with_as_the_dag_says(
    catchup: Catchup, made: list[Instant]
) -> None:
    calendar = Calendar(hourly(catchup))
    calendar.tick(NOON + 3 * HOUR + HOUR // 2)
    assert calendar.made == made


def test_a_schedule_that_is_new_is_followed_from_now_on_and_that_is_written_at_once() -> None:
    calendar = Calendar(hourly(), now=NOON + 7)
    assert [(cursor.dag_id, cursor.until) for cursor in calendar.tick(NOON + 8).cursors] == [("sales", NOON + 7)]
    assert calendar.tick(NOON + 9).cursors == []
    assert calendar.agenda.next_due() == NOON + HOUR


def test_a_new_schedule_that_catches_up_begins_with_its_start() -> None:
    calendar = Calendar(hourly("all", start=NOON - 2 * HOUR), now=NOON + 7)
    calendar.tick(NOON + 8)
    assert calendar.made == [NOON - 2 * HOUR, NOON - HOUR]


def test_after_a_restart_it_goes_on_where_it_was() -> None:
    calendar = Calendar(hourly("all"), now=NOON + 2 * HOUR, until=NOON)
    calendar.tick(NOON + 2 * HOUR)
    assert calendar.made == [NOON, NOON + HOUR]


def test_far_behind_it_catches_up_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda_module, "MAX_RUNS_PER_TICK", 2)
    calendar = Calendar(hourly("all"), until=NOON - 5 * HOUR)
    portions = []
    while calendar.agenda.next_due() is not None and calendar.agenda.next_due() <= NOON:
        portions.append(len(calendar.tick(NOON).new_runs))
    assert portions == [2, 2, 1]
    assert calendar.made == [NOON - back * HOUR for back in (5, 4, 3, 2, 1)]


def test_a_run_is_made_for_the_version_in_force_with_its_parameters() -> None:
    calendar = Calendar(hourly(params=(Param("size", "integer", 3),)))
    (new,) = calendar.tick(NOON + HOUR).new_runs
    assert (new.version, new.kind, new.run_key, decode(new.params)) == ("v1", "scheduled", run_key(NOON), {"size": 3})
    calendar.specs["v2"] = hourly()
    calendar.dag = structs.replace(calendar.dag, version="v2")
    calendar.plan(NOON + HOUR + 1)
    (new,) = calendar.tick(NOON + 2 * HOUR).new_runs
    assert (new.version, new.start) == ("v2", NOON + HOUR)


def test_deployed_again_and_again_a_schedule_ticks_once() -> None:
    calendar = Calendar(hourly())
    for version in range(2, 9):
        calendar.specs[f"v{version}"] = hourly()
        calendar.dag = structs.replace(calendar.dag, version=f"v{version}")
        calendar.plan(NOON + version)
    assert len(calendar.tick(NOON + HOUR).cursors) == 2  # where it began, and where it is
    assert len(calendar.tick(NOON + 2 * HOUR).cursors) == 1
    assert len(calendar.agenda._ticks) == 1
    assert calendar.made == [NOON, NOON + HOUR]


def test_a_paused_schedule_makes_no_runs_and_catches_up_when_it_goes_on() -> None:
    calendar = Calendar(hourly("all"))
    calendar.tick(NOON + 1)
    calendar.dag = structs.replace(calendar.dag, paused=True, scheduled_until=NOON)
    calendar.plan(NOON + 2)
    calendar.tick(NOON + 2 * HOUR)
    assert (calendar.made, calendar.agenda.next_due()) == ([], None)
    calendar.dag = structs.replace(calendar.dag, paused=False)
    calendar.plan(NOON + 2 * HOUR)
    calendar.tick(NOON + 2 * HOUR)
    assert calendar.made == [NOON, NOON + HOUR]


def test_a_dag_that_is_gone_makes_no_runs() -> None:
    calendar = Calendar(hourly())
    calendar.agenda.replan([], calendar.specs.__getitem__, NOON + 1)
    calendar.tick(NOON + HOUR)
    assert calendar.made == []


def test_a_dag_without_a_schedule_is_never_due() -> None:
    calendar = Calendar(DagSpec("sales", TASKS))
    calendar.tick(NOON + HOUR)
    assert (calendar.made, calendar.agenda.next_due()) == ([], None)


def test_a_clock_that_is_set_back_makes_nothing_twice() -> None:
    calendar = Calendar(hourly("all"))
    for at in (NOON + HOUR, NOON + HOUR - 5_000, NOON + HOUR + 1, NOON + 2 * HOUR):
        calendar.tick(at)
    assert calendar.made == [NOON, NOON + HOUR]


# --- deadlines ------------------------------------------------------------------------------------------------------


def expecting() -> Calendar:
    """A calendar on which the interval of midnight is expected by one o'clock, the moment that it ends."""
    calendar = Calendar(hourly(deadline=AT_ONE), now=FROM_MIDNIGHT)
    calendar.tick(FROM_MIDNIGHT + HOUR)
    assert calendar.expectations == [("expected", FROM_MIDNIGHT)]
    return calendar


def test_a_deadline_that_passes_is_told_once() -> None:
    calendar = expecting()
    calendar.tick(FROM_MIDNIGHT + HOUR)
    assert calendar.alerts == []
    assert calendar.agenda.next_due() == FROM_MIDNIGHT + HOUR + 1
    calendar.tick(FROM_MIDNIGHT + HOUR + 1)
    calendar.tick(FROM_MIDNIGHT + HOUR + 2)
    assert [action for action, _ in calendar.alerts] == ["trigger"]
    assert calendar.expectations[1:] == [("missed", FROM_MIDNIGHT)]


def test_done_on_the_dot_is_done_in_time() -> None:
    calendar = expecting()
    calendar.success(FROM_MIDNIGHT, FROM_MIDNIGHT + HOUR)
    calendar.tick(FROM_MIDNIGHT + HOUR + 1)
    assert calendar.alerts == []
    assert calendar.expectations[1:] == [("met", FROM_MIDNIGHT)]


def test_what_is_done_late_is_made_good_once() -> None:
    calendar = expecting()
    calendar.tick(FROM_MIDNIGHT + HOUR + 1)
    calendar.success(FROM_MIDNIGHT, FROM_MIDNIGHT + HOUR + 9)
    again = calendar.success(FROM_MIDNIGHT, FROM_MIDNIGHT + HOUR + 10)
    assert [action for action, _ in calendar.alerts] == ["trigger", "resolve"]
    assert not again


def test_what_was_done_before_its_interval_had_ended_is_not_missed() -> None:
    calendar = expecting()
    early = structs.replace(
        run_of(1), state=RunState.SUCCESS, interval=DataInterval(FROM_MIDNIGHT, FROM_MIDNIGHT + HOUR)
    )
    calendar.known.runs.append(early)
    calendar.tick(FROM_MIDNIGHT + HOUR + 1)
    assert calendar.alerts == []
    assert calendar.expectations[1:] == [("met", FROM_MIDNIGHT)]


@pytest.mark.parametrize(("state", "told"), [("expected", ["trigger", "resolve"]), ("missed", ["resolve"])])
def test_after_a_restart_deadlines_are_watched_as_they_stand(state: str, told: list[str]) -> None:
    calendar = Calendar(DagSpec("sales", TASKS))
    calendar.agenda.expect(Expectation("sales", NOON, NOON + HOUR, state, NOON))
    calendar.tick(NOON + HOUR + 1)
    calendar.success(NOON, NOON + HOUR + 2)
    assert [action for action, _ in calendar.alerts] == told


def test_an_interval_that_nobody_waits_for_is_met_by_nothing() -> None:
    calendar = Calendar(hourly())
    assert not calendar.success(NOON, NOON + HOUR)


def test_a_backfills_run_for_several_intervals_makes_good_all_of_them() -> None:
    calendar = Calendar(DagSpec("sales", TASKS))
    for at in range(3):
        calendar.agenda.expect(Expectation("sales", NOON + at * HOUR, NOON + 4 * HOUR, "expected", NOON))
    run = structs.replace(run_of(1, kind="backfill"), state=RunState.SUCCESS)
    run = structs.replace(run, interval=run.interval.__class__(NOON, NOON + 2 * HOUR))
    commit = Commit()
    calendar.agenda.succeeded([run], NOON, commit, calendar.known)
    assert [(move.start, move.becomes) for move in commit.expectations] == [(NOON, "met"), (NOON + HOUR, "met")]
