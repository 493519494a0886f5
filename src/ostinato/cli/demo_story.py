"""What came of the demo's year: what was tried again, failed, rejected, told to people, and took longest."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ostinato.connectors.channels import ROUTING_KEY
from ostinato.decide.alarm import key_of, rejects_key
from ostinato.model.record import Attempt, Run, instance_name
from ostinato.model.spec import DagSpec
from ostinato.model.state import RunState
from ostinato.view.reading import alert_document, attempt_document, between
from ostinato.view.when import duration, local, logical_date

from .problems import shown_path
from .terminal import plain, shortened

if TYPE_CHECKING:
    from ostinato.home import Home
    from ostinato.store import Store

_SLOWEST: Final = 3
_REJECTS_SHOWN: Final = 8


def told(store: "Store", home: "Home", spec: DagSpec, runs: Sequence[Run]) -> Iterator[tuple[str, list[str]]]:
    """Headings, each with its lines."""
    ids = {run.run_id: logical_date(run.interval, spec.schedule) for run in runs}
    failures = [(run, attempt) for run in runs for attempt in _failed_tries(store, run)]
    yield "tried again", [_line(spec, run, attempt) for run, attempt in failures if run.state == RunState.SUCCESS]
    yield "failed for good", [_line(spec, run, attempt) for run, attempt in failures if run.state == RunState.FAILED]
    yield "set aside as dead letters", list(_rejected(store, ids))
    keys = {key for run in runs for key in (key_of(run.dag_id, run.interval.start), rejects_key(run))}
    yield "told to people", list(_alerts(store, home, keys))
    slowest = sorted(runs, key=lambda run: -(between(run.started_at, run.finished_at) or 0))[:_SLOWEST]
    yield (
        "took longest",
        [f"{ids[run.run_id]}  {duration(between(run.started_at, run.finished_at))}" for run in slowest],
    )


def _failed_tries(store: "Store", run: Run) -> list[Attempt]:
    return [attempt for attempt in store.attempts(run.run_id) if attempt.error_class is not None]


def _line(spec: DagSpec, run: Run, attempt: Attempt) -> str:
    found = attempt_document(attempt)
    task = instance_name(spec, attempt.task_no, attempt.map_index)
    end = "then succeeded" if run.state == RunState.SUCCESS else "no further try"
    day = logical_date(run.interval, spec.schedule)
    return f"{day}  {task}, try {found.number}: {found.error_class} error ({found.rule}), {end}"


def _rejected(store: "Store", ids: dict[int, str]) -> Iterator[str]:
    found = [each for each in store.rejected(limit=10_000) if each.run_id in ids]
    found.sort(key=lambda each: -each.letters.count)
    for each in found[:_REJECTS_SHOWN]:
        letters = each.letters
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in letters.reasons.items())
        yield f"{ids[each.run_id]}  {letters.count:,} of {letters.asset}: {plain(shortened(reasons, 70))}"
    if len(found) > _REJECTS_SHOWN:
        rest = sum(each.letters.count for each in found[_REJECTS_SHOWN:])
        yield f"and {rest:,} in {len(found) - _REJECTS_SHOWN} more files: `ostinato dlq`"


def _alerts(store: "Store", home: "Home", keys: set[str]) -> Iterator[str]:
    """The alerts about these intervals. One that is still open from before is not raised again."""
    place = "PagerDuty" if os.environ.get(ROUTING_KEY, "").strip() else shown_path(str(home.alerts))
    for alert in map(alert_document, store.alerts(limit=1_000)):
        if alert.dedup_key in keys and alert.action == "trigger":
            sent = f"sent to {place} at {local(alert.delivered_at)}" if alert.delivered_at else "not delivered yet"
            yield f"{alert.severity}: {plain(shortened(alert.summary, 90))}; {sent}"
