"""Dags of files that a test cannot import, because they are in YAML or make their dags from a list."""

from pathlib import Path

from ostinato.authoring.dag import Dag
from ostinato.authoring.load import load_source
from ostinato.control.compile import compile_file
from ostinato.model.errors import DagFileInvalid


def dags_of(file: str | Path) -> dict[str, Dag]:
    """The dags of a dag file, by id, compiled as they are when they are deployed.

    What their steps import from the file's folder is as it is now, until the dags of another file are asked for. Raises
    DagFileInvalid with all that is wrong with the file::

        sales = dags_of("daily_sales.dag.yaml")["daily_sales"]
        assert sales.test().run.state == "success"
    """
    compilation = compile_file(Path(file))
    if compilation.problems:
        problem = compilation.problems[0]
        raise DagFileInvalid(
            problem.what, problems=compilation.problems, where=f"{problem.file}:{problem.line}", help=problem.help
        )
    return load_source(compilation.source).dags
