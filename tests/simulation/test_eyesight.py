"""What the simulator is for: each of these defects, put in on purpose, is seen by it within a few seeds."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import pytest
from msgspec import structs

from ostinato.agent.ledger import Ledger
from ostinato.control import scheduler as scheduler_module
from ostinato.control.answers import Answers
from ostinato.control.scheduler import Scheduler
from ostinato.decide import after as after_module
from ostinato.decide import agenda as agenda_module
from ostinato.decide import backfill as backfill_plan_module
from ostinato.decide import board as board_module
from ostinato.decide import trials as trials_module
from ostinato.decide import walk as walk_module
from ostinato.decide.admission import Admission
from ostinato.decide.after import KnownRuns, Successes
from ostinato.decide.agenda import Agenda
from ostinato.decide.board import Board
from ostinato.decide.capacity import Capacity
from ostinato.decide.flow import PoolUse, TaskUse
from ostinato.decide.interval_set import IntervalSet
from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.decide.ready import Ready
from ostinato.decide.retry import next_try
from ostinato.decide.rule import Count
from ostinato.decide.share import Terms
from ostinato.decide.step import Calling, Step
from ostinato.decide.trials import LOST, Trials
from ostinato.model.cause import Cause
from ostinato.model.change import Alert, Commit, NewRun
from ostinato.model.errors import ErrorClass
from ostinato.model.record import Intervention, OpenRun, Run
from ostinato.model.spec import After, DagSpec, Retry
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import DataInterval
from ostinato.store import Store
from ostinato.store import backfill as backfill_module
from ostinato.store import commit as commit_module
from ostinato.store import packs as packs_module
from ostinato.store import setback as setback_module

from .simulation import Simulation
from .trace import Violation

ENOUGH = 160
"""A defect that so many seeds do not show is not seen."""

Breaks = Callable[[pytest.MonkeyPatch], None]


def sends_before_it_commits(patch: pytest.MonkeyPatch) -> None:
    whole = Scheduler._commit

    def commit(self: Scheduler, step: Step) -> list[Run]:
        self._send(step, 0)
        return whole(self, step)

    patch.setattr(Scheduler, "_commit", commit)


def acknowledges_before_it_commits(patch: pytest.MonkeyPatch) -> None:
    whole = Scheduler._commit

    def commit(self: Scheduler, step: Step) -> list[Run]:
        self._send(Step(acknowledge=step.acknowledge), 0)
        return whole(self, step)

    patch.setattr(Scheduler, "_commit", commit)


def speaks_without_leading(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Step, "speaks", False)


def writes_without_leading(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commit_module, "_fence", lambda _connection, _epoch: None)


def lets_go_on_what_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "live_among", lambda _self, attempts: set(attempts))


def waits_for_agents_of_other_machines(patch: pytest.MonkeyPatch) -> None:
    whole = Trials.lose

    def lose(self: Trials, attempt: LiveAttempt, started: Collection[int] | None, now: int) -> None:
        if started is not None:
            whole(self, attempt, started, now)

    patch.setattr(Trials, "lose", lose)


def overlooks_runs_that_others_made(patch: pytest.MonkeyPatch) -> None:
    whole = Scheduler._open

    def open_(self: Scheduler, board: Board, runs: list[Run], now: int) -> None:
        whole(self, board, runs, now)
        self._seen_run = max([self._seen_run, *(run.run_id for run in runs)])

    patch.setattr(Scheduler, "_open", open_)


def keeps_the_slots_of_what_has_ended(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PoolUse, "leave", lambda _self, _attempt: None)


def gives_slots_twice(patch: pytest.MonkeyPatch) -> None:
    whole = PoolUse.occupy
    patch.setattr(PoolUse, "occupy", lambda self, attempt, flow, task, _slots: whole(self, attempt, flow, task, 0))


def forgets_the_limits_of_dags(patch: pytest.MonkeyPatch) -> None:
    whole = Capacity.want

    def want(self: Capacity, live: LiveRun, no: int) -> None:
        live.shape.spec = structs.replace(live.shape.spec, max_active_tasks=None)
        whole(self, live, no)

    patch.setattr(Capacity, "want", want)


def forgets_the_limits_of_tasks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Capacity, "_task_use", lambda _self, _run, _task: TaskUse())


def admits_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Admission, "enter", lambda _self, _live: None)


def fills_agents_over_the_brim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Capacity, "_roomiest", lambda self: (next(iter(self._seats), ""), len(self._seats)))


def sends_to_agents_that_stop(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Capacity, "close", lambda _self, _agent: None)


def takes_skipped_for_succeeded(patch: pytest.MonkeyPatch) -> None:
    whole = Count.add
    as_success = {TaskState.SKIPPED: TaskState.SUCCESS}
    patch.setattr(Count, "add", lambda self, gate, up, state: whole(self, gate, up, as_success.get(state, state)))


def starts_before_all_have_ended(patch: pytest.MonkeyPatch) -> None:
    whole = walk_module.verdict
    patch.setattr(walk_module, "verdict", lambda gate, count: whole(structs.replace(gate, size=1), count))


def retries_once_too_often(patch: pytest.MonkeyPatch) -> None:
    def generous(retry: Retry, error_class: ErrorClass, failures: int, spread: float) -> int | None:
        return next_try(retry, error_class, max(1, failures - 1), spread)

    patch.setattr(trials_module, "next_try", generous)


def charges_for_what_never_began(patch: pytest.MonkeyPatch) -> None:
    def lose(self: Trials, attempt: LiveAttempt, _started: object, now: int) -> None:
        self.release(attempt)
        self._fail(attempt, None, LOST, now)

    patch.setattr(Trials, "lose", lose)


def forgets_failures_when_it_restarts(patch: pytest.MonkeyPatch) -> None:
    whole = Board.adopt

    def adopt(self: Board, found: OpenRun, *rest: Any) -> None:
        whole(self, structs.replace(found, failures={}), *rest)

    patch.setattr(Board, "adopt", adopt)


def launches_what_is_cancelled(patch: pytest.MonkeyPatch) -> None:
    whole = Board._stop

    def stop(self: Board, live: LiveRun, by: str, now: int) -> None:
        live.cancelling = False
        whole(self, live, by, now)

    patch.setattr(Board, "_stop", stop)


def tells_nobody_that_it_is_over(patch: pytest.MonkeyPatch) -> None:
    whole = board_module.recovery_alert

    def stays_open(run: Run, now: int) -> Alert:
        return structs.replace(whole(run, now), dedup_key="somewhere else")

    patch.setattr(board_module, "recovery_alert", stays_open)


def misses_deadlines(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Agenda, "_miss", lambda *_: None)


def follows_its_schedule_from_memory(patch: pytest.MonkeyPatch) -> None:
    whole = Store.commit
    patch.setattr(Store, "commit", lambda self, change, epoch: whole(self, structs.replace(change, cursors=[]), epoch))


def loses_outputs(patch: pytest.MonkeyPatch) -> None:
    whole = Store.commit
    patch.setattr(Store, "commit", lambda self, change, epoch: whole(self, structs.replace(change, outputs=[]), epoch))


def keeps_dead_letters_twice(patch: pytest.MonkeyPatch) -> None:
    whole = Store.commit

    def commit(self: Store, change: Commit, epoch: int) -> list[Run]:
        change.rejected += change.rejected
        return whole(self, change, epoch)

    patch.setattr(Store, "commit", commit)


def forgets_results_that_nobody_has(patch: pytest.MonkeyPatch) -> None:
    """An agent that performs what it was sent again, because it does not keep what it has done."""
    whole = Ledger.launch

    def launch(self: Ledger, assignments: Iterable[Any], now: int) -> None:
        self._unacknowledged.clear()
        whole(self, assignments, now)

    patch.setattr(Ledger, "launch", launch)
    patch.setattr(Ledger, "holds", lambda self: tuple(self._held))


def leaves_going_what_nobody_waits_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Board, "_call_off", lambda *_: None)


def forgets_who_called(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Board, "_answer_caller", lambda *_: None)


def calls_for_another_day(patch: pytest.MonkeyPatch) -> None:
    whole = Answers.child

    def child(self: Answers, calling: Calling, now: int) -> NewRun:
        new = whole(self, calling, now)
        return structs.replace(new, start=new.start - 1_000)

    patch.setattr(Answers, "child", child)


def begins_without_what_it_needs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "met", lambda _self, _needing: True)


def asks_only_once_for_what_it_needs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ready, "_ask_again", lambda _self, _of_dag, _task_id: None)


def takes_no_for_yes(patch: pytest.MonkeyPatch) -> None:
    whole = Board._answer

    def answer(self: Board, live: LiveRun, no: int, what: Intervention, now: int) -> None:
        whole(self, live, no, structs.replace(what, what="approve"), now)

    patch.setattr(Board, "_answer", answer)


def has_no_patience_with_people(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LiveRun, "gives_up_at", lambda self, no: self.waiting_since[no])


def loses_what_people_decide(patch: pytest.MonkeyPatch) -> None:
    def decided(self: Board, what: Intervention, _now: int) -> None:
        self._scribe.step.commit.taken.append(what.intervention_id)

    patch.setattr(Board, "decided", decided)


def hides_that_a_decision_has_no_effect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(board_module, "refusal", lambda _live, _what: None)
    whole, mark = Board._answer, Board._mark

    def answer(self: Board, live: LiveRun, no: int, what: Intervention, now: int) -> None:
        if live.states[no] is TaskState.DEFERRED and live.task(no).approval is not None:
            whole(self, live, no, what, now)

    def marks(self: Board, live: LiveRun, no: int, cause: Cause, by: str, now: int) -> None:
        if live.states[no] not in FINAL_TASK:
            mark(self, live, no, cause, by, now)

    patch.setattr(Board, "_answer", answer)
    patch.setattr(Board, "_mark", marks)


def performs_what_is_switched_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "switched_off", lambda _self: {})


def lets_a_schedule_overlap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(board_module, "may_overlap", lambda _live: True)


def replaces_what_was_to_be_skipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Board, "_overlap", lambda self, run_id, now: self._replace(self.admission._waiting[run_id], run_id, now)
    )


def goes_on_with_what_is_paused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scheduler_module, "_terms", lambda each: Terms(each.max_active_runs, each.share, paused=False))


def cancels_a_backfill_by_halves(patch: pytest.MonkeyPatch) -> None:
    whole = backfill_module.cancel
    patch.setattr(backfill_module, "cancel", lambda *given: min(1, whole(*given)))


def joins_intervals_without_end(patch: pytest.MonkeyPatch) -> None:
    whole = backfill_plan_module.batched
    patch.setattr(backfill_plan_module, "batched", lambda intervals, size: whole(intervals, size + 1))


def makes_runs_after_others_only_when_it_starts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Agenda, "_followers_of", lambda _self, _dag_id: iter(()))


def follows_others_that_have_succeeded_in_part(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(after_module, "_done", lambda _dag_id, span, _also, _known: IntervalSet.of((span,)))


def waits_for_one_of_the_others_only(patch: pytest.MonkeyPatch) -> None:
    whole = after_module.completed

    def completed(spec: DagSpec, after: After, successes: Successes, known: KnownRuns) -> list[DataInterval]:
        return whole(spec, structs.replace(after, dags=after.dags[-1:]), successes, known)

    patch.setattr(agenda_module, "completed", completed)


def loses_lines_when_it_packs(patch: pytest.MonkeyPatch) -> None:
    whole = packs_module._packed
    patch.setattr(packs_module, "_packed", lambda rows: whole(rows[:-1] or rows))


def sends_again_what_may_have_been_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trials, "_is_doubtful", lambda _self, _attempt: False)


def numbers_attempts_as_in_the_lost_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setback_module, "_ATTEMPTS_A_MS", 0)


def goes_on_with_what_nobody_knows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setback_module, "_stop_all", lambda _connection, _now: 0)


def makes_the_runs_of_the_lost_time_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setback_module, "_go_on_from", lambda _connection, _now: 0)


AFTER_A_RESTORE: tuple[Breaks, ...] = (
    sends_again_what_may_have_been_done,
    numbers_attempts_as_in_the_lost_time,
    goes_on_with_what_nobody_knows,
    makes_the_runs_of_the_lost_time_again,
)

BROKEN: tuple[Breaks, ...] = (
    sends_before_it_commits,
    acknowledges_before_it_commits,
    speaks_without_leading,
    writes_without_leading,
    lets_go_on_what_is_lost,
    waits_for_agents_of_other_machines,
    overlooks_runs_that_others_made,
    keeps_the_slots_of_what_has_ended,
    gives_slots_twice,
    forgets_the_limits_of_dags,
    forgets_the_limits_of_tasks,
    admits_everybody,
    fills_agents_over_the_brim,
    sends_to_agents_that_stop,
    takes_skipped_for_succeeded,
    starts_before_all_have_ended,
    retries_once_too_often,
    charges_for_what_never_began,
    forgets_failures_when_it_restarts,
    launches_what_is_cancelled,
    tells_nobody_that_it_is_over,
    misses_deadlines,
    follows_its_schedule_from_memory,
    loses_outputs,
    keeps_dead_letters_twice,
    forgets_results_that_nobody_has,
    leaves_going_what_nobody_waits_for,
    forgets_who_called,
    calls_for_another_day,
    begins_without_what_it_needs,
    asks_only_once_for_what_it_needs,
    takes_no_for_yes,
    has_no_patience_with_people,
    loses_what_people_decide,
    hides_that_a_decision_has_no_effect,
    performs_what_is_switched_off,
    lets_a_schedule_overlap,
    replaces_what_was_to_be_skipped,
    goes_on_with_what_is_paused,
    cancels_a_backfill_by_halves,
    joins_intervals_without_end,
    makes_runs_after_others_only_when_it_starts,
    follows_others_that_have_succeeded_in_part,
    waits_for_one_of_the_others_only,
    loses_lines_when_it_packs,
    *AFTER_A_RESTORE,
)


SHOWN_BY: dict[Breaks, tuple[str, ...]] = {
    sends_to_agents_that_stop: ("agent_stopped",),
    speaks_without_leading: ("scheduler_frozen", "lost_answer", "agent_killed"),
    overlooks_runs_that_others_made: ("lost_hint", "late_report"),
    asks_only_once_for_what_it_needs: ("lost_hint",),
    **dict.fromkeys(AFTER_A_RESTORE, ("state_set_back",)),
}
"""Faults that have to come often, or it would take long to see the defect."""


def simulate(often: Sequence[str]) -> None:
    for seed in range(ENOUGH):
        Simulation(seed, often).run()


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_the_simulator_sees_a_system_that(breaks: Breaks, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    with pytest.raises(Violation):
        simulate(SHOWN_BY.get(breaks, ()))
