"""Which alerts a move raises, and which it takes back. One alert is open for each interval of a dag that went wrong.

The key is the interval, not the run: a later run of the same interval that succeeds resolves it, and a failure of
Monday's data is not taken back by Tuesday's success.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from shlex import quote

from ostinato.model.change import Alert
from ostinato.model.message import DeadLetters, Failure
from ostinato.model.record import Run
from ostinato.model.spec import TaskSpec
from ostinato.model.time import Instant, stamp

from .classify import Classified


def key_of(dag_id: str, start: Instant) -> str:
    """The name under which an alert is opened and resolved."""
    return f"ostinato/{dag_id}/{stamp(start)}"


def failure_alert(
    run: Run, task: TaskSpec, classified: Classified, failure: Failure, number: int, now: Instant
) -> Alert:
    """A task has failed for good."""
    kind = failure.types[0] if failure.types else failure.how
    said = failure.message.partition("\n")[0][:200]
    details = {
        "attempts": number,
        "error_class": classified.error_class.value,
        "rule": classified.rule,
        "error": kind,
    }
    return _trouble(run, task, f"failed ({kind}: {said})", details, now)


def sensor_alert(run: Run, task: TaskSpec, now: Instant) -> Alert:
    """What a sensor waited for has not come in time."""
    return _trouble(run, task, "waited in vain", {"waited_s": task.sensor.timeout if task.sensor else 0}, now)


def expansion_alert(run: Run, task: TaskSpec, why: str, now: Instant) -> Alert:
    """A scope could not unfold, or a loop did not come to its end."""
    return _trouble(run, task, f"failed ({why})", {"error": why}, now)


def call_alert(run: Run, task: TaskSpec, why: str, now: Instant) -> Alert:
    """A task could not call for a run of another dag, or that run did not succeed."""
    return _trouble(run, task, f"failed ({why})", {"error": why}, now)


def approval_key(run: Run, name: str) -> str:
    """The name under which a question is opened, and closed when it is answered. Each task instance asks its own."""
    return f"{key_of(run.dag_id, run.interval.start)}/{run.run_id}/{name}"


def approval_alert(run: Run, task: TaskSpec, name: str, now: Instant) -> Alert:
    """A run waits for somebody's yes. ``name`` is what people call the task instance that asks."""
    asked = task.approval.question if task.approval else ""
    return Alert(
        dedup_key=approval_key(run, name),
        action="trigger",
        severity="warning",
        summary=f"{run.dag_id} for {stamp(run.interval.start)}: {name} asks: {asked}",
        at=now,
        details={
            "dag": run.dag_id,
            "run": run.run_id,
            "run_key": run.run_key,
            "task": task.task_id,
            "question": asked,
            "next": f"ostinato approve {run.run_id} {quote(name)}",
        },
    )


def approval_over(run: Run, task: TaskSpec, name: str, now: Instant) -> Alert:
    """A question was answered, or needs no answer any more."""
    return Alert(
        dedup_key=approval_key(run, name),
        action="resolve",
        severity="info",
        summary=f"{run.dag_id} for {stamp(run.interval.start)}: {name} needs no answer any more",
        at=now,
        details={"dag": run.dag_id, "run": run.run_id, "task": task.task_id},
    )


def rejects_key(run: Run) -> str:
    """The name under which it is told that records of an interval were rejected."""
    return f"{key_of(run.dag_id, run.interval.start)}/rejects"


def rejects_alert(run: Run, task: TaskSpec, letters: Sequence[DeadLetters], now: Instant) -> Alert:
    """A task went on without records that it rejected. The first of an interval to do so tells."""
    reasons: Counter[str] = Counter()
    for each in letters:
        reasons.update(each.reasons)
    count = sum(each.count for each in letters)
    records = "1 record" if count == 1 else f"{count:,} records"
    why = f"mostly: {reasons.most_common(1)[0][0]}" if reasons else "no reason given"
    return Alert(
        dedup_key=rejects_key(run),
        action="trigger",
        severity="warning",
        summary=f"{run.dag_id} for {stamp(run.interval.start)}: {task.task_id} rejected {records}, {why}",
        at=now,
        details={
            "dag": run.dag_id,
            "run": run.run_id,
            "run_key": run.run_key,
            "task": task.task_id,
            "rejected": count,
            "reasons": dict(reasons),
            "dead_letters": [each.path for each in letters],
            "next": f"ostinato dlq show {quote(letters[0].asset)} {quote(letters[0].partition)}",
        },
    )


def rejects_over(run: Run, now: Instant) -> Alert:
    """The interval is run again: what was rejected before is old news, and what this run rejects is told anew."""
    return Alert(
        dedup_key=rejects_key(run),
        action="resolve",
        severity="info",
        summary=f"{run.dag_id} for {stamp(run.interval.start)} is run again",
        at=now,
        details={"dag": run.dag_id, "run": run.run_id, "run_key": run.run_key},
    )


def _trouble(run: Run, task: TaskSpec, what: str, details: Mapping[str, object], now: Instant) -> Alert:
    return Alert(
        dedup_key=key_of(run.dag_id, run.interval.start),
        action="trigger",
        severity="error",
        summary=f"{run.dag_id} for {stamp(run.interval.start)}: {task.task_id} {what}",
        at=now,
        details={
            "dag": run.dag_id,
            "run": run.run_id,
            "run_key": run.run_key,
            "task": task.task_id,
            **details,
            "next": f"ostinato show {run.run_id}",
        },
    )


def recovery_alert(run: Run, now: Instant) -> Alert:
    """An interval's run has succeeded: whatever was open for it is over."""
    return Alert(
        dedup_key=key_of(run.dag_id, run.interval.start),
        action="resolve",
        severity="info",
        summary=f"{run.dag_id} for {stamp(run.interval.start)}: succeeded",
        at=now,
        details={"dag": run.dag_id, "run": run.run_id, "run_key": run.run_key},
    )


def deadline_alert(dag_id: str, start: Instant, due_at: Instant, now: Instant) -> Alert:
    """A deadline has passed and the interval's run has not succeeded, or does not exist."""
    return Alert(
        dedup_key=f"{key_of(dag_id, start)}/deadline",
        action="trigger",
        severity="critical",
        summary=f"{dag_id} for {stamp(start)} is not done by {stamp(due_at)}",
        at=now,
        details={
            "dag": dag_id,
            "logical_date": stamp(start),
            "due_at": stamp(due_at),
            "next": f"ostinato why {dag_id}",
        },
    )


def deadline_recovery(dag_id: str, start: Instant, now: Instant) -> Alert:
    """The interval is done, late."""
    return Alert(
        dedup_key=f"{key_of(dag_id, start)}/deadline",
        action="resolve",
        severity="info",
        summary=f"{dag_id} for {stamp(start)} is done, late",
        at=now,
        details={"dag": dag_id, "logical_date": stamp(start)},
    )


def schedule_alert(dag_id: str, why: str, now: Instant) -> Alert:
    """A dag's schedule cannot be followed on this machine, so no runs come of it."""
    return Alert(
        dedup_key=f"ostinato/{dag_id}/schedule",
        action="trigger",
        severity="error",
        summary=f"{dag_id} is not scheduled: {why}",
        at=now,
        details={"dag": dag_id, "next": f"ostinato why {dag_id}"},
    )
