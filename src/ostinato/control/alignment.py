"""Steps and schedules that ask of another dag what it can never give, in one file and across files: problems of the file."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, structs

from ostinato.authoring.check import Collecting, Place, did_you_mean
from ostinato.authoring.mistakes import Mistake
from ostinato.authoring.params import unfit
from ostinato.decide.alignment import circle, misfits
from ostinato.model.record import DagProblem
from ostinato.model.spec import After, DagSpec, TaskSpec, Value

from .compilation import Compilation


class Wrong(Struct, frozen=True):
    """What a step ``task_id``, or the schedule (None), asks of another dag ``dag_id`` for nothing."""

    mistake: Mistake
    task_id: str | None
    dag_id: str
    what: str
    help: str = ""


def outline(spec: DagSpec) -> DagSpec:
    """As much of a spec as `wrongs` looks at. It is remembered of all dags, and a file may have thousands."""
    tasks = (task if task.needs or task.call else TaskSpec(task.task_id) for task in spec.tasks)
    return structs.replace(spec, tasks=tuple(tasks), scopes=())


def wrongs(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[Wrong]:
    """What a dag and its steps ask of ``others`` that those can never give."""
    found = circle(spec, others)
    if found is not None:
        what = f"dags run after each other in a circle: {' → '.join(found)}"
        yield Wrong(Mistake.AFTER_CIRCLE, None, found[1], what, "let one of them have a schedule of its own")
    for misfit in misfits(spec, others):
        who = f"a run of {spec.dag_id!r}" if misfit.task_id is None else repr(misfit.task_id)
        what = f"{who} can never begin: {misfit.reason}"
        help = "ask for a task that it has, and for whole intervals of it: shift, size, intervals, last"
        if misfit.task_id is None:
            help = "let its intervals be made up of whole intervals of the other: each="
        yield Wrong(Mistake.MISALIGNED, misfit.task_id, misfit.dag_id, what, help)
    for task in spec.tasks:
        called = None if task.call is None else others.get(task.call.dag_id)
        if called is None:
            continue
        given = {name: argument.value for name, argument in task.kwargs if isinstance(argument, Value)}
        if found := unfit(called.params, given, later=[name for name, _ in task.kwargs]):
            what = f"{task.task_id!r} calls {called.dag_id!r} with parameters that do not fit: {'; '.join(found)}"
            yield Wrong(Mistake.UNFIT_CALL, task.task_id, called.dag_id, what)


def unknown(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[Wrong]:
    """The dags that a dag runs after and that are not among ``others``, which are all that there are."""
    for dag_id in spec.schedule.dags if isinstance(spec.schedule, After) else ():
        if dag_id not in others:
            what = f"{spec.dag_id!r} runs after {dag_id!r}, and there is no such dag"
            help = did_you_mean(dag_id, others, "deploy its file too, or check both files together")
            yield Wrong(Mistake.AFTER_UNKNOWN, None, dag_id, what, help)


def check(
    gathered: Collecting, spec: DagSpec, others: Mapping[str, DagSpec], place: Callable[[str | None], Place | None]
) -> None:
    """Note what a dag asks of others for nothing. ``place`` says where a step is called, or (None) the dag defined."""
    for wrong in wrongs(spec, others):
        gathered.add(wrong.mistake, wrong.what, wrong.help, place(wrong.task_id), wrong.dag_id)


def misaligned(compilation: Compilation, others: Mapping[str, DagSpec]) -> tuple[DagProblem, ...]:
    """The problems of a compiled file that asks dags of other files for what they can never give. ``others``: all dags."""
    source = compilation.source
    gathered = Collecting(source.file, {source.file: source.code})
    everywhere = Place(source.file, 1, 1, source.code.count(b"\n") + 1)
    for dag in compilation.dags:
        check(gathered, dag.spec, others, lambda _: everywhere)
        for wrong in unknown(dag.spec, others):
            gathered.add(wrong.mistake, wrong.what, wrong.help, everywhere, wrong.dag_id)
    return tuple(gathered.problems)
