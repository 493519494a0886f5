"""``ostinato check``: compile dag files and show every problem at once. Needs no state and changes none."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.model.limits import Limits
from ostinato.model.record import DagProblem
from ostinato.view.documents.dags import CheckDocument, CheckedDag
from ostinato.view.reading import problem_document

from .dag_files import existing
from .problems import Severity, draw_problems, shown_path
from .terminal import Ink, next_step, out, out_json, say
from .words import AsJson, declaration

if TYPE_CHECKING:
    from ostinato.control.compilation import Compilation

app = declaration()

WRONG_DEFINITION = 3


@app.command(epilog="ostinato check dags/\nostinato check sales.py --json")
def check(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS", help="dag files, or folders of them (default: this folder)")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="count warnings as problems")] = False,
    as_json: AsJson = False,
) -> int:
    """Compile dag files and show every problem with its place. Exit 3 if there is any.

    Where the code of tasks asks the clock or chance there is a warning, unless a comment `# clock ok: reason` allows it.
    """
    from ostinato.control.deploy import compile_all, dag_files  # noqa: PLC0415 - help does without
    from ostinato.control.known_files import KnownFiles  # noqa: PLC0415

    files = dag_files(existing(paths or ["."]))
    compiled = KnownFiles({}).take(compile_all(files, Limits()))
    problems = [problem for each in compiled for problem in each.problems]
    warnings = clock_warnings(compiled)
    if as_json:
        out_json(_document(files, compiled, problems, warnings))
    else:
        _draw(compiled, problems, warnings)
    return WRONG_DEFINITION if problems or (strict and warnings) else 0


def clock_warnings(compiled: Sequence["Compilation"]) -> list[DagProblem]:
    """Where tasks ask the clock or chance; a place in a module that several files use is told once."""
    from ostinato.authoring.clock_guard.lint import lint  # noqa: PLC0415 - help does without

    sound = (each.source for each in compiled if not each.problems)
    return list(dict.fromkeys(warning for source in sound for warning in lint(source)))


def _document(
    files: Sequence[Path],
    compiled: Sequence["Compilation"],
    problems: Sequence[DagProblem],
    warnings: Sequence[DagProblem],
) -> CheckDocument:
    return CheckDocument(
        files=[str(file) for file in files],
        dags=[
            CheckedDag(dag_id=dag.spec.dag_id, file=dag.file, version=dag.version, tasks=len(dag.spec.tasks))
            for each in compiled
            for dag in each.dags
        ],
        problems=[problem_document(problem) for problem in problems],
        warnings=[problem_document(warning) for warning in warnings],
    )


def _draw(compiled: Sequence["Compilation"], problems: Sequence[DagProblem], warnings: Sequence[DagProblem]) -> None:
    ink = Ink(sys.stdout)
    for found, severity in ((warnings, Severity.WARNING), (problems, Severity.ERROR)):
        if found:
            out(draw_problems(found, ink, severity))
            out()
    for dag in (dag for each in compiled for dag in each.dags):
        out(
            f"{ink('ok', 'green')}  {dag.spec.dag_id}  {len(dag.spec.tasks):,} tasks  {ink(shown_path(dag.file), 'dim')}"
        )
    for found, name in ((warnings, "warning"), (problems, "problem")):
        if found:
            files = len({each.file for each in found})
            say(f"{len(found)} {name}{'s' * (len(found) > 1)} in {files} file{'s' * (files > 1)}")
    if problems:
        return
    first = next((dag for each in compiled for dag in each.dags), None)
    if first is None:
        say("no dags were found")
        return
    next_step(f"ostinato run {shown_path(first.file)}:{first.spec.dag_id}")
