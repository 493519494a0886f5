"""Why a dag, a run or a task is where it is: a chain of reasons from the question to the first fact that explains it.

Pure: the caller takes a snapshot, these functions read it. The first reason of a chain is about what was asked, each
further one about what the one before waits for; what lifts the last one moves them all.
"""

from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import Continuous
from ostinato.model.state import FINAL_TASK, RunState, TaskState

from .after import Waiting
from .explain_end import again
from .explain_task import NO_SCHEDULER, STUCK_FIRST, explain_task
from .reason import Code, Reason
from .situation import DagSituation, RunSituation
from .timetable import first_interval_after, next_due, upcoming


def why_dag(situation: DagSituation) -> list[Reason]:
    """Why the schedule of a dag does not make a run now, and when it will."""
    dag, spec = situation.dag, situation.spec
    if dag.retired_at is not None:
        what = f"{dag.dag_id} is no longer in {dag.file}, since {situation.at(dag.retired_at)}"
        return [Reason(Code.DAG_RETIRED, what, "its file defines it again")]
    if spec.schedule is None:
        what = f"{dag.dag_id} has no schedule; it runs when somebody asks"
        return [Reason(Code.NO_SCHEDULE, what, f"somebody asks: `ostinato trigger {dag.dag_id}`")]
    if dag.paused:
        what = f"the schedule of {dag.dag_id} is paused"
        return [Reason(Code.PAUSED, what, f"somebody lets it go on: `ostinato dags unpause {dag.dag_id}`")]
    if isinstance(spec.schedule, Continuous):
        return [_why_continuous(situation)] if situation.scheduler else [NO_SCHEDULER]
    if situation.waiting is not None:
        return [_why_waiting(situation, situation.waiting)] if situation.scheduler else [NO_SCHEDULER]
    interval = next(upcoming(spec, situation.now), None)
    if interval is None and spec.end is not None:
        what = f"the schedule of {dag.dag_id} is over: no logical date is later than {situation.at(spec.end)}"
        return [Reason(Code.SCHEDULE_OVER, what, "a later end in its file")]
    if interval is None:
        what = f"the schedule of {dag.dag_id} is over: the last of its moments has passed"
        return [Reason(Code.SCHEDULE_OVER, what, "a later moment in its file")]
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if interval != first_interval_after(spec.schedule, situation.now):
        first = situation.at(interval.end)
        begins = situation.at(interval.start)
        what = f"the schedule of {dag.dag_id} begins with {begins}; that interval ends at {first}"
        return [Reason(Code.SCHEDULE_NOT_BEGUN, what, f"it is {first}")]
    ends = situation.at(interval.end)
    what = f"the next run of {dag.dag_id} is for {situation.at(interval.start)}; that interval ends at {ends}"
    return [Reason(Code.INTERVAL_OPEN, what, f"it is {ends}")]


def _why_continuous(situation: DagSituation) -> Reason:
    """A continuous schedule makes its next run when the one before is over, and enough time has passed."""
    dag = situation.dag
    at = next_due(situation.spec, situation.now if dag.scheduled_until is None else dag.scheduled_until)
    if at is None:
        return Reason(Code.SCHEDULE_OVER, f"the schedule of {dag.dag_id} is over", "a later end in its file")
    what = f"{dag.dag_id} runs again as soon as its last scheduled run is over, and not before {situation.at(at)}"
    return Reason(Code.INTERVAL_OPEN, what, "that run is over")


def _why_waiting(situation: DagSituation, waiting: Waiting) -> Reason:
    """A run after others is made when they have succeeded."""
    open_ = [
        f"{dag_id} has succeeded from {situation.at(time.start)} to {situation.at(time.end)}"
        for dag_id, time in waiting.open.items()
    ]
    begins = situation.at(waiting.interval.start)
    what = f"the next run of {situation.dag.dag_id} is for {begins}; it is made once {', and '.join(open_)}"
    first = next(iter(waiting.open))
    return Reason(Code.OTHERS_OPEN, what, f"that has succeeded: `ostinato why {first}`")


def why_run(situation: RunSituation) -> list[Reason]:
    """Why a run is where it is: queued, running or ended."""
    run = situation.run
    if run.state is RunState.SUCCESS:
        return [Reason(Code.RUN_SUCCEEDED, f"{_named(situation)} succeeded{_when(situation)}")]
    if run.state is RunState.CANCELLED and situation.overlapped_by is not None:
        what = f"{_named(situation)} gave way to run {situation.overlapped_by}: two of this schedule do not go at once"
        return [Reason(Code.RUN_OVERLAPPED, what)]
    if run.state is RunState.CANCELLED:
        return [Reason(Code.RUN_CANCELLED, f"{_named(situation)} was cancelled{_when(situation)}")]
    if run.state is RunState.FAILED:
        return _run_failed(situation)
    if run.cancel_requested_at is not None:
        return _run_stopping(situation)
    return _run_queued(situation) if run.state is RunState.QUEUED else _run_running(situation)


def why_task(situation: RunSituation, instance: Instance) -> list[Reason]:
    """Why a task of a run is where it is: what somebody decided of it, what it waits for, or how it ended."""
    return [*_decided(situation, instance), *_why_there(situation, instance)]


