"""Dags as they are deployed: which version is in force, and the source of every version that ever was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from msgspec import msgpack
from sqlalchemy import Connection, String, bindparam, delete, insert, select, update
from sqlalchemy.exc import NoResultFound

from ostinato.model.canonical import canonical, digest, unpacked
from ostinato.model.change import SwitchedOff
from ostinato.model.errors import Conflict, InvariantBroken, NotFound
from ostinato.model.record import Dag, DagProblem, Deployment
from ostinato.model.spec import CompiledDag, DagSpec
from ostinato.model.time import Instant

from . import database
from .record import DAGS, PROBLEMS, to_dag, to_problem
from .tables import dag, dag_problem, dag_version, meta, source, switched_off

_SPEC = msgpack.Decoder(DagSpec)

# Lists of ids are bound when a statement is executed: in a statement that is kept for the next time they would be kept too,
# and with some small texts all the memory around them.
_IDS = bindparam("ids", type_=String(), expanding=True)
_MISSING = update(dag).where(dag.c.file == bindparam("of"), dag.c.retired_at.is_(None), dag.c.dag_id.not_in(_IDS))
_FOREIGN = (
    select(dag.c.dag_id, dag.c.file)
    .where(dag.c.dag_id.in_(_IDS), dag.c.file != bindparam("of"), dag.c.retired_at.is_(None))
    .order_by(dag.c.dag_id)
)
_IN_FORCE = (
    select(dag.c.file, dag.c.dag_id, dag_version.c.version)
    .join(dag_version, dag_version.c.version_no == dag.c.version_no)
    .where(dag.c.file.in_(bindparam("files", type_=String(), expanding=True)), dag.c.retired_at.is_(None))
)
_VERSION_NUMBERS = select(dag_version.c.version, dag_version.c.version_no).where(dag_version.c.version.in_(_IDS))
_DAG_NUMBERS = select(dag.c.dag_id, dag.c.dag_no).where(dag.c.dag_id.in_(_IDS))


def put_dags(
    connection: Connection, deployments: Sequence[Deployment], now: Instant
) -> dict[str, dict[str, str | None]]:
    """Bring what is deployed from some files up to date. See `Store.put_dags`.

    Returns for each file that changed anything the dags it changed, with their new versions; None: retired.
    """
    before = _in_force(connection, [each.file for each in deployments])
    for each in deployments:
        if not each.problems:
            _retire_missing(connection, each, now)
    for each in deployments:
        _refuse_foreign(connection, each)
        if each.dags:
            _put_versions(connection, each.dags, each.source, now)
            _put_rows(connection, each)
        _put_problems(connection, each)
    touch(connection)
    changes = {each.file: _changes(before.get(each.file, {}), each) for each in deployments}
    return {file: changed for file, changed in changes.items() if changed}


def _changes(before: Mapping[str, str], deployment: Deployment) -> dict[str, str | None]:
    """The dags that a deployment changes, in order, with their new versions; None: retired."""
    new = {compiled.spec.dag_id: compiled.version for compiled in deployment.dags}
    gone: set[str] = set() if deployment.problems else before.keys() - new.keys()
    made = {dag_id for dag_id, version in new.items() if before.get(dag_id) != version}
    return {dag_id: new.get(dag_id) for dag_id in sorted(gone | made)}


def _in_force(connection: Connection, files: Iterable[str]) -> dict[str, dict[str, str]]:
    """The versions of the dags that are deployed from files, by file and dag."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for file, dag_id, version in connection.execute(_IN_FORCE, {"files": list(files)}):
        found[file][dag_id] = version
    return found


def _retire_missing(connection: Connection, deployment: Deployment, now: Instant) -> None:
    """Retire what a file no longer defines: before another file takes it over."""
    kept = [compiled.spec.dag_id for compiled in deployment.dags]
    connection.execute(_MISSING.values(retired_at=now), {"of": deployment.file, "ids": kept})


def _put_problems(connection: Connection, deployment: Deployment) -> None:
    connection.execute(delete(dag_problem).where(dag_problem.c.file == deployment.file))
    rows = [_problem_row(deployment.file, n, problem) for n, problem in enumerate(deployment.problems)]
    if rows:
        connection.execute(insert(dag_problem), rows)


def touch(connection: Connection) -> None:
    """Say that dags have changed; see `Store.dags_revision`."""
    connection.execute(update(meta).values(dags_revision=meta.c.dags_revision + 1))


def _refuse_foreign(connection: Connection, deployment: Deployment) -> None:
    ids = [compiled.spec.dag_id for compiled in deployment.dags]
    taken = connection.execute(_FOREIGN, {"of": deployment.file, "ids": ids}).first()
    if taken is not None:
        raise Conflict(
            f"the dag {taken.dag_id} is already defined in {taken.file}",
            where=deployment.file,
            help="Give one of them another dag_id, or remove the other file first.",
        )


def _put_versions(connection: Connection, dags: Sequence[CompiledDag], code: bytes, now: Instant) -> None:
    name = digest(code)
    strange = [compiled.spec.dag_id for compiled in dags if compiled.source != name]
    if strange:
        raise InvariantBroken(f"the dag {strange[0]} was not compiled from the source it comes with")
    database.insert_free(connection, source, [{"digest": name, "code": code}])
    versions = [
        {
            "version": compiled.version,
            "file": compiled.file,
            "source": name,
            "spec": canonical(compiled.spec),
            "created_at": now,
        }
        for compiled in dags
    ]
    database.insert_free(connection, dag_version, versions)


