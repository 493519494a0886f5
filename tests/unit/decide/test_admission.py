"""No dag and no backfill has more running runs than it may, and no run waits that may begin."""

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import booleans, integers, sampled_from
from msgspec import structs

from ostinato.decide.admission import Admission
from ostinato.decide.live import LiveRun
from ostinato.decide.share import Terms
from ostinato.model.spec import TaskSpec
from tests.unit.decide.boards import run_of, shape_of

DAGS = ("sales", "costs")


def live_run(
    run_id: int, *, dag_id: str = "sales", day: int = 0, backfill: int | None = None, most: int = 2
) -> LiveRun:
    run = run_of(run_id, dag_id=dag_id, day=day, kind="manual" if backfill is None else "backfill")
    return LiveRun(structs.replace(run, backfill_id=backfill), shape_of(TaskSpec("t"), dag_id=dag_id, most=most), 1)


class Gatekeeper(RuleBasedStateMachine):
    """Admission beside a model of who waits and who runs."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission()
        self.waiting: dict[int, LiveRun] = {}
        self.running: dict[int, LiveRun] = {}
        self.made = 0
        self.terms: dict[int, Terms] = {}

    @rule(
        dag_id=sampled_from(DAGS),
        day=integers(0, 3),
        backfill=sampled_from((None, None, 7, 8)),
        most=integers(1, 3),
    )
    def wait(self, dag_id: str, day: int, backfill: int | None, most: int) -> None:
        self.made += 1
        live = live_run(self.made, dag_id=dag_id, day=day, backfill=backfill, most=most)
        self.waiting[self.made] = live
        self.admission.wait(live)

    @rule(most=integers(1, 3), paused=booleans(), known=booleans())
    def hear_of_backfills(self, most: int, paused: bool, known: bool) -> None:
        self.terms = {7: Terms(most, paused=paused)} if known else {}
        self.admission.set_backfills(self.terms)

    @rule(chosen=integers(0, 20))
    def withdraw(self, chosen: int) -> None:
        if self.waiting:
            run_id = sorted(self.waiting)[chosen % len(self.waiting)]
            assert self.admission.withdraw(run_id) is self.waiting.pop(run_id)
            assert self.admission.withdraw(run_id) is None

    @rule(chosen=integers(0, 20))
    def end(self, chosen: int) -> None:
        if self.running:
            self.admission.leave(self.running.pop(sorted(self.running)[chosen % len(self.running)]))

    @rule()
    def admit(self) -> None:
        while (live := self.admission.next()) is not None:
            assert self.queue(live)[0] == live.run.run_id
            assert self.running_beside(live) < self.most(live)
            self.running[live.run.run_id] = self.waiting.pop(live.run.run_id)
        for live in self.waiting.values():
            first = self.waiting[self.queue(live)[0]]
            assert self.running_beside(first) >= self.most(first)

    @invariant()
    def it_knows_who_waits(self) -> None:
        assert len(self.admission) == len(self.waiting)
        assert all(run_id in self.admission for run_id in self.waiting)
        assert not any(run_id in self.admission for run_id in self.running)

    def most(self, live: LiveRun) -> int:
        terms = self.terms.get(live.run.backfill_id or 0)
        if terms is None:
            return live.shape.spec.max_active_runs
        return 0 if terms.paused else terms.max_active_runs

    def running_beside(self, live: LiveRun) -> int:
        return sum(together(live, other) for other in self.running.values())

    def queue(self, live: LiveRun) -> list[int]:
        """The runs that wait where a run waits, as they are to begin."""
        waiting = [other.run for other in self.waiting.values() if together(live, other)]
        waiting.sort(key=lambda run: (0 if run.backfill_id else run.interval.start, run.run_id))
        return [run.run_id for run in waiting]


def together(one: LiveRun, other: LiveRun) -> bool:
    """Whether two runs count against the same limit."""
    if one.run.backfill_id or other.run.backfill_id:
        return one.run.backfill_id == other.run.backfill_id
    return one.run.dag_id == other.run.dag_id


TestGatekeeper = Gatekeeper.TestCase


def test_equal_facts_give_an_equal_order_of_dags() -> None:
    admission = Admission()
    for run_id, dag_id in enumerate(("z", "a", "m"), start=1):
        admission.wait(live_run(run_id, dag_id=dag_id))
    admitted = [live.run.dag_id for live in iter(admission.next, None)]
    assert admitted == ["z", "a", "m"]


def test_a_run_that_ran_before_a_restart_counts() -> None:
    admission = Admission()
    admission.enter(live_run(1, most=1))
    admission.wait(live_run(2, most=1))
    assert admission.next() is None


def test_a_withdrawn_run_no_longer_holds_up_those_behind_it() -> None:
    admission = Admission()
    admission.enter(live_run(1))
    admission.wait(live_run(2, day=0, most=1))
    admission.wait(live_run(3, day=1, most=5))
    assert admission.next() is None
    admission.withdraw(2)
    following = admission.next()
    assert following is not None
    assert following.run.run_id == 3


def test_a_backfill_takes_none_of_the_daily_runs_places_and_waits_for_none_of_them() -> None:
    admission = Admission()
    admission.set_backfills({7: Terms(max_active_runs=3)})
    for run_id in range(1, 6):
        admission.wait(live_run(run_id, most=1))
        admission.wait(live_run(10 + run_id, backfill=7, most=1))
    assert [live.run.run_id for live in iter(admission.next, None)] == [1, 11, 12, 13]


def test_a_backfill_of_several_dags_is_one() -> None:
    admission = Admission()
    admission.set_backfills({7: Terms(max_active_runs=2)})
    for run_id, dag_id in enumerate(("sales", "costs", "margins"), start=1):
        admission.wait(live_run(run_id, dag_id=dag_id, backfill=7))
    assert [live.run.run_id for live in iter(admission.next, None)] == [1, 2]


def test_a_backfill_begins_its_runs_in_the_order_they_were_made() -> None:
    admission = Admission()
    for run_id, day in ((1, 5), (2, 4), (3, 3)):
        admission.wait(live_run(run_id, day=day, backfill=7, most=16))
    assert [live.run.run_id for live in iter(admission.next, None)] == [1, 2, 3]


def test_a_paused_backfill_begins_nothing_until_it_goes_on() -> None:
    admission = Admission()
    admission.set_backfills({7: Terms(4, paused=True)})
    admission.wait(live_run(1, backfill=7))
    assert admission.next() is None
    admission.set_backfills({7: Terms(4)})
    following = admission.next()
    assert following is not None
    assert following.run.run_id == 1