def _decided(situation: RunSituation, instance: Instance) -> list[Reason]:
    """What the scheduler has yet to take in of what people decided; else what had no effect."""
    name, run = situation.name(instance), situation.run
    decision, refused = situation.decisions.get(instance), situation.refusals.get(name)
    if decision is not None:
        what = f"{decision.by} decided about {name}: {_words(decision.what)}"
        waits = run.state is RunState.QUEUED
        return [Reason(Code.DECISION_WAITS, what, "the run begins" if waits else "the scheduler's next step")]
    if refused is not None:
        facts = refused.facts or {}
        what = f"{facts.get('by')} decided about {name}: {_words(facts.get('what'))}, with no effect"
        return [Reason(Code.DECISION_REFUSED, f"{what}: {facts.get('why')}")]
    return []


def _words(decision: object) -> str:
    return str(decision).replace("_", " as ")


def _why_there(situation: RunSituation, instance: Instance) -> list[Reason]:
    name = situation.name(instance)
    state = situation.state(instance)
    if situation.run.state is RunState.QUEUED and state not in FINAL_TASK:
        reason = Reason(Code.RUN_NOT_BEGUN, f"{name} waits for its run to begin", "the run begins")
        return [reason, *why_run(situation)]
    if situation.run.state is RunState.CANCELLED and state is TaskState.NONE:
        return [Reason(Code.CANCELLED, f"{name} never began"), *why_run(situation)]
    return explain_task(situation, instance)


def _run_queued(situation: RunSituation) -> list[Reason]:
    run, backfill = situation.run, situation.backfill
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if backfill is not None and backfill.state == "paused":
        what = f"backfill {backfill.backfill_id} is paused"
        lifts = f"somebody lets it go on: `ostinato backfill resume {backfill.backfill_id}`"
        return [Reason(Code.BACKFILL_PAUSED, what, lifts)]
    if backfill is not None and situation.running_runs >= backfill.max_active_runs:
        what = f"{_running(situation)} of backfill {backfill.backfill_id}, and no more may"
        return [Reason(Code.BACKFILL_FULL, what, "one of them ends")]
    most = situation.spec.max_active_runs
    if backfill is None and situation.running_runs >= most:
        what = f"{_running(situation)} of {run.dag_id}, and no more than {most} may"
        lifts = f"one of them ends: `ostinato runs {run.dag_id} --state running`"
        return [Reason(Code.TOO_MANY_RUNS, what, lifts)]
    return [Reason(Code.ABOUT_TO_BEGIN, f"{_named(situation)} is about to begin", "the scheduler's next step")]


def _run_running(situation: RunSituation) -> list[Reason]:
    total = len(situation.spec.tasks)
    ended = sum(situation.state((no, UNMAPPED)) in FINAL_TASK for no in range(total))
    what = f"{ended} of {total} tasks of {_named(situation)} have ended"
    stuck = _most_stuck(situation)
    if stuck is None:
        reason = Reason(Code.TASKS_OPEN, what, "the scheduler's next step")
        return [reason] if situation.scheduler else [reason, NO_SCHEDULER]
    reason = Reason(Code.TASKS_OPEN, f"{what}; it waits for {situation.name(stuck)}", "they end")
    return [reason, *explain_task(situation, stuck)]


def _run_stopping(situation: RunSituation) -> list[Reason]:
    run = situation.run
    reason = Reason(Code.RUN_STOPPING, f"{_named(situation)} is being cancelled", "what runs of it has stopped")
    if run.state is RunState.QUEUED or not situation.scheduler:
        return [reason] if situation.scheduler else [reason, NO_SCHEDULER]
    stuck = _most_stuck(situation)
    return [reason] if stuck is None else [reason, *explain_task(situation, stuck)]


def _run_failed(situation: RunSituation) -> list[Reason]:
    """The first failed task that counts is the root; tasks that did not start because of one have it in their chain."""
    states = [situation.state((no, UNMAPPED)) for no in range(len(situation.spec.tasks))]
    counted = situation.shape.failures(states)
    roots = [no for no in counted if states[no] is TaskState.FAILED] or counted
    failed = states.count(TaskState.FAILED)
    many = f": {failed} tasks failed" if failed > 1 else ""
    reason = Reason(
        Code.RUN_FAILED,
        f"{_named(situation)} failed{_when(situation)}{many}",
        again(situation),
    )
    return [reason, *(explain_task(situation, (roots[0], UNMAPPED)) if roots else [])]


def _most_stuck(situation: RunSituation) -> Instance | None:
    """The task that a run waits for; None if all have ended."""
    for state in STUCK_FIRST:
        for task_no in range(len(situation.spec.tasks)):
            at = task_no, UNMAPPED
            if situation.state(at) is state and (state is not TaskState.NONE or not situation.open_upstream(at)):
                return at
    return None


def _named(situation: RunSituation) -> str:
    run = situation.run
    return f"run {run.run_id} of {run.dag_id} for {situation.at(run.interval.start)}"


def _running(situation: RunSituation) -> str:
    count = situation.running_runs
    return "there is 1 running run" if count == 1 else f"there are {count} running runs"


def _when(situation: RunSituation) -> str:
    at = situation.run.finished_at
    return "" if at is None else f" at {situation.at(at)}"
