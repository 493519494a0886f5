"""A run drawn for people: a head, a table of tasks, then whatever went wrong in its own words."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ostinato.view.documents.runs import AlertDocument, EventDocument, RejectedDocument, ShowDocument, TaskDocument
from ostinato.view.reading import name_of
from ostinato.view.when import duration, local, local_zone

from .terminal import Ink, columns, next_step, out, plain, shortened, table

_MILLISECOND: Final = timedelta(milliseconds=1)
_UTC: Final = "%Y-%m-%d %H:%M:%SZ"
_TASKS_SHOWN: Final = 40
_ERRORS_SHOWN: Final = 5
_EVENTS_SHOWN: Final = 400
_URGENCY: Final = ("failed", "running", "up_for_retry", "queued", "deferred", "upstream_failed", "cancelled")


def draw(document: ShowDocument, *, every_task: bool) -> None:
    """Print a run."""
    ink = Ink(sys.stdout)
    _head(document, ink)
    if document.pruned:
        out("\nIts history is older than what is kept: only the run itself is still known.")
        return
    _tasks(document.tasks, every_task=every_task, ink=ink)
    draw_errors(document.tasks, ink)
    _rejected(document.rejected, ink)
    _alerts(document.alerts, ink)
    if document.events is not None:
        _story(document.events, ink)
    _next(document)


def _head(document: ShowDocument, ink: Ink) -> None:
    run = document.run
    out(f"{ink(f'run {run.run_id}', 'bold')}  {run.dag_id}  {ink.state(run.state)}")
    zone = local_zone(run.created_at)
    facts = [
        ("logical date", run.logical_date),
        ("data interval", f"{run.interval_start:{_UTC}} to {run.interval_end:{_UTC}}"),
        ("started", f"{local(run.started_at)} {zone if run.started_at else ''}".strip()),
        ("took", duration(run.duration_ms)),
        ("kind", f"{run.kind} {run.backfill_id or ''}".strip() + (f", by {run.by}" if run.by else "")),
        ("version", run.version[:12]),
    ]
    if run.based_on is not None:
        facts.append(("goes on from", f"run {run.based_on}"))
    if run.params:
        facts.append(("params", ", ".join(f"{name}={value}" for name, value in run.params.items())))
    if run.cancel_requested_at:
        facts.append(("asked to stop", local(run.cancel_requested_at)))
    for name, fact in facts:
        out(f"  {ink(f'{name:14}', 'dim')}{plain(fact)}")


def _tasks(tasks: Sequence[TaskDocument], *, every_task: bool, ink: Ink) -> None:
    shown = tasks if every_task or len(tasks) <= _TASKS_SHOWN else _most_urgent(tasks)
    rows = [
        (
            name_of(task),
            ink.state(task.state),
            str(len(task.attempts) or "-"),
            duration(task.attempts[-1].duration_ms if task.attempts else None),
            _peak(task),
            shortened(plain(_note(task)), max(columns() - 60, 30)),
        )
        for task in shown
    ]
    out()
    out(table(("TASK", "STATE", "TRIES", "TOOK", "MEMORY", "NOTE"), rows, right=(2, 3, 4), ink=ink))
    if len(shown) < len(tasks):
        counts = ", ".join(f"{count:,} {state}" for state, count in Counter(t.state for t in tasks).most_common())
        out(ink(f"{len(shown)} of {len(tasks):,} tasks are shown ({counts}); --all shows every one", "dim"))


def _most_urgent(tasks: Sequence[TaskDocument]) -> Sequence[TaskDocument]:
    """The tasks to look at first when there are too many: the failed, then the unfinished, then in order."""
    order = {state: n for n, state in enumerate(_URGENCY)}
    return sorted(tasks, key=lambda task: (order.get(task.state, len(order)), task.task_no, task.map_index or 0))[
        :_TASKS_SHOWN
    ]


def _peak(task: TaskDocument) -> str:
    peak = max((attempt.peak_kib for attempt in task.attempts), default=0)
    return f"{peak / 1024:.0f} MiB" if peak else "-"


def _note(task: TaskDocument) -> str:
    if task.due_at and task.state in ("deferred", "up_for_retry"):
        return f"looked at again {local(task.due_at)}"
    failed = [attempt for attempt in task.attempts if attempt.how]
    if not failed:
        return ""
    if task.state == "success":
        return "retried: " + ", ".join(f"{attempt.error_class} ({attempt.rule})" for attempt in failed)
    return f"{failed[-1].error_class}: {failed[-1].message or failed[-1].how}"


def draw_errors(tasks: Sequence[TaskDocument], ink: Ink) -> None:
    """Print the failures that stopped something: class, rule, and the frames of the user's own code."""
    failed = [task for task in tasks if task.state == "failed" and task.attempts]
    for task in failed[:_ERRORS_SHOWN]:
        last = task.attempts[-1]
        out()
        out(f"{ink(name_of(task), 'bold')} failed on try {last.number}, a {last.error_class} error: {last.rule}")
        text = (last.traceback or last.message or last.how or "").rstrip()
        for line in plain(text).splitlines():
            out(f"  {line}")
    if len(failed) > _ERRORS_SHOWN:
        out(ink(f"{len(failed) - _ERRORS_SHOWN} more tasks failed", "dim"))


def _rejected(rejected: Sequence[RejectedDocument], ink: Ink) -> None:
    for letters in rejected:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in list(letters.reasons.items())[:4])
        out()
        out(f"{ink(f'{letters.count:,} rejected rows', 'yellow')} of {plain(letters.asset)}: {plain(reasons)}")
        out(f"  {plain(letters.path)}")


def _alerts(alerts: Sequence[AlertDocument], ink: Ink) -> None:
    if alerts:
        out()
    for alert in alerts:
        sent = f"delivered {local(alert.delivered_at)}" if alert.delivered_at else "not delivered yet"
        if alert.error and not alert.delivered_at:
            sent += f" after {alert.tries} tries: {alert.error}"
        out(f"{ink(f'alert ({alert.severity})', 'yellow')} {plain(alert.summary)}; {plain(sent)}")


def _story(events: Sequence[EventDocument], ink: Ink) -> None:
    out()
    for event in events[:_EVENTS_SHOWN]:
        since = duration((event.at - events[0].at) / _MILLISECOND)
        subject = name_of(event)
        facts = " ".join(f"{key}={value}" for key, value in (event.facts or {}).items())
        arrow = f"{event.was} → {ink.state(event.becomes)}" if event.was != event.becomes else ink.state(event.was)
        out(f"{ink(f'+{since:>9}', 'dim')}  {subject}  {arrow}  {event.cause}  {ink(plain(facts), 'dim')}".rstrip())
    if len(events) > _EVENTS_SHOWN:
        out(ink(f"{len(events) - _EVENTS_SHOWN:,} more events; --json has them all", "dim"))


def _next(document: ShowDocument) -> None:
    run = document.run
    failed = next((task.task_id for task in document.tasks if task.state == "failed"), None)
    if failed:
        next_step(f"ostinato logs {run.run_id} {failed}")
    elif run.state in ("queued", "running"):
        next_step(f"ostinato why {run.run_id}")
    elif document.rejected:
        next_step(f"ostinato dlq show {document.rejected[0].asset} {document.rejected[0].partition}")
    else:
        next_step(f"ostinato logs {run.run_id}")