def _put_rows(connection: Connection, deployment: Deployment) -> None:
    numbers = version_numbers(connection, {compiled.version for compiled in deployment.dags})
    rows = [
        {
            "dag_id": compiled.spec.dag_id,
            "version_no": numbers[compiled.version],
            "file": deployment.file,
            "retired_at": None,
        }
        for compiled in deployment.dags
    ]
    database.upsert(connection, dag, ["dag_id"], ["version_no", "file", "retired_at"], rows)


def _problem_row(file: str, position: int, problem: DagProblem) -> dict[str, object]:
    return {
        "file": file,
        "position": position,
        "code": problem.code,
        "what": problem.what,
        "line": problem.line,
        "column": problem.column,
        "help": problem.help,
    }


def version_numbers(connection: Connection, versions: Iterable[str]) -> dict[str, int]:
    """The rows of dag versions. Raises NotFound for one that was never put."""
    wanted = set(versions)
    rows = connection.execute(_VERSION_NUMBERS, {"ids": list(wanted)})
    found = {row.version: row.version_no for row in rows}
    for missing in wanted - found.keys():
        raise NotFound(f"there is no dag version {missing}")
    return found


def dag_numbers(connection: Connection, dag_ids: Iterable[str]) -> dict[str, int]:
    """The rows of dags, retired ones too. Raises NotFound, with a suggestion, for one that was never put."""
    wanted = set(dag_ids)
    rows = connection.execute(_DAG_NUMBERS, {"ids": list(wanted)})
    found = {row.dag_id: row.dag_no for row in rows}
    for missing in wanted - found.keys():
        raise _no_dag(connection, missing)
    return found


def dags(connection: Connection, *, retired: bool) -> list[Dag]:
    """All dags by id, those that are gone from their file only if ``retired``."""
    query = DAGS if retired else DAGS.where(dag.c.retired_at.is_(None))
    return [to_dag(row) for row in connection.execute(query.order_by(dag.c.dag_id))]


def get_dag(connection: Connection, dag_id: str) -> Dag:
    """One dag. Raises NotFound with a suggestion."""
    row = connection.execute(DAGS.where(dag.c.dag_id == dag_id)).one_or_none()
    if row is None:
        raise _no_dag(connection, dag_id)
    return to_dag(row)


def _no_dag(connection: Connection, dag_id: str) -> NotFound:
    known = connection.scalars(select(dag.c.dag_id).where(dag.c.retired_at.is_(None))).all()
    close = get_close_matches(dag_id, known, n=1)
    if close:
        return NotFound(f"there is no dag {dag_id}", help=f"Did you mean {close[0]}?")
    return NotFound(f"there is no dag {dag_id}", help="" if known else "No dag is deployed yet.")


def compiled_dag(connection: Connection, version: str) -> CompiledDag:
    """A dag version as it was compiled. Raises NotFound."""
    query = select(dag_version.c.spec, dag_version.c.file, dag_version.c.source).where(dag_version.c.version == version)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no dag version {version}")
    return CompiledDag(unpacked(_SPEC.decode(row.spec)), row.file, row.source, version)


def source_code(connection: Connection, name: str) -> bytes:
    """A source by its digest, in canonical form. Raises NotFound."""
    try:
        return connection.execute(select(source.c.code).where(source.c.digest == name)).scalar_one()
    except NoResultFound:
        raise NotFound(f"there is no source {name}") from None


def problems(connection: Connection) -> list[DagProblem]:
    """Why files were not taken over, by file, in the order in which they were found."""
    query = PROBLEMS.order_by(dag_problem.c.file, dag_problem.c.position)
    return [to_problem(row) for row in connection.execute(query)]


def set_paused(connection: Connection, dag_id: str, now: Instant, by: str, *, paused: bool) -> None:
    """Stop a dag's schedule, or let it go on. Raises NotFound."""
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    change = {"paused_at": now, "paused_by": by} if paused else {"paused_at": None, "paused_by": None}
    connection.execute(update(dag).where(dag.c.dag_no == dag_no, dag.c.paused_at.is_(None) == paused).values(**change))
    touch(connection)


def switch_off(connection: Connection, dag_id: str, task_id: str, becomes: SwitchedOff, by: str, now: Instant) -> None:
    """See `Store.switch_off`."""
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    row = {"dag_no": dag_no, "task_id": task_id, "becomes": becomes, "at": now, "switched_by": by}
    database.upsert(connection, switched_off, ["dag_no", "task_id"], ["becomes", "at", "switched_by"], [row])
    touch(connection)


def switch_on(connection: Connection, dag_id: str, task_id: str) -> bool:
    """See `Store.switch_on`."""
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    which = (switched_off.c.dag_no == dag_no, switched_off.c.task_id == task_id)
    gone = connection.execute(delete(switched_off).where(*which)).rowcount == 1
    touch(connection)
    return gone


def switched_off_tasks(connection: Connection) -> dict[tuple[str, str], SwitchedOff]:
    """See `Store.switched_off`."""
    query = select(dag.c.dag_id, switched_off.c.task_id, switched_off.c.becomes)
    rows = connection.execute(query.join(dag, dag.c.dag_no == switched_off.c.dag_no))
    return {(row.dag_id, row.task_id): row.becomes for row in rows}


def revision(connection: Connection) -> int:
    """How often dags have changed; see `Store.dags_revision`."""
    return connection.execute(select(meta.c.dags_revision)).scalar_one()
