"""Looking for what must never be found: what the database finds itself, and what spans tables without foreign keys."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, TextClause, bindparam, text

from ostinato.model.errors import AuditBroken
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, LIVE_ATTEMPT, AttemptState, TaskState

from . import packs
from .audit import verify
from .codes import STATES
from .database import damage


def _law(query: str, **states: Collection[str]) -> TextClause:
    """A query whose count is to be zero; each parameter is a list of states."""
    codes = {name: [STATES[state] for state in sorted(of)] for name, of in states.items()}
    lists: list[BindParameter[Any]] = [bindparam(name, codes[name], expanding=True) for name in codes]
    return text(query).bindparams(*lists)


_LAWS: Final = {
    "task instances without a run": _law(
        "SELECT count(*) FROM task_instance WHERE run_id NOT IN (SELECT run_id FROM run)"
    ),
    "events without a run": _law("SELECT count(*) FROM event WHERE run_id NOT IN (SELECT run_id FROM run)"),
    "packed events without a run": _law("SELECT count(*) FROM event_pack WHERE run_id NOT IN (SELECT run_id FROM run)"),
    "packed events of a run that goes on": _law(
        "SELECT count(*) FROM event_pack p JOIN run r ON r.run_id = p.run_id WHERE r.state NOT IN :over", over=FINAL_RUN
    ),
    "attempts without a task instance": _law(
        "SELECT count(*) FROM attempt a LEFT JOIN task_instance t ON t.run_id = a.run_id AND t.task_no = a.task_no AND t.map_index = a.map_index "
        "WHERE t.run_id IS NULL"
    ),
    "attempts that their task instance has lost sight of": _law(
        "SELECT count(*) FROM attempt a JOIN task_instance t ON t.run_id = a.run_id AND t.task_no = a.task_no AND t.map_index = a.map_index "
        "WHERE a.attempt <> coalesce(t.attempt, 0) AND a.state NOT IN :fell_short",
        fell_short=FINAL_ATTEMPT - {AttemptState.SUCCESS},
    ),
    "attempts of unknown agents": _law("SELECT count(*) FROM attempt WHERE agent NOT IN (SELECT number FROM agent)"),
    "outputs without a success": _law(
        "SELECT count(*) FROM output o LEFT JOIN task_instance t "
        "ON t.run_id = o.run_id AND t.task_no = o.task_no AND t.map_index = o.map_index AND t.state IN :success WHERE t.run_id IS NULL",
        success=[TaskState.SUCCESS],
    ),
    "live attempts of ended task instances": _law(
        "SELECT count(*) FROM attempt a JOIN task_instance t ON t.run_id = a.run_id AND t.task_no = a.task_no AND t.map_index = a.map_index "
        "WHERE a.state IN :live AND t.state IN :ended",
        live=LIVE_ATTEMPT,
        ended=FINAL_TASK,
    ),
    "task instances with more than one live attempt": _law(
        "SELECT count(*) FROM (SELECT run_id FROM attempt WHERE state IN :live "
        "GROUP BY run_id, task_no, map_index HAVING count(*) > 1) AS doubled",
        live=LIVE_ATTEMPT,
    ),
    "items without a run": _law("SELECT count(*) FROM item WHERE run_id NOT IN (SELECT run_id FROM run)"),
    "unended task instances in ended runs": _law(
        "SELECT count(*) FROM task_instance t JOIN run r ON r.run_id = t.run_id "
        "WHERE t.state NOT IN :ended AND r.state IN :over",
        ended=FINAL_TASK,
        over=FINAL_RUN,
    ),
}


def _chain(connection: Connection) -> list[str]:
    try:
        verify(connection, None)
    except AuditBroken as error:
        return [f"the audit is broken: {error.what}"]
    return []


def findings(connection: Connection) -> list[str]:
    """One line for each law that does not hold; empty: all is well. Reads the whole database."""
    found = damage(connection)
    for law, query in _LAWS.items():
        count = connection.execute(query).scalar_one()
        if count:
            found.append(f"{count} {law}")
    return found + packs.damage(connection) + _chain(connection)
