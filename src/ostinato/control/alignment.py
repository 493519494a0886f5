"""Steps that ask of another dag what it can never give, in one file and across files: told as problems of the file."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, structs

from ostinato.authoring.check import Collecting, Place
from ostinato.authoring.mistakes import Mistake
from ostinato.authoring.params import unfit
from ostinato.decide.alignment import misfits
from ostinato.model.record import DagProblem
from ostinato.model.spec import DagSpec, TaskSpec, Value

from .compilation import Compilation


class Wrong(Struct, frozen=True):
    """What a step ``task_id`` asks of another dag ``dag_id`` for nothing."""

    mistake: Mistake
    task_id: str
    dag_id: str
    what: str
    help: str = ""


def outline(spec: DagSpec) -> DagSpec:
    """As much of a spec as `wrongs` looks at. It is remembered of all dags, and a file may have thousands."""
    tasks = (task if task.needs or task.call else TaskSpec(task.task_id) for task in spec.tasks)
    return structs.replace(spec, tasks=tuple(tasks), scopes=())


def wrongs(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[Wrong]:
    """What the steps of a dag ask of ``others`` that those can never give."""
    for misfit in misfits(spec, others):
        what = f"{misfit.task_id!r} can never begin: {misfit.reason}"
        help = "ask for a task that it has, and for whole intervals of it: shift, size, intervals, last"
        yield Wrong(Mistake.MISALIGNED, misfit.task_id, misfit.dag_id, what, help)
    for task in spec.tasks:
        called = None if task.call is None else others.get(task.call.dag_id)
        if called is None:
            continue
        given = {name: argument.value for name, argument in task.kwargs if isinstance(argument, Value)}
        if found := unfit(called.params, given, later=[name for name, _ in task.kwargs]):
            what = f"{task.task_id!r} calls {called.dag_id!r} with parameters that do not fit: {'; '.join(found)}"
            yield Wrong(Mistake.UNFIT_CALL, task.task_id, called.dag_id, what)


def check(
    gathered: Collecting, spec: DagSpec, others: Mapping[str, DagSpec], place: Callable[[str], Place | None]
) -> None:
    """Note what the steps of a dag ask of others for nothing. ``place`` says where a step is called."""
    for wrong in wrongs(spec, others):
        gathered.add(wrong.mistake, wrong.what, wrong.help, place(wrong.task_id), wrong.dag_id)


def misaligned(compilation: Compilation, others: Mapping[str, DagSpec]) -> tuple[DagProblem, ...]:
    """The problems of a compiled file whose steps ask dags of other files for what they can never give."""
    source = compilation.source
    gathered = Collecting(source.file, {source.file: source.code})
    everywhere = Place(source.file, 1, 1, source.code.count(b"\n") + 1)
    for dag in compilation.dags:
        check(gathered, dag.spec, others, lambda _: everywhere)
    return tuple(gathered.problems)
