"""Whatever legal sequence of commits a leader writes, and however it is interrupted, the store reads back just that."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, NewAttempt, NewRun, Output, RunMove, TaskMove
from ostinato.model.errors import FencedOut, InvariantBroken
from ostinato.model.message import Failure, LogRange
from ostinato.model.record import UNMAPPED, Attempt, Instance, LoggedEvent, OpenRun, Run, Task
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, LIVE_ATTEMPT, AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval
from ostinato.store import open_store
from tests.contract.leader import DAY, MAY_1, deploy
from tests.places import Place

TASKS = 4
ENDS = {
    TaskState.SUCCESS: AttemptState.SUCCESS,
    TaskState.SKIPPED: AttemptState.SUCCESS,
    TaskState.FAILED: AttemptState.FAILED,
    TaskState.UP_FOR_RETRY: AttemptState.LOST,
    TaskState.DEFERRED: AttemptState.DEFERRED,
    TaskState.CANCELLED: AttemptState.CANCELLED,
}
EVENT_FACTS = st.none() | st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), max_size=3
)


class Histories(RuleBasedStateMachine):
    """The model is what the records should be; ``change`` is what the next commit says."""

    new_place: Callable[[], Place]

    def __init__(self) -> None:
        super().__init__()
        self.place = self.new_place()
        self.store = open_store(self.place)
        self.version = deploy(self.store, tasks=TASKS)
        self.epoch = self.store.take_lead("leader", MAY_1)
        self.now = MAY_1
        self.runs: dict[int, Run] = {}
        self.tasks: dict[tuple[int, int], Task] = {}
        self.attempts: dict[int, Attempt] = {}
        self.events: dict[int, list[LoggedEvent]] = {}
        self.outputs: dict[tuple[int, int], bytes] = {}
        self.change = Commit()
        self.saved = self.snapshot()

    def snapshot(self) -> tuple[Any, ...]:
        events = {run_id: list(lines) for run_id, lines in self.events.items()}
        return dict(self.runs), dict(self.tasks), dict(self.attempts), events, dict(self.outputs)

    def restore(self) -> None:
        self.change = Commit()
        self.runs, self.tasks, self.attempts, self.events, self.outputs = self.saved
        self.saved = self.snapshot()

    def teardown(self) -> None:
        self.store.check()
        self.store.close()

    def in_state(self, *states: RunState) -> list[int]:
        return [run_id for run_id, run in self.runs.items() if run.state in states]

    def record(
        self,
        data: st.DataObject,
        run_id: int,
        was: str,
        becomes: str,
        task_no: int | None = None,
        attempt: int | None = None,
    ) -> None:
        cause, facts = data.draw(st.sampled_from(Cause)), data.draw(EVENT_FACTS)
        line = (run_id, len(self.events[run_id]), self.now, cause, was, becomes, task_no, attempt, facts)
        self.change.events.append(Event(*line))
        self.events[run_id].append(LoggedEvent(*line))

    def move_task(
        self, data: st.DataObject, key: tuple[int, int], becomes: TaskState, attempt: int | None = None
    ) -> None:
        row = self.tasks.get(key) or Task(*key, TaskState.NONE, 0)
        due_at = data.draw(st.none() | st.integers(MAY_1, MAY_1 + DAY))
        since = data.draw(st.none() | st.integers(MAY_1, MAY_1 + DAY))
        self.change.tasks.append(TaskMove(*key, row.state, becomes, self.now, attempt, due_at, since))
        self.record(data, key[0], row.state, becomes, key[1], attempt)
        self.tasks[key] = Task(
            *key, becomes, self.now, attempt or row.attempt, due_at, row.waiting_since if since is None else since
        )

    # --- rules --------------------------------------------------------------------------------------------------

    @rule(ms=st.integers(0, DAY))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(day=st.integers(0, 9))
    def create(self, day: int) -> None:
        start = MAY_1 + day * DAY
        new = NewRun("daily", self.version, str(day), "manual", start, start + DAY, b"\x80", self.now, by="ada")
        created = self.store.create_runs([new])
        taken = any(run.run_key == new.run_key for run in self.runs.values())
        assert len(created) == (not taken)
        for run in created:
            interval = DataInterval(new.start, new.end)
            queued = RunState.QUEUED
            assert run == Run(
                run.run_id, "daily", self.version, str(day), "manual", queued, interval, b"\x80", self.now, by="ada"
            )
            line = LoggedEvent(run.run_id, 0, self.now, Cause.TRIGGERED, "none", "queued", facts={"by": "ada"})
            for runs, events in ((self.runs, self.events), (self.saved[0], self.saved[3])):
                runs[run.run_id] = run
                events[run.run_id] = [line]

    @precondition(lambda self: self.in_state(RunState.QUEUED))
    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(self.in_state(RunState.QUEUED)))
        self.change.runs.append(RunMove(run_id, RunState.QUEUED, RunState.RUNNING, self.now))
        self.record(data, run_id, "queued", "running")
        self.runs[run_id] = replace(self.runs[run_id], state=RunState.RUNNING, started_at=self.now)

    @precondition(lambda self: self.in_state(RunState.RUNNING))
    @rule(data=st.data(), task_no=st.integers(0, TASKS - 1), agent=st.sampled_from(["a", "b", "c"]))
    def dispatch(self, data: st.DataObject, task_no: int, agent: str) -> None:
        key = (data.draw(st.sampled_from(self.in_state(RunState.RUNNING))), task_no)
        row = self.tasks.get(key)
        if row is not None and row.state not in {TaskState.UP_FOR_RETRY, TaskState.DEFERRED}:
            return
        attempt = 1 + max(self.attempts, default=0)
        number = 1 + sum((each.run_id, each.task_no) == key for each in self.attempts.values())
        self.change.new_attempts.append(NewAttempt(attempt, *key, number, agent, self.now))
        self.attempts[attempt] = Attempt(attempt, *key, number, AttemptState.QUEUED, agent, self.now)
        self.move_task(data, key, TaskState.QUEUED, attempt)

    def live(self) -> list[int]:
        return [attempt for attempt, row in self.attempts.items() if row.state in LIVE_ATTEMPT]

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        row = self.attempts[data.draw(st.sampled_from(self.live()))]
        if row.state is AttemptState.RUNNING:
            return
        log = data.draw(st.none() | st.builds(LogRange, st.sampled_from(["x", "y"]), st.integers(0, 9), st.just(0)))
        move = AttemptMove(row.attempt, row.state, AttemptState.RUNNING, started_at=self.now, log=log)
        self.change.attempts.append(move)
        self.attempts[row.attempt] = replace(row, state=AttemptState.RUNNING, started_at=self.now, log=log)
        self.move_task(data, (row.run_id, row.task_no), TaskState.RUNNING)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), becomes=st.sampled_from(sorted(ENDS)), output=st.none() | st.binary(max_size=20))
    def end(self, data: st.DataObject, becomes: TaskState, output: bytes | None) -> None:
        row = self.attempts[data.draw(st.sampled_from(self.live()))]
        known: dict[str, Any] = {"state": ENDS[becomes]}
        if ENDS[becomes] is not AttemptState.LOST:
            known |= {
                "finished_at": self.now,
                "peak_kib": data.draw(st.integers(0, 99)),
                "cpu_ms": data.draw(st.integers(0, 99)),
            }
        if ENDS[becomes] in {AttemptState.LOST, AttemptState.FAILED}:
            known["error_class"] = data.draw(st.sampled_from(["transient", "resource", "logic"]))
            known["failure"] = Failure("raised", data.draw(st.text(max_size=10)))
        said = {name: value for name, value in known.items() if name != "state"}
        self.change.attempts.append(AttemptMove(row.attempt, row.state, ENDS[becomes], **said))
        self.attempts[row.attempt] = replace(row, **known)
        key = (row.run_id, row.task_no)
        self.move_task(data, key, becomes)
        if becomes is TaskState.SUCCESS and output is not None:
            self.change.outputs.append(Output(*key, output))
            self.outputs[key] = output

    @precondition(lambda self: self.in_state(RunState.RUNNING))
    @rule(
        data=st.data(),
        becomes=st.sampled_from(
            [TaskState.SKIPPED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED, TaskState.DEFERRED]
        ),
    )
    def move_without_attempt(self, data: st.DataObject, becomes: TaskState) -> None:
        key = (data.draw(st.sampled_from(self.in_state(RunState.RUNNING))), data.draw(st.integers(0, TASKS - 1)))
        row = self.tasks.get(key)
        if row is None or row.state in {TaskState.DEFERRED, TaskState.UP_FOR_RETRY}:
            self.move_task(data, key, becomes)

    @precondition(lambda self: self.in_state(RunState.RUNNING))
    @rule(data=st.data(), becomes=st.sampled_from(sorted(FINAL_RUN)))
    def end_run(self, data: st.DataObject, becomes: RunState) -> None:
        run_id = data.draw(st.sampled_from(self.in_state(RunState.RUNNING)))
        if all(task.state in FINAL_TASK for key, task in self.tasks.items() if key[0] == run_id):
            self.change.runs.append(RunMove(run_id, RunState.RUNNING, becomes, self.now))
            self.record(data, run_id, "running", becomes)
            self.runs[run_id] = replace(self.runs[run_id], state=becomes, finished_at=self.now)

    @rule()
    def commit(self) -> None:
        self.store.commit(self.change, self.epoch)
        self.change = Commit()
        self.saved = self.snapshot()

    @rule()
    def commit_of_a_fenced_out_leader(self) -> None:
        with pytest.raises(FencedOut):
            self.store.commit(self.change, self.epoch - 1)
        self.restore()

    @precondition(lambda self: self.saved[0])
    @rule(data=st.data())
    def commit_with_a_stale_move_in_it(self, data: st.DataObject) -> None:
        run = self.runs[data.draw(st.sampled_from(sorted(self.saved[0])))]
        wrong = data.draw(st.sampled_from([state for state in RunState if state is not run.state]))
        becomes = data.draw(st.sampled_from(RunState))
        self.change.runs.append(RunMove(run.run_id, wrong, becomes, self.now))
        with pytest.raises(InvariantBroken):
            self.store.commit(self.change, self.epoch)
        self.restore()

    @precondition(lambda self: self.place is not None)
    @rule()
    def everybody_dies(self) -> None:
        self.store.close()
        self.store = open_store(self.place)
        self.epoch = self.store.take_lead("next leader", self.now)
        self.restore()

    # --- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def it_reads_back(self) -> None:
        runs, tasks, attempts, events, outputs = self.saved
        assert {run.run_id: run for run in self.store.runs(limit=100)} == runs
        for run_id in runs:
            assert self.store.tasks(run_id) == [tasks[key] for key in sorted(tasks) if key[0] == run_id]
            of_run = [row for row in attempts.values() if row.run_id == run_id]
            assert self.store.attempts(run_id) == sorted(of_run, key=lambda row: (row.task_no, row.attempt))
            assert self.store.events(run_id) == events[run_id]
        wanted = [(run_id, n, UNMAPPED) for run_id in runs for n in range(TASKS)]
        assert self.store.outputs(wanted) == {(*key, UNMAPPED): value for key, value in outputs.items()}
        assert self.store.last_attempt() == max(attempts, default=0)

    @invariant()
    def open_work_is_all_that_is_not_finished(self) -> None:
        runs, tasks, attempts, events, _ = self.saved
        expected: list[OpenRun] = []
        for run_id in sorted(runs):
            if runs[run_id].state in FINAL_RUN:
                continue
            of_run = [row for _, row in sorted(attempts.items()) if row.run_id == run_id]
            failures: dict[Instance, dict[str, int]] = {}
            for row in of_run:
                if row.error_class is not None:
                    of_task = failures.setdefault((row.task_no, row.map_index), {})
                    of_task[row.error_class] = of_task.get(row.error_class, 0) + 1
            expected.append(
                OpenRun(
                    run=runs[run_id],
                    tasks=tuple(tasks[key] for key in sorted(tasks) if key[0] == run_id),
                    live=tuple(row for row in of_run if row.state not in FINAL_ATTEMPT),
                    tries={(row.task_no, row.map_index): row.number for row in of_run},
                    failures=failures,
                    next_seq=len(events[run_id]),
                )
            )
        assert self.store.open_work() == expected


def test_a_store_reads_back_exactly_what_was_committed(new_place: Callable[[], Place]) -> None:
    machine = type("HistoriesOfOne", (Histories,), {"new_place": staticmethod(new_place)})
    limits = settings(max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=limits)
