"""What compiling a dag file gives."""

from msgspec import Struct

from ostinato.model.record import DagProblem
from ostinato.model.spec import CompiledDag, Source

from .file_mark import FileMark


class Compilation(Struct, frozen=True):
    """What a dag file came to. With problems there are no dags: a file is taken over whole or not at all.

    ``files`` are the files it depends on, as they were: while ``file_mark.unchanged(files)``, compiling again gives the
    same. ``output`` is the end of what it printed.
    """

    dags: tuple[CompiledDag, ...]
    source: Source
    problems: tuple[DagProblem, ...]
    files: tuple[FileMark, ...] = ()
    output: str = ""
