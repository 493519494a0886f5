"""What holds for the ledger whatever happens, in any order."""

from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.agent.ledger_world import Pretender, World, assignment


class LedgerLaws(RuleBasedStateMachine):
    """The laws are checked by the world after each step; here is what may happen."""

    world: World

    @initialize(slots=st.integers(1, 3))
    def begin(self, slots: int) -> None:
        self.world = World(slots)
        self.next = 1

    @rule(
        many=st.integers(1, 12),
        source=st.sampled_from("abc"),
        isolation=st.sampled_from(["reuse", "reuse", "process"]),
        priority=st.integers(-1, 1),
        timeout=st.sampled_from([None, None, 0.05]),
        size=st.sampled_from([10, 10, 5_000]),
    )
    def launch(
        self,
        many: int,
        source: str,
        isolation: Literal["reuse", "process"],
        priority: int,
        timeout: float | None,
        size: int,
    ) -> None:
        attempts = range(self.next, self.next + many)
        self.next += many
        self.world.launch(*[assignment(n, source, isolation, priority, timeout, size) for n in attempts])

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data())
    def launch_again(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.unfinished()))
        self.world.launch(self.world.launched[attempt])

    @precondition(lambda self: self.world.launched)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.world.cancel(data.draw(st.sampled_from(sorted(self.world.launched))))

    @precondition(lambda self: self.world.coming)
    @rule(made=st.sampled_from([True, True, True, False]))
    def executor_comes(self, made: bool) -> None:
        if made:
            self.world.join()
        else:
            self.world.fail_to_make()

    @precondition(lambda self: self.those_with_work())
    @rule(data=st.data())
    def executor_begins(self, data: st.DataObject) -> None:
        self.world.begin(data.draw(st.sampled_from(self.those_with_work())))

    @precondition(lambda self: self.those_at_work())
    @rule(
        data=st.data(),
        verdict=st.sampled_from(["success", "success", "success", "failed"]),
        leaving=st.sampled_from(["", "", "", "left a mess"]),
    )
    def executor_ends(self, data: st.DataObject, verdict: Literal["success", "failed"], leaving: str) -> None:
        executor = data.draw(st.sampled_from(self.those_at_work()))
        self.world.end(executor, verdict, leaving or ("failed" if verdict == "failed" else ""))

    @precondition(lambda self: self.executors(lambda e: bool(e.reports)))
    @rule(data=st.data())
    def ledger_hears(self, data: st.DataObject) -> None:
        self.world.read(data.draw(st.sampled_from(self.executors(lambda e: bool(e.reports)))))

    @precondition(lambda self: self.executors(lambda e: e.alive))
    @rule(data=st.data(), code=st.sampled_from([-11, -9, 0, 3]))
    def executor_dies(self, data: st.DataObject, code: int) -> None:
        data.draw(st.sampled_from(self.executors(lambda e: e.alive))).code = code

    @precondition(lambda self: self.executors(lambda e: not e.alive))
    @rule(data=st.data())
    def executor_is_buried(self, data: st.DataObject) -> None:
        self.world.bury(data.draw(st.sampled_from(self.executors(lambda e: not e.alive))))

    @rule(ms=st.sampled_from([0, 1, 10, 300, 3_000]))
    def time_passes(self, ms: int) -> None:
        self.world.pass_time(ms)

    @rule()
    def sleep_until_something_is_due(self) -> None:
        due = self.world.ledger.next_due()
        if due is not None and due > self.world.now:
            self.world.pass_time(due - self.world.now)

    @rule(racing=st.booleans())
    def executors_are_quick(self, racing: bool) -> None:
        self.world.racing = racing

    @precondition(lambda self: self.next > 20)
    @rule(grace=st.sampled_from([0, 500]))
    def stop(self, grace: int) -> None:
        self.world.stop(grace)

    def teardown(self) -> None:
        """In the end every attempt has ended, once, and those that were performed were performed once."""
        if not hasattr(self, "world"):
            return
        self.world.finish_everything()
        assert set(self.world.finished) == set(self.world.launched)
        for attempt, finished in self.world.finished.items():
            if finished.verdict in {"success", "failed"}:
                assert self.world.begun[attempt] == 1 or finished.failure is not None
            else:
                assert attempt in self.world.cancelled or self.world.stopping

    def unfinished(self) -> list[int]:
        return sorted(set(self.world.launched) - set(self.world.finished))

    def executors(self, which: "object") -> list[Pretender]:
        return [e for e in self.world.executors.values() if which(e)]  # type: ignore[operator]

    def those_with_work(self) -> list[Pretender]:
        return self.executors(lambda e: e.alive and e.inbox and e.performs is None)

    def those_at_work(self) -> list[Pretender]:
        return self.executors(lambda e: e.alive and e.performs is not None)


TestLedgerLaws = LedgerLaws.TestCase
TestLedgerLaws.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
