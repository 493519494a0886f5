"""Rehearsing a run, or a span of schedule of several dags."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ostinato.authoring.check import shown
from ostinato.authoring.dag import Dag
from ostinato.authoring.params import fill
from ostinato.authoring.schedule import zone
from ostinato.decide.deadline import due_at
from ostinato.decide.timetable import interval_at, intervals_between
from ostinato.model.change import NewRun
from ostinato.model.errors import NotRehearsable
from ostinato.model.record import Expectation, run_key
from ostinato.model.spec import DagSpec
from ostinato.model.time import DataInterval, Instant, instant, stamp
from ostinato.model.value import encode

from .part import Part, part
from .rehearsal import Rehearsal, Simulation
from .script import Outcome
from .stage import Stage

ANY_DATE: Final = date(2000, 1, 1)
"""What a run is for when nobody says, or the first interval after it: never today, or tomorrow's test would be another."""

_FAR_MS: Final = 40 * 366 * 86_400_000
"""How far after that an interval is looked for."""


def rehearse(
    dag: Dag,
    logical_date: date | None = None,
    *,
    params: Mapping[str, object] | None = None,
    outcomes: Mapping[str, Outcome] | None = None,
    others: Sequence[Dag] = (),
) -> Rehearsal:
    """One run of a dag. See `Dag.test`."""
    parts = _parts([dag, *others])
    own = parts[0]
    spec = own.spec
    interval = _interval(spec, logical_date)
    begin = interval.end
    values = encode(fill(spec.params, params or {}))
    stage = Stage(parts, outcomes or {}, begin)
    new = NewRun(
        spec.dag_id,
        own.compiled.version,
        run_key(interval.start),
        "manual",
        interval.start,
        interval.end,
        values,
        begin,
        by="test",
    )
    stage.ask(new)
    if spec.deadline is not None:
        due = due_at(spec.deadline, interval)
        stage.expect(Expectation(spec.dag_id, interval.start, due, "expected", begin))
    stage.play()
    return Rehearsal(stage.ledger, 1, _specs(parts))


def simulate(
    dags: Sequence[Dag],
    *,
    start: date,
    end: date,
    outcomes: Mapping[str, Outcome] | None = None,
    pools: Mapping[str, int] | None = None,
    slots: int | None = None,
) -> Simulation:
    """Follow the schedules of dags from ``start`` to ``end`` and let the runs go to their ends, in no time.

    There is a run for each interval that ends after ``start`` and by ``end`` (dates are midnights of UTC). Tasks are
    called, or end as ``outcomes`` says: by task id, or ``"dag/task"``. ``pools`` are sizes by name, ``slots`` is how many
    attempts go on at once; what is not given has no bound. Dags call and need each other; what ended before ``start`` has
    succeeded, and so has all of dags that are not given. Raises NotRehearsable for what does not fit the dags.
    """
    parts = _parts(dags)
    begin, until = _instant(start, UTC), _instant(end, UTC)
    if until <= begin:
        raise NotRehearsable(f"end={end} is not after start={start}")
    stage = Stage(parts, outcomes or {}, begin, pools=pools, slots=slots, on_schedule=True)
    stage.play(until)
    stage.stop_schedules()
    stage.play()
    ledger, specs = stage.ledger, _specs(parts)
    rehearsed = [run_id for run_id, each in ledger.accounts.items() if each.run.version in specs]
    return Simulation([Rehearsal(ledger, run_id, specs) for run_id in rehearsed], ledger.alerts)


def _parts(dags: Sequence[Dag]) -> list[Part]:
    if len({dag.dag_id for dag in dags}) < len(dags):
        raise NotRehearsable("two of the dags have one id", help="Give each its own: @dag(dag_id=...).")
    return [part(dag) for dag in dags]


def _specs(parts: Sequence[Part]) -> dict[str, DagSpec]:
    return {each.compiled.version: each.spec for each in parts}


def _interval(spec: DagSpec, day: date | None) -> DataInterval:
    """The data interval of a logical date: the first that starts on a day, or the one that starts at a moment."""
    schedule, tz = spec.schedule, zone(spec.schedule)
    first = _instant(ANY_DATE if day is None else day, tz)
    if day is None:
        last = first + _FAR_MS
    elif isinstance(day, datetime):
        last = first
    else:
        last = _instant(day + timedelta(days=1), tz) - 1
    found = next(intervals_between(schedule, first, last), None)
    if found is None:
        around = interval_at(schedule, first)
        help = f"Around it intervals start at {stamp(around.start)} and {stamp(around.end)}."
        raise NotRehearsable(f"no interval of the schedule of {spec.dag_id!r} starts at {day or ANY_DATE}", help=help)
    return found


def _instant(day: date, tz: tzinfo) -> Instant:
    """The first instant of a day, or the instant of a datetime; in a time zone unless it has its own."""
    if not isinstance(day, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise NotRehearsable(f"{shown(day)} is not a date", help="Write date(2024, 1, 31).")
    moment = day if isinstance(day, datetime) else datetime.combine(day, time(), tz)
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=tz))
