"""Why a dag, a run or a task is where it is: a chain of reasons from the question to the first fact that explains it.

Pure: the caller takes a snapshot, these functions read it. The first reason of a chain is about what was asked, each
further one about what the one before waits for; what lifts the last one moves them all.
"""

from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import Continuous
from ostinato.model.state import FINAL_TASK, RunState, TaskState
from ostinato.model.time import stamp

from .explain_task import NO_SCHEDULER, STUCK_FIRST, explain_task
from .reason import Code, Reason
from .situation import DagSituation, RunSituation
from .timetable import first_interval_after, next_due, upcoming


def why_dag(situation: DagSituation) -> list[Reason]:
    """Why the schedule of a dag does not make a run now, and when it will."""
    dag, spec = situation.dag, situation.spec
    if dag.retired_at is not None:
        what = f"{dag.dag_id} is no longer in {dag.file}, since {stamp(dag.retired_at)}"
        return [Reason(Code.DAG_RETIRED, what, "its file defines it again")]
    if spec.schedule is None:
        what = f"{dag.dag_id} has no schedule; it runs when somebody asks"
        return [Reason(Code.NO_SCHEDULE, what, f"somebody asks: `ostinato trigger {dag.dag_id}`")]
    if dag.paused:
        what = f"the schedule of {dag.dag_id} is paused"
        return [Reason(Code.PAUSED, what, f"somebody lets it go on: `ostinato dags unpause {dag.dag_id}`")]
    if isinstance(spec.schedule, Continuous):
        return [_why_continuous(situation)] if situation.scheduler else [NO_SCHEDULER]
    interval = next(upcoming(spec, situation.now), None)
    if interval is None and spec.end is not None:
        what = f"the schedule of {dag.dag_id} is over: no logical date is later than {stamp(spec.end)}"
        return [Reason(Code.SCHEDULE_OVER, what, "a later end in its file")]
    if interval is None:
        what = f"the schedule of {dag.dag_id} is over: the last of its moments has passed"
        return [Reason(Code.SCHEDULE_OVER, what, "a later moment in its file")]
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if interval != first_interval_after(spec.schedule, situation.now):
        first = stamp(interval.end)
        what = f"the schedule of {dag.dag_id} begins with {stamp(interval.start)}; that interval ends at {first}"
        return [Reason(Code.SCHEDULE_NOT_BEGUN, what, f"it is {first}")]
    what = f"the next run of {dag.dag_id} is for {stamp(interval.start)}; that interval ends at {stamp(interval.end)}"
    return [Reason(Code.INTERVAL_OPEN, what, f"it is {stamp(interval.end)}")]


def _why_continuous(situation: DagSituation) -> Reason:
    """A continuous schedule makes its next run when the one before is over, and enough time has passed."""
    dag = situation.dag
    at = next_due(situation.spec, situation.now if dag.scheduled_until is None else dag.scheduled_until)
    if at is None:
        return Reason(Code.SCHEDULE_OVER, f"the schedule of {dag.dag_id} is over", "a later end in its file")
    what = f"{dag.dag_id} runs again as soon as its last scheduled run is over, and not before {stamp(at)}"
    return Reason(Code.INTERVAL_OPEN, what, "that run is over")


def why_run(situation: RunSituation) -> list[Reason]:
    """Why a run is where it is: queued, running or ended."""
    run = situation.run
    if run.state is RunState.SUCCESS:
        return [Reason(Code.RUN_SUCCEEDED, f"{_named(run)} succeeded{_when(run)}")]
    if run.state is RunState.CANCELLED and situation.overlapped_by is not None:
        what = f"{_named(run)} gave way to run {situation.overlapped_by}: two of this schedule do not go at once"
        return [Reason(Code.RUN_OVERLAPPED, what)]
    if run.state is RunState.CANCELLED:
        return [Reason(Code.RUN_CANCELLED, f"{_named(run)} was cancelled{_when(run)}")]
    if run.state is RunState.FAILED:
        return _run_failed(situation)
    if run.cancel_requested_at is not None:
        return _run_stopping(situation)
    return _run_queued(situation) if run.state is RunState.QUEUED else _run_running(situation)


def why_task(situation: RunSituation, instance: Instance) -> list[Reason]:
    """Why a task of a run is where it is: waiting for what, or ended how."""
    name = situation.name(instance)
    if situation.run.state is RunState.QUEUED:
        reason = Reason(Code.RUN_NOT_BEGUN, f"{name} waits for its run to begin", "the run begins")
        return [reason, *why_run(situation)]
    if situation.run.state is RunState.CANCELLED and situation.state(instance) is TaskState.NONE:
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
        what = f"{situation.running_runs} runs of backfill {backfill.backfill_id} are running, and no more may"
        return [Reason(Code.BACKFILL_FULL, what, "one of them ends")]
    most = situation.spec.max_active_runs
    if backfill is None and situation.running_runs >= most:
        what = f"{situation.running_runs} runs of {run.dag_id} are running, and no more than {most} may"
        return [Reason(Code.TOO_MANY_RUNS, what, f"a run of {run.dag_id} ends")]
    return [Reason(Code.ABOUT_TO_BEGIN, f"{_named(run)} is about to begin", "the scheduler's next step")]


def _run_running(situation: RunSituation) -> list[Reason]:
    total = len(situation.spec.tasks)
    ended = sum(situation.state((no, UNMAPPED)) in FINAL_TASK for no in range(total))
    what = f"{ended} of {total} tasks of {_named(situation.run)} have ended"
    stuck = _most_stuck(situation)
    if stuck is None:
        reason = Reason(Code.TASKS_OPEN, what, "the scheduler's next step")
        return [reason] if situation.scheduler else [reason, NO_SCHEDULER]
    reason = Reason(Code.TASKS_OPEN, f"{what}; it waits for {situation.name(stuck)}", "they end")
    return [reason, *explain_task(situation, stuck)]


def _run_stopping(situation: RunSituation) -> list[Reason]:
    run = situation.run
    reason = Reason(Code.RUN_STOPPING, f"{_named(run)} is being cancelled", "what runs of it has stopped")
    if run.state is RunState.QUEUED or not situation.scheduler:
        return [reason] if situation.scheduler else [reason, NO_SCHEDULER]
    stuck = _most_stuck(situation)
    return [reason] if stuck is None else [reason, *explain_task(situation, stuck)]


def _run_failed(situation: RunSituation) -> list[Reason]:
    """Its first failed task is the root; tasks that did not start because of one have it in their chain."""
    rows = sorted(situation.tasks.items())
    failed = [at for at, task in rows if task.state is TaskState.FAILED and at[1] == UNMAPPED]
    many = f": {len(failed)} tasks failed" if len(failed) > 1 else ""
    reason = Reason(
        Code.RUN_FAILED,
        f"{_named(situation.run)} failed{_when(situation.run)}{many}",
        "the interval is run again",
    )
    return [reason, *(explain_task(situation, failed[0]) if failed else [])]


def _most_stuck(situation: RunSituation) -> Instance | None:
    """The task that a run waits for; None if all have ended."""
    for state in STUCK_FIRST:
        for task_no in range(len(situation.spec.tasks)):
            at = task_no, UNMAPPED
            if situation.state(at) is state and (state is not TaskState.NONE or not situation.open_upstream(at)):
                return at
    return None


def _named(run: Run) -> str:
    return f"run {run.run_id} of {run.dag_id} for {stamp(run.interval.start)}"


def _when(run: Run) -> str:
    return "" if run.finished_at is None else f" at {stamp(run.finished_at)}"
