"""How runs come to be: one for each (dag, run key), with the first line of its history, in the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, String, bindparam, func, select

from ostinato.model.birth import born, first_events
from ostinato.model.change import Event, NewRun
from ostinato.model.record import Run
from ostinato.model.state import RunState

from . import database, hot
from .codes import CAUSES, KINDS, STATES
from .definition import dag_numbers, version_numbers
from .record import text_of
from .tables import meta, run

_KEYS_AT_ONCE: Final = 1_000
_TAKEN: Final = select(run.c.run_key).where(
    run.c.dag_no == bindparam("dag_no"), run.c.run_key.in_(bindparam("keys", type_=String(), expanding=True))
)


def create_runs(connection: Connection, runs: Sequence[NewRun]) -> list[Run]:
    """Create the runs whose keys are free, and return those. Raises NotFound for a dag or version that is not there."""
    dag_nos = dag_numbers(connection, {new.dag_id for new in runs})
    version_nos = version_numbers(connection, {new.version for new in runs})
    first = last_run(connection) + 1  # who writes is alone
    created = [(run_id, new) for run_id, new in enumerate(_free(connection, runs, dag_nos), first)]
    rows = [_row(run_id, new, dag_nos[new.dag_id], version_nos[new.version]) for run_id, new in created]
    database.write(connection, hot.INSERT_RUN, rows, "new runs")
    made = [born(run_id, new) for run_id, new in created]
    lines = [
        event_row(event) for each, (_, new) in zip(made, created, strict=True) for event in first_events(each, new)
    ]
    database.write(connection, hot.INSERT_EVENT, lines, "events")
    for run_id, new in created:
        if new.based_on is not None:
            _carry_over(connection, run_id, new, new.based_on)
    return made


def last_run(connection: Connection) -> int:
    """The highest run id there may have been; 0: none yet."""
    there = connection.execute(select(func.max(run.c.run_id))).scalar_one() or 0
    return max(there, connection.execute(select(meta.c.last_run)).scalar_one())


def _free(connection: Connection, runs: Sequence[NewRun], dag_nos: Mapping[str, int]) -> list[NewRun]:
    """The runs whose keys nobody has, the first of each key."""
    keys: defaultdict[int, list[str]] = defaultdict(list)
    for new in runs:
        keys[dag_nos[new.dag_id]].append(new.run_key)
    taken = {
        (dag_no, key)
        for dag_no, wanted in keys.items()
        for part in range(0, len(wanted), _KEYS_AT_ONCE)
        for key in connection.scalars(_TAKEN, {"dag_no": dag_no, "keys": wanted[part : part + _KEYS_AT_ONCE]})
    }
    free: list[NewRun] = []
    for new in runs:
        key = dag_nos[new.dag_id], new.run_key
        if key not in taken:
            taken.add(key)
            free.append(new)
    return free


def _carry_over(connection: Connection, run_id: int, new: NewRun, old: int) -> None:
    """What the new run takes over from the old one: ends of task instances, their outputs, the items of scopes."""
    rows = [
        (run_id, each.task_no, each.map_index, STATES[each.becomes], new.at, None, None, None) for each in new.carried
    ]
    database.write_some(connection, hot.INSERT_TASK, rows)
    outputs = [
        (run_id, each.task_no, old, each.output_of, each.map_index)
        for each in new.carried
        if each.output_of is not None
    ]
    database.write_some(connection, hot.CARRY_OUTPUT, outputs)
    database.write_some(
        connection, hot.CARRY_ITEMS, [(run_id, scope_no, old, before) for scope_no, before in new.scopes]
    )


def _row(run_id: int, new: NewRun, dag_no: int, version_no: int) -> tuple[object, ...]:
    return (
        run_id,
        dag_no,
        version_no,
        new.run_key,
        KINDS[new.kind],
        STATES[RunState.QUEUED],
        new.start,
        new.end,
        new.params,
        new.at,
        new.backfill_id,
        new.by,
        *(new.parent or (None, None, None)),
        new.based_on,
    )


def event_row(event: Event) -> tuple[object, ...]:
    """A line of history as `hot.INSERT_EVENT` takes it."""
    return (
        event.run_id,
        event.seq,
        event.at,
        CAUSES[event.cause],
        STATES[event.was],
        STATES[event.becomes],
        event.task_no,
        event.map_index,
        event.attempt,
        None if event.facts is None else text_of(event.facts),
    )
