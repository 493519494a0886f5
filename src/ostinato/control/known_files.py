"""The dag files that are deployed, and what is wrong with new ones beside them.

A file may be right by itself and wrong beside the others: its dag's id is taken, or a step asks another dag for what that
one never has. Such a file is refused like any that has problems, and what it defined before stays in force.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, msgpack, structs

from ostinato.authoring.mistakes import Mistake
from ostinato.model.record import DagProblem
from ostinato.model.spec import DagSpec

from .alignment import misaligned, outline, wrongs
from .compilation import Compilation
from .file_mark import FileMark, unchanged

_BECAUSE_OF_OTHERS: Final = frozenset(
    {Mistake.SAME_DAG_ID, Mistake.MISALIGNED, Mistake.UNFIT_CALL, Mistake.AFTER_CIRCLE, Mistake.AFTER_UNKNOWN}
)

_OUTLINES: Final = msgpack.Decoder(list[DagSpec])


class KnownFile(Struct, frozen=True):
    """A deployed file: what it depends on, what is wrong with it, and the outlines of its dags that are in force.

    ``files`` is empty if it was not looked at yet. Outlines are kept packed: the few objects among thousands that are
    remembered would keep the memory of all from being given back.
    """

    files: tuple[FileMark, ...]
    problems: tuple[DagProblem, ...]
    packed: bytes

    @property
    def dags(self) -> list[DagSpec]:
        """The outlines."""
        return _OUTLINES.decode(self.packed)

    def hangs_on_others(self) -> bool:
        """Whether another file's change may end a problem of this one."""
        return any(problem.code in _BECAUSE_OF_OTHERS for problem in self.problems)


class KnownFiles:
    """What is deployed, by file. ``in_force`` are the dags of files that were deployed before, and were not looked at yet."""

    def __init__(self, in_force: Mapping[str, Iterable[DagSpec]]) -> None:
        self._known = {file: KnownFile((), (), _packed(dags)) for file, dags in in_force.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    @property
    def problems(self) -> list[DagProblem]:
        """What is wrong with any of them."""
        return [problem for known in self._known.values() for problem in known.problems]

    def folders(self) -> set[Path]:
        """The folders of all files that they depend on."""
        return {Path(file.path).parent for known in self._known.values() for file in known.files}

    def changed(self, files: Iterable[Path]) -> list[Path]:
        """Which of these files are to be compiled: new ones, changed ones, and those that another may have put right."""
        return [file for file in files if self._has_changed(str(file))]

    def _has_changed(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None or not known.files or known.hangs_on_others():
            return True
        marks = unchanged(known.files)
        if marks is None:
            return True
        self._known[file] = structs.replace(known, files=marks)
        return False

    def misled(self, compiled: Sequence[Compilation]) -> list[Path]:
        """Which other files ask dags of these for what they will no longer have. They are to be compiled too."""
        specs = self._specs(compiled)
        others = [(file, known) for file, known in self._beside(compiled) if known.files and not known.problems]
        return [Path(file) for file, known in others if any(next(wrongs(dag, specs), None) for dag in known.dags)]

    def take(self, compiled: Sequence[Compilation], gone: Iterable[str] = ()) -> list[Compilation]:
        """Take over what files came to, and give it back with what is wrong with them beside each other."""
        for file in gone:
            self._known.pop(file, None)
        result = {each.source.file: each for each in compiled}
        while refused := self._refused([each for each in result.values() if not each.problems]):
            result |= refused
        for file, each in result.items():
            self._known[file] = self._remembered(each)
        return list(result.values())

    def _remembered(self, compilation: Compilation) -> KnownFile:
        before = self._known.get(compilation.source.file)
        if compilation.problems and before is not None:
            packed = before.packed
        else:
            packed = _packed(dag.spec for dag in compilation.dags)
        return KnownFile(compilation.files, compilation.problems, packed)

    def _refused(self, sound: Sequence[Compilation]) -> dict[str, Compilation]:
        """Those that do not go with what is in force. Others may hang on one that is refused, so ask again."""
        owners = self._owners(sound)
        refused = {each.source.file: _taken(each, owners) for each in sound}
        if not any(refused.values()):
            specs = self._specs(sound)
            refused = {each.source.file: misaligned(each, specs) for each in sound}
        return {
            each.source.file: structs.replace(each, dags=(), problems=problems)
            for each in sound
            if (problems := refused[each.source.file])
        }

    def _owners(self, sound: Sequence[Compilation]) -> dict[str, str]:
        """The file that each dag is of. Where several files claim one, it stays where it is, or is the first one's."""
        owners = {dag.dag_id: file for file, known in self._beside(sound) for dag in known.dags}
        for each in sound:
            for dag in each.dags:
                owners.setdefault(dag.spec.dag_id, each.source.file)
        return owners

    def _specs(self, sound: Sequence[Compilation]) -> dict[str, DagSpec]:
        specs = {dag.dag_id: dag for _, known in self._beside(sound) for dag in known.dags}
        return specs | {dag.spec.dag_id: dag.spec for each in sound for dag in each.dags}

    def _beside(self, sound: Sequence[Compilation]) -> Iterator[tuple[str, KnownFile]]:
        """What stays in force beside these."""
        new = {each.source.file for each in sound}
        return ((file, known) for file, known in self._known.items() if file not in new)


def _packed(dags: Iterable[DagSpec]) -> bytes:
    return msgpack.encode([outline(dag) for dag in dags])


def _taken(compilation: Compilation, owners: Mapping[str, str]) -> tuple[DagProblem, ...]:
    file = compilation.source.file
    return tuple(
        DagProblem(
            file,
            Mistake.SAME_DAG_ID.value,
            f"the dag {dag.spec.dag_id!r} is defined in {owners[dag.spec.dag_id]} too",
            help="give one of them another id, or remove the other file",
        )
        for dag in compilation.dags
        if owners[dag.spec.dag_id] != file
    )
