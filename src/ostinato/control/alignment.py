"""Steps that ask of another dag what it can never give, in one file and across files: told as problems of the file."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import structs

from ostinato.authoring.check import Collecting, Place
from ostinato.authoring.mistakes import Mistake
from ostinato.authoring.params import unfit
from ostinato.decide.alignment import misfits
from ostinato.model.spec import DagSpec, Value

from .compilation import Compilation

_BECAUSE_OF_OTHERS: Final = frozenset({Mistake.MISALIGNED, Mistake.UNFIT_CALL})


def aligned(compilation: Compilation, others: Iterable[Compilation]) -> Compilation:
    """A compiled file, with a problem for each step that asks dags of other files for what they can never give."""
    source = compilation.source
    elsewhere = {
        dag.spec.dag_id: dag.spec for other in others if other.source.file != source.file for dag in other.dags
    }
    gathered = Collecting(source.file, {source.file: source.code})
    everywhere = Place(source.file, 1, 1, source.code.count(b"\n") + 1)
    for dag in compilation.dags:
        check(gathered, dag.spec, elsewhere, lambda _: everywhere)
    return (
        structs.replace(compilation, dags=(), problems=tuple(gathered.problems)) if gathered.problems else compilation
    )


def check(
    gathered: Collecting, spec: DagSpec, others: Mapping[str, DagSpec], place: Callable[[str], Place | None]
) -> None:
    """Note the steps of a dag that ask others for what they can never give. ``place`` says where a step is called."""
    for misfit in misfits(spec, others):
        what = f"{misfit.task_id!r} can never begin: {misfit.reason}"
        help = "ask for a task that it has, and for whole intervals of it: shift, size, intervals, last"
        gathered.add(Mistake.MISALIGNED, what, help, place(misfit.task_id), misfit.dag_id)
    for task in spec.tasks:
        called = None if task.call is None else others.get(task.call.dag_id)
        if called is None:
            continue
        given = {name: argument.value for name, argument in task.kwargs if isinstance(argument, Value)}
        wrong = unfit(called.params, given, later=[name for name, _ in task.kwargs])
        if wrong:
            what = f"{task.task_id!r} calls {called.dag_id!r} with parameters that do not fit: {'; '.join(wrong)}"
            gathered.add(Mistake.UNFIT_CALL, what, "", place(task.task_id), called.dag_id)


def depends_on_others(compilation: Compilation) -> bool:
    """Whether what is wrong with a file may be so because of another one."""
    return any(problem.code in _BECAUSE_OF_OTHERS for problem in compilation.problems)
