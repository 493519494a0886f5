"""Whatever succeeds in whatever order, and whoever looks on: an interval that others complete has one run, and at once."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, composite, integers, lists, none, one_of, sampled_from, tuples
from msgspec import structs

from ostinato.decide import agenda as agenda_module
from ostinato.decide.after import Waiting, completed, owed, waiting
from ostinato.decide.agenda import Agenda
from ostinato.decide.alignment import circle, misfits
from ostinato.decide.backfill import Wish, plan
from ostinato.decide.timetable import ON_TIME_MS, intervals_between
from ostinato.model.change import Commit
from ostinato.model.record import Dag, Run, run_key
from ostinato.model.spec import (
    After,
    Catchup,
    Continuous,
    Cron,
    DagSpec,
    Deadline,
    Every,
    Moments,
    Need,
    Schedule,
    TaskSpec,
    Ticking,
    zone_of,
)
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant
from tests.unit.decide.known_runs import KnownRuns

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 20_000 * DAY
"""A midnight."""
BOTH = After(("clicks", "prices"), Every(3 * 3_600))
Success = tuple[str, int, int]
"""A dag, the first hour of what it succeeded for, and how many hours that are."""

successes = tuples(sampled_from(("clicks", "prices", "else")), integers(0, 14), sampled_from((1, 1, 2, 5)))
bounds = one_of(none(), integers(NOW - HOUR, NOW + 12 * HOUR))


def hours(first: int, count: int = 1) -> DataInterval:
    """Some hours, counted from ``NOW``."""
    return DataInterval(NOW + first * HOUR, NOW + (first + count) * HOUR)


def run(dag_id: str, interval: DataInterval, at: Instant | None, kind: str = "scheduled") -> Run:
    """A run that succeeded then; None: one that is queued."""
    state = RunState.QUEUED if at is None else RunState.SUCCESS
    return Run(1, dag_id, "v1", run_key(interval.start), kind, state, interval, b"", NOW, NOW, at)


def spec_of(
    after: Schedule = BOTH, catchup: Catchup = "last", start: Instant | None = None, end: Instant | None = None
) -> DagSpec:
    return DagSpec("report", (TaskSpec("t"),), after, catchup, start, end)


class Life:
    """An installation in which one dag runs after others: a scheduler that comes and goes, and runs that stay."""

    def __init__(self, spec: DagSpec, known: KnownRuns | None = None) -> None:
        self.spec = spec
        self.dag = Dag(spec.dag_id, "v1", "d.py")
        self.known = KnownRuns() if known is None else known
        self.now = NOW
        self.made: list[DataInterval] = []
        self.agenda = Agenda()
        self.rise()

    def rise(self) -> None:
        """A scheduler starts; all it knows is what is stored."""
        self.agenda = Agenda()
        self._plan()

    def pause(self, *, paused: bool) -> None:
        self.dag = structs.replace(self.dag, paused=paused)
        self._plan()

    def succeed(self, *found: Success, later: int = 1_000) -> list[DataInterval]:
        """Some succeed in one step; which intervals its commit makes runs for."""
        self.now += later
        ended = [run(dag_id, hours(first, count), self.now) for dag_id, first, count in found]
        made = self._step(ended)
        self.known.runs += ended
        return made

    def look(self, later: int = 0) -> list[DataInterval]:
        """Time passes, and nothing else happens."""
        self.now += later
        return self._step([])

    def _plan(self) -> None:
        self.agenda.replan([self.dag], lambda _version: self.spec, self.now)
        self._step([])

    def _step(self, ended: Sequence[Run]) -> list[DataInterval]:
        """A step of the scheduler, and the next ones if there is more to do at once."""
        commit = Commit()
        self.agenda.tick(self.now, commit, self.known, lambda _dag: False)
        self.agenda.succeeded(ended, self.now, commit, self.known)
        for cursor in commit.cursors:
            self.dag = structs.replace(self.dag, scheduled_until=cursor.until)
        made = [DataInterval(new.start, new.end) for new in commit.new_runs]
        self.known.runs += [run(self.spec.dag_id, interval, None) for interval in made]
        self.made += made
        due = self.agenda.next_due()
        return made + (self._step([]) if due is not None and due <= self.now else [])


def complete(spec: DagSpec, found: Sequence[Success]) -> set[DataInterval]:
    """Hour by hour: the intervals of which each hour has succeeded in each dag."""
    assert isinstance(spec.schedule, After)
    of = {
        dag_id: {first + n for name, first, count in found if name == dag_id for n in range(count)}
        for dag_id in spec.schedule.dags
    }
    return {
        each
        for each in intervals_between(spec.schedule, NOW, NOW + 30 * HOUR)
        if (spec.start is None or spec.start <= each.start)
        and (spec.end is None or each.start <= spec.end)
        and all((at - NOW) // HOUR in done for at in range(each.start, each.end, HOUR) for done in of.values())
    }


@composite
def dags(draw) -> DagSpec:
    each = draw(sampled_from((Every(3_600), Every(3 * 3_600), Every(4 * 3_600, 3_600))))
    after = After(draw(sampled_from((("clicks",), ("clicks", "prices")))), each)
    return spec_of(after, draw(sampled_from(("all", "last", "none"))), draw(bounds), draw(bounds))


# --- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(dags(), lists(tuples(lists(successes, max_size=4), booleans()), max_size=12))
def test_the_step_that_completes_an_interval_makes_its_run_and_no_other_does(spec, steps) -> None:
    life = Life(spec)
    found: list[Success] = []
    for step, restarts in steps:
        before = complete(spec, found)
        found += step
        made = life.succeed(*step)
        assert sorted(made) == sorted(complete(spec, found) - before)
        if restarts:
            life.rise()
    assert len(set(life.made)) == len(life.made)


@settings(max_examples=200)
@given(dags(), lists(successes, max_size=12), lists(successes, max_size=12), integers(0, 3 * ON_TIME_MS))
def test_what_was_completed_in_a_pause_follows_the_catchup(spec, first, then, later) -> None:
    life = Life(spec)
    for success in first:
        life.succeed(success)
    before = complete(spec, first)
    life.pause(paused=True)
    for success in then:
        assert life.succeed(success) == []
    life.now += later
    count = len(life.made)
    life.pause(paused=False)
    made, missed = life.made[count:], sorted(complete(spec, [*first, *then]) - before)
    if spec.catchup == "all":
        assert made == missed
    elif later > ON_TIME_MS:
        assert made == ([] if spec.catchup == "none" else missed[-1:])
    else:
        assert set(missed[-1:]) <= set(made) or spec.catchup == "none"
        assert set(made) <= set(missed)
    count = len(life.made)
    life.rise()
    life.look(later=DAY)
    assert life.made[count:] == []  # it is dealt with once


@given(lists(successes, max_size=14))
def test_a_dag_that_is_new_catches_up_with_what_was_done_before_from_its_start_on(found) -> None:
    known = KnownRuns([run(dag_id, hours(first, count), NOW - 1) for dag_id, first, count in found])
    for catchup in ("last", "none"):
        assert Life(spec_of(catchup=catchup, start=NOW - DAY), known).made == []
    assert Life(spec_of(catchup="all"), known).made == []  # it begins now
    spec = spec_of(catchup="all", start=NOW - DAY)
    assert Life(spec, known).made == sorted(complete(spec, found))


@given(lists(successes, max_size=14))
def test_however_small_the_portions_all_that_is_owed_is_made(found) -> None:
    known = [run(dag_id, hours(first, count), NOW - 1) for dag_id, first, count in found]
    spec = spec_of(After(("clicks",), Every(3_600)), "all", NOW - DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agenda_module, "MAX_RUNS_PER_TICK", 2)
        assert Life(spec, KnownRuns(known)).made == sorted(complete(spec, found))


# --- cases -----------------------------------------------------------------------------------------------------------


def test_of_two_that_succeed_in_one_step_neither_has_to_be_written_first() -> None:
    life = Life(spec_of())
    assert life.succeed(("clicks", 0, 3), ("prices", 0, 3)) == [hours(0, 3)]


def test_a_run_for_many_intervals_completes_all_of_them() -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600))))
    assert life.succeed(("clicks", 0, 5)) == [hours(n) for n in range(5)]


def test_an_interval_that_has_a_run_gets_no_other_when_what_it_comes_after_runs_again() -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600))))
    life.succeed(("clicks", 0, 1))
    assert life.succeed(("clicks", 0, 1)) == []


@pytest.mark.parametrize(("kind", "made"), [("manual", []), ("backfill", []), ("called", [hours(0)])])
def test_a_run_that_somebody_asked_for_counts_and_one_that_a_dag_called_for_does_not(kind, made) -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600))))
    life.known.runs.append(run("report", hours(0), None, kind))
    assert life.succeed(("clicks", 0, 1)) == made


def test_a_success_counts_though_the_interval_is_being_run_again() -> None:
    life = Life(spec_of())
    life.succeed(("clicks", 0, 3))
    life.known.runs.append(run("clicks", hours(0, 3), None))
    assert life.succeed(("prices", 0, 3)) == [hours(0, 3)]


def test_a_dag_that_no_longer_comes_after_another_runs_for_it_no_more() -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600))))
    life.spec, life.dag = spec_of(After(("prices",), Every(3_600))), structs.replace(life.dag, version="v2")
    life.rise()
    assert life.succeed(("clicks", 0, 1)) == []
    assert life.succeed(("prices", 0, 1)) == [hours(0)]
    life.spec, life.dag = spec_of(Every(3_600)), structs.replace(life.dag, version="v3")
    life.agenda.replan([life.dag], lambda _version: life.spec, life.now)
    assert life.succeed(("prices", 1, 1)) == []


def test_the_last_of_some_moments_ends_it_and_what_lies_before_the_first_is_nobodys() -> None:
    each = Moments(tuple(NOW + n * 2 * HOUR for n in range(3)), "UTC")
    life = Life(spec_of(After(("clicks",), each)))
    assert life.succeed(("clicks", -2, 1)) == []
    assert life.succeed(("clicks", -2, 4)) == [hours(0, 2)]
    assert life.succeed(("clicks", 2, 9)) == [hours(2, 2)]


def test_its_deadline_is_expected_when_the_interval_ends_whether_or_not_the_others_are_done() -> None:
    life = Life(structs.replace(spec_of(After(("clicks",), Every(3_600))), deadline=Deadline("02:00", "UTC")))
    commit = Commit()
    life.agenda.tick(NOW + HOUR, commit, life.known, lambda _dag: False)
    assert commit.new_runs == []
    assert [(move.becomes, move.start) for move in commit.expectations] == [("expected", NOW)]
    late = Commit()
    life.agenda.tick(NOW + 2 * HOUR + 1, late, life.known, lambda _dag: False)
    assert ("missed", NOW) in [(move.becomes, move.start) for move in late.expectations]


def test_where_the_clock_brings_no_more_runs_the_others_still_do() -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600))))
    life.agenda.stop_ticking()
    assert life.agenda.next_due() is None
    assert life.succeed(("clicks", 0, 1)) == [hours(0)]


def test_what_is_done_while_nobody_decides_is_found_at_the_next_tick() -> None:
    life = Life(spec_of(After(("clicks",), Every(3_600)), "none"))
    life.known.runs.append(run("clicks", hours(-1), NOW + HOUR - 1_000))
    assert life.look(later=HOUR) == [hours(-1)]


def test_nothing_is_asked_about_runs_where_nothing_is_touched() -> None:
    class Silent(KnownRuns):
        def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
            raise AssertionError((dag_id, first, before))

    assert completed(spec_of(), BOTH, {"else": [hours(0, 9)]}, Silent()) == []
    assert owed(spec_of(), BOTH, NOW, NOW + DAY, Silent()) == []


# --- what it waits for -----------------------------------------------------------------------------------------------


def test_what_the_next_run_waits_for_is_the_first_time_that_each_lacks() -> None:
    known = KnownRuns([run("clicks", hours(0, 2), NOW), run("prices", hours(1, 2), NOW)])
    assert waiting(spec_of(), BOTH, NOW + 3 * HOUR, known) == Waiting(
        hours(0, 3), {"clicks": hours(2), "prices": hours(0)}
    )
    known.runs.append(run("prices", hours(0), NOW))
    assert waiting(spec_of(), BOTH, NOW + 3 * HOUR, known) == Waiting(hours(0, 3), {"clicks": hours(2)})


def test_an_interval_that_has_its_run_or_was_passed_over_is_waited_for_no_more() -> None:
    done = [run(dag_id, hours(0, 3), NOW) for dag_id in BOTH.dags]
    for known in (KnownRuns(done), KnownRuns([run("report", hours(0, 3), None)])):
        found = waiting(spec_of(), BOTH, NOW + 3 * HOUR, known)
        assert found is not None
        assert found.interval == hours(3, 3)


def test_where_no_interval_is_left_nothing_is_waited_for() -> None:
    after = After(("clicks",), Moments((NOW, NOW + HOUR), "UTC"))
    assert waiting(spec_of(after), after, NOW, KnownRuns()) == Waiting(hours(0), {"clicks": hours(0)})
    assert waiting(spec_of(after), after, NOW + DAY, KnownRuns([run("report", hours(0), None)])) is None


# --- beside other dags -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("each", "of", "fits"),
    [
        (Every(3_600), Every(3_600), True),
        (Cron("0 0 * * *", "Europe/Berlin"), Every(3_600), True),
        (Cron("0 0 * * *", "Europe/Berlin"), Every(7_200), False),
        (Every(3_600), Every(86_400), False),
        (Every(3_600), Continuous(60), False),
        (Every(86_400), None, True),
        (Every(86_400), After(("raw",), Every(3_600)), True),
    ],
)
def test_the_intervals_of_a_dag_are_made_up_of_those_it_comes_after(each: Ticking, of: Schedule | None, fits) -> None:
    after = After(("clicks",), each)
    spec = DagSpec("report", tuple(TaskSpec(name, needs=after.needs) for name in "ab"), after)
    found = list(misfits(spec, {"clicks": DagSpec("clicks", (TaskSpec("t"),), of)}))
    assert [(misfit.task_id, misfit.dag_id) for misfit in found] == ([] if fits else [(None, "clicks")])


def test_what_a_step_asks_of_a_dag_beside_the_schedule_is_told_of_the_step() -> None:
    after = After(("clicks",), Every(3_600))
    spec = DagSpec("report", (TaskSpec("a", needs=(*after.needs, Need("clicks", shift=1))),), after)
    (misfit,) = misfits(spec, {"clicks": DagSpec("clicks", (TaskSpec("t"),), Every(3_600))})
    assert misfit.task_id == "a"


@pytest.mark.parametrize(
    ("edges", "wanted"),
    [
        ({"a": ("b",), "b": ()}, None),
        ({"a": ("a",)}, ["a", "a"]),
        ({"a": ("b", "c"), "b": (), "c": ("d",), "d": ("a",)}, ["a", "c", "d", "a"]),
        ({"a": ("b", "nobody"), "b": ("c",), "c": ("b",)}, None),
    ],
)
def test_dags_that_run_after_each_other_are_found(edges: dict[str, tuple[str, ...]], wanted) -> None:
    specs = {
        dag_id: DagSpec(dag_id, (TaskSpec("t"),), After(dags, Every(60)) if dags else None)
        for dag_id, dags in edges.items()
    }
    assert circle(specs["a"], specs) == wanted


def test_a_backfill_goes_on_to_the_dags_that_come_after() -> None:
    after = After(("clicks",), Every(3 * 3_600))
    specs = {
        "clicks": DagSpec("clicks", (TaskSpec("t"),), Every(3_600)),
        "report": DagSpec("report", (TaskSpec("t", needs=after.needs),), after),
    }
    found = plan(Wish("clicks", (hours(1), hours(2)), cascade=True), specs, lambda *_: [], NOW + DAY)
    assert [(each.dag_id, each.interval) for each in found.create] == [
        ("clicks", hours(1)),
        ("clicks", hours(2)),
        ("report", hours(0, 3)),
    ]


def test_its_dates_are_told_in_the_zone_of_its_intervals() -> None:
    assert zone_of(After(("clicks",), Cron("0 0 * * *", "Europe/Berlin"))) == "Europe/Berlin"


def test_ticks_that_touch_leave_no_gap_between_runs() -> None:
    life = Life(spec_of(After(("clicks",), Cron("0 */6 * * *", "Europe/Berlin"))))
    made = life.succeed(("clicks", -30, 100))
    assert all(one.end == other.start for one, other in pairwise(made))
