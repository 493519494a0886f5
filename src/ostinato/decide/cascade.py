"""Which dags come after a dag, because their tasks need intervals of it: directly or through others."""

from collections.abc import Mapping

from ostinato.model.errors import OstinatoError
from ostinato.model.spec import DagSpec, Need


class CascadeInACircle(OstinatoError):
    """A backfill cannot go on to dags that wait for each other: no order of them would do."""

    code = "OST-241"
    exit_code = 3
    help = "Backfill the dags one by one, without --cascade."


def downstream(dag_id: str, specs: Mapping[str, DagSpec]) -> list[str]:
    """The dags that need intervals of ``dag_id``, or of one that does, each after all those that it needs.

    That a dag needs earlier intervals of its own is no part of it. Raises CascadeInACircle.
    """
    order: list[str] = []
    path: list[str] = []

    def visit(here: str) -> None:
        if here in path:
            circle = " → ".join([*path[path.index(here) :], here])
            raise CascadeInACircle(f"dags wait for each other: {circle}")
        if here in order:
            return
        path.append(here)
        for each in sorted(specs, reverse=True):
            if each != here and needs_of(specs[each], here):
                visit(each)
        order.append(path.pop())

    visit(dag_id)
    return order[-2::-1]


def needs_of(spec: DagSpec, dag_id: str) -> set[Need]:
    """All that the tasks of a dag need of another one."""
    return {need for task in spec.tasks for need in task.needs if need.dag_id == dag_id}
