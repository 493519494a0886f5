"""Steps that wait for what can never be there, in dags of one file and across files: told as problems of the file."""

from collections.abc import Iterable

from msgspec import structs

from ostinato.authoring.check import Collecting, Place
from ostinato.authoring.mistakes import Mistake
from ostinato.decide.alignment import Misfit, misfits

from .compilation import Compilation


def aligned(compilation: Compilation, others: Iterable[Compilation]) -> Compilation:
    """A compiled file, with a problem for each step that waits for what dags of other files never have."""
    source = compilation.source
    elsewhere = {
        dag.spec.dag_id: dag.spec for other in others if other.source.file != source.file for dag in other.dags
    }
    gathered = Collecting(source.file, {source.file: source.code})
    everywhere = Place(source.file, 1, 1, source.code.count(b"\n") + 1)
    for dag in compilation.dags:
        for misfit in misfits(dag.spec, elsewhere):
            add_misfit(gathered, misfit, everywhere, near=misfit.dag_id)
    return (
        structs.replace(compilation, dags=(), problems=tuple(gathered.problems)) if gathered.problems else compilation
    )


def add_misfit(gathered: Collecting, misfit: Misfit, place: Place | None, near: str = "") -> None:
    """Note a step that waits for what can never be there."""
    what = f"{misfit.task_id!r} can never begin: {misfit.reason}"
    help = "ask for a task that it has, and for whole intervals of it: shift, size, intervals, last"
    gathered.add(Mistake.MISALIGNED, what, help, place, near)


def depends_on_others(compilation: Compilation) -> bool:
    """Whether what is wrong with a file may be so because of another one."""
    return any(problem.code == Mistake.MISALIGNED for problem in compilation.problems)
