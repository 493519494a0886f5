"""No dag has more running runs than it may, and no run waits that may begin."""

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import booleans, integers, sampled_from

from ostinato.decide.admission import Admission
from ostinato.decide.live import LiveRun
from ostinato.model.spec import TaskSpec
from tests.unit.decide.boards import run_of, shape_of

DAGS = ("sales", "costs")


def live_run(run_id: int, *, dag_id: str = "sales", day: int = 0, kind: str = "manual", most: int = 2) -> LiveRun:
    return LiveRun(
        run_of(run_id, dag_id=dag_id, day=day, kind=kind), shape_of(TaskSpec("t"), dag_id=dag_id, most=most), 1
    )


class Gatekeeper(RuleBasedStateMachine):
    """Admission beside a model of who waits and who runs."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission()
        self.waiting: dict[int, LiveRun] = {}
        self.running: dict[int, LiveRun] = {}
        self.made = 0

    @rule(dag_id=sampled_from(DAGS), day=integers(0, 3), backfill=booleans(), most=integers(1, 3))
    def wait(self, dag_id: str, day: int, backfill: bool, most: int) -> None:
        self.made += 1
        live = live_run(self.made, dag_id=dag_id, day=day, kind="backfill" if backfill else "manual", most=most)
        self.waiting[self.made] = live
        self.admission.wait(live)

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
            first = min(self.queue(live.run.dag_id))
            assert first[2] == live.run.run_id
            self.running[live.run.run_id] = self.waiting.pop(live.run.run_id)
            assert self.count(live.run.dag_id) <= live.shape.spec.max_active_runs
        for dag_id in DAGS:
            queue = self.queue(dag_id)
            if queue:
                assert self.count(dag_id) >= self.waiting[min(queue)[2]].shape.spec.max_active_runs

    @invariant()
    def it_knows_who_waits(self) -> None:
        assert len(self.admission) == len(self.waiting)
        assert all(run_id in self.admission for run_id in self.waiting)
        assert not any(run_id in self.admission for run_id in self.running)

    def count(self, dag_id: str) -> int:
        return sum(live.run.dag_id == dag_id for live in self.running.values())

    def queue(self, dag_id: str) -> list[tuple[bool, int, int]]:
        return [
            (live.run.kind == "backfill", live.run.interval.start, live.run.run_id)
            for live in self.waiting.values()
            if live.run.dag_id == dag_id
        ]


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
