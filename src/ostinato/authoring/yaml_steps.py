"""From the steps of a dag in YAML to the steps of a layout, by the functions that dags in Python call.

Each call is made at the place of its YAML, so that mistakes are found and shown there.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from heapq import heapify, heappop, heappush
from typing import Any, Final, ParamSpec, TypeVar, cast

from msgspec import UNSET, Struct, convert, structs

from ostinato.model.spec import Outcome

from . import waits
from .block import group, guarded
from .check import Place, did_you_mean, report
from .define import branch, retry, sensor, short_circuit, task
from .expand import Expansion
from .mistakes import Mistake
from .params import param
from .reference import TAKES_ALL, Reference
from .scope import Turn, each, gathered, loop
from .step import Step
from .task import Task
from .unknown import LayoutStopped
from .yaml_text import Document, Path
from .yaml_words import (
    KINDS,
    AnyStep,
    ApprovalStep,
    BranchStep,
    EachStep,
    FunctionWords,
    GroupStep,
    GuardedStep,
    LoopStep,
    RetryWords,
    RunDagStep,
    RunStep,
    SensorStep,
    ShortCircuitStep,
    WaitForDagStep,
    WaitForFileStep,
    Words,
)

P = ParamSpec("P")
R = TypeVar("R")

_MAKERS: Final[dict[type, Callable[..., Any]]] = {
    RunStep: task,
    BranchStep: branch,
    ShortCircuitStep: short_circuit,
    SensorStep: sensor,
}


class Entry(Struct):
    """A step as it is written. ``needs`` are names beside it that it comes after or uses, with where they are used."""

    name: str
    path: Path
    words: AnyStep
    needs: dict[str, Path]


class Level:
    """The steps that are beside each other, and around them those of the block that they are in."""

    def __init__(self, document: Document, outer: "Level | None" = None) -> None:
        self.document = document
        self.outer = outer
        self.made: dict[str, Step] = {}
        self.inner: dict[str, Level] = {}
        self.item: tuple[str, Any] | None = None

    def lay_out(self, tasks: Mapping[str, Mapping[str, Any]], path: Path) -> None:
        """Make the steps, each after those it needs, else in the order in which they are written."""
        entries = [_entry(name, words, (*path, name)) for name, words in tasks.items()]
        for entry in _in_order(entries, self.document):
            at(self.document.place(entry.path, key=True), self._make, entry)

    def _make(self, entry: Entry) -> None:
        made = self._step(entry)
        if made is not None:
            self.made[entry.name] = made
            self._order(entry, made)

    def _order(self, entry: Entry, made: Step) -> None:
        path = (*entry.path, "after")
        for name, outcomes in _after(entry.words).items():
            found = self.find(name, path)
            if found is None:
                continue
            asked = cast("list[Outcome]", [outcomes] if isinstance(outcomes, str) else outcomes or [])
            at(self.document.place(path), Step.__rshift__, found.on(*asked) if asked else found, made)

    def _step(self, entry: Entry) -> Step | None:
        words = entry.words
        if isinstance(words, FunctionWords):
            return self._function(entry, words)
        place = self.document.place(entry.path, key=True)
        if isinstance(words, WaitForFileStep):
            return at(
                place, waits.wait_for_file, words.wait_for_file, **_given(words, "every", "timeout"), task_id=entry.name
            )
        if isinstance(words, RunDagStep):
            arguments = self._arguments(words.arguments, (*entry.path, "with"))
            return at(place, waits.run_dag, words.run_dag, task_id=entry.name, **_given(words, "wait"), **arguments)
        if isinstance(words, WaitForDagStep):
            options = _given(words, "task", "shift", "size", "intervals", "last", "if_any")
            return at(place, waits.wait_for_dag, words.wait_for_dag, **options, task_id=entry.name)
        if isinstance(words, ApprovalStep):
            return at(place, waits.approval, words.approval, **_given(words, "timeout", "no"), task_id=entry.name)
        return self._block(entry, words)

    def _function(self, entry: Entry, words: FunctionWords) -> Step | None:
        kind = _kind(words)
        place = self.document.place(entry.path)
        options = _given(words, *_OPTIONS, *(["every"] if kind == "sensor" else []))
        if isinstance(words.retry, RetryWords):
            options["retry"] = at(
                self.document.place((*entry.path, "retry")), retry, **_given(words.retry, *_names(words.retry))
            )
        made = at(place, _MAKERS[type(words)], **options)(_unseen)
        reference = Reference(getattr(words, kind))
        spec = structs.replace(made.spec, task_id=entry.name)
        found = Task[..., Any](reference, spec, takes_context=True, signature=TAKES_ALL)
        arguments = self._arguments(words.arguments, (*entry.path, "with"))
        if words.expand is UNSET:
            return at(place, found, **arguments)
        over = self._arguments(words.expand.over, (*entry.path, "expand", "over"))
        expansion = Expansion(found, arguments, words.expand.limit, words.expand.max_active)
        expand = expansion.expand if words.expand.pairing == "product" else expansion.expand_zip
        return at(place, expand, **over)

    def _block(self, entry: Entry, words: GroupStep | GuardedStep | EachStep | LoopStep) -> Step | None:
        kind = _kind(words)
        path = (*entry.path, kind)
        place = self.document.place(path)
        inner = Level(self.document, self)
        self.inner[entry.name] = inner
        if isinstance(words, GroupStep):
            made = at(place, group, entry.name)
            with made:
                inner.lay_out(words.group, path)
            return made
        tasks = (*path, "tasks")
        if isinstance(words, GuardedStep):
            before, after = (self._all(getattr(words.guarded, part), (*path, part)) for part in ("setup", "teardown"))
            made = at(place, guarded, setup=before, teardown=after)
            with made:
                inner.lay_out(words.guarded.tasks, tasks)
            return made
        if isinstance(words, EachStep):
            over = self._value(words.each.over, (*path, "over"))
            made = at(place, each, entry.name, over=over, **_given(words.each, "limit", "max_active", "trigger_rule"))
            with cast("AbstractContextManager[Any]", made) as item:
                inner.item = (entry.name, item)
                inner.lay_out(words.each.tasks, tasks)
            return made
        start = self._value(words.loop.start, (*path, "start"))
        made = at(place, loop, entry.name, start=start, **_given(words.loop, "limit", "trigger_rule"))
        with made as turn:
            inner.item = (entry.name, turn)
            inner.lay_out(words.loop.tasks, tasks)
            until = inner.find(words.loop.until, (*path, "until"))
            carry = None if words.loop.carry is UNSET else inner.find(words.loop.carry, (*path, "carry"))
            at(place, turn.until, cast("Any", until), carry=carry)
        return made

    def find(self, name: str, path: Path) -> Step | None:
        """The step of that name: beside, around, or inside of a block (``load.fetch``). None, and reported, if there is none."""
        level: Level | None = self
        while level is not None:
            found = level.within(name)
            if found is not None:
                return found
            level = level.outer
        report(
            Mistake.UNKNOWN_STEP,
            f"there is no step {name!r} here",
            did_you_mean(name, self.made, "name a step beside this one, or one inside of a block: block.step"),
            place=self.document.place(path),
        )
        return None

    def within(self, name: str) -> Step | None:
        """The step of that name on this level or below it."""
        if name in self.made:
            return self.made[name]
        for block, inner in self.inner.items():
            if name.startswith(f"{block}."):
                return inner.within(name[len(block) + 1 :])
        return None

    def _all(self, names: list[str], path: Path) -> list[Step]:
        found = [self.find(name, (*path, number)) for number, name in enumerate(names)]
        return [step for step in found if step is not None]

    def _arguments(self, words: object, path: Path) -> dict[str, Any]:
        given = cast("dict[str, object]", words) if isinstance(words, dict) else {}
        return {name: self._value(value, (*path, name)) for name, value in given.items()}

    def _value(self, value: object, path: Path) -> Any:
        if isinstance(value, list):
            return [self._value(part, (*path, n)) for n, part in enumerate(cast("list[object]", value))]
        if not isinstance(value, dict):
            return value
        parts = cast("dict[str, object]", value)
        marks = [key for key in parts if key.startswith("$")]
        if not marks:
            return {key: self._value(part, (*path, key)) for key, part in parts.items()}
        return self._filled(marks[0], parts[marks[0]], path, alone=len(parts) == 1)

    def _filled(self, mark: str, named: object, path: Path, *, alone: bool) -> Any:
        place = self.document.place(path)
        if mark == "$value" and alone:
            return named
        if mark not in _MARKS or not alone or not isinstance(named, str):
            help = did_you_mean(
                mark, _MARKS, f"there are {', '.join(_MARKS)}; write $value around what is meant as it is"
            )
            report(
                Mistake.BAD_FILLING, f"{mark} cannot be filled here: it stands alone, with one name", help, place=place
            )
            return None
        if mark == "$param":
            return at(place, param, named)
        if mark in {"$item", "$turn"}:
            return self._item(mark, named, path)
        found = self.find(named, path)
        return at(place, gathered, found) if mark == "$gathered" and found is not None else found

    def _item(self, mark: str, named: str, path: Path) -> Any:
        level: Level | None = self
        while level is not None and level.item is None:
            level = level.outer
        if level is not None and level.item is not None:
            name, item = level.item
            if mark == "$item" and named == name and not isinstance(item, Turn):
                return item
            if mark == "$turn" and named in {"value", "number"} and isinstance(item, Turn):
                return getattr(cast("Turn[Any]", item), named)
        help = "write $item: and the name of the `each` around it, or $turn: value (or number) inside of a loop"
        report(Mistake.BAD_FILLING, f"there is no {mark}: {named} here", help, place=self.document.place(path))
        return None


_MARKS: Final = ("$output", "$gathered", "$param", "$item", "$turn", "$value")
_OPTIONS: Final = (
    "timeout", "pool", "slots", "priority", "isolation", "memory", "trigger_rule", "max_active", "depends_on_past",
    "tags",
)  # fmt: skip


def at(place: Place, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function as if the call stood at a place: what asks for the author's line finds this one."""
    call = ast.parse("call(*args, **kwargs)", mode="eval")
    for node in ast.walk(call):
        if isinstance(node, ast.expr | ast.keyword):
            node.lineno, node.end_lineno = place.line, max(place.last_line, place.line)
            node.col_offset, node.end_col_offset = place.column - 1, place.column
    code = compile(call, place.file, "eval")
    return cast("R", eval(code, {"call": function, "args": args, "kwargs": kwargs}))  # noqa: S307 - the text is ours


def _entry(name: str, words: Mapping[str, Any], path: Path) -> Entry:
    kind = next(key for key in KINDS if key in words)
    return Entry(name, path, convert(words, KINDS[kind]), dict(_needed(words, path)))


def _needed(words: object, path: Path) -> Iterator[tuple[str, Path]]:
    """All names of steps in the words of a step, also of the steps inside."""
    if isinstance(words, list):
        for number, part in enumerate(cast("list[object]", words)):
            yield from _needed(part, (*path, number))
    elif isinstance(words, dict):
        for key, part in cast("dict[str, object]", words).items():
            if key in {"$output", "$gathered"} and isinstance(part, str):
                yield part, path
            elif key in {"after", "setup", "teardown"}:
                names = (
                    [part]
                    if isinstance(part, str)
                    else cast("list[object]", part if isinstance(part, list | dict) else [])
                )
                yield from ((name, (*path, key)) for name in names if isinstance(name, str))
            elif key != "$value":
                yield from _needed(part, (*path, key))


def _in_order(entries: list[Entry], document: Document) -> list[Entry]:
    """The entries, each after those it needs, else as they are written. A circle is reported, and stops the layout."""
    number = {entry.name: n for n, entry in enumerate(entries)}
    before = [
        {number[up] for name in entry.needs for up in _beside(name, number) if up != entry.name or name in _own(entry)}
        for entry in entries
    ]
    ready = [n for n, needed in enumerate(before) if not needed]
    heapify(ready)
    done: list[int] = []
    while ready:
        first = heappop(ready)
        done.append(first)
        for n, needed in enumerate(before):
            if first in needed:
                needed.remove(first)
                if not needed:
                    heappush(ready, n)
    if len(done) < len(entries):
        left = [entry for n, entry in enumerate(entries) if n not in set(done)]
        names = ", ".join(entry.name for entry in left)
        place = document.place(left[-1].path, key=True)
        report(
            Mistake.CYCLE,
            f"steps wait for each other in a circle: {names}",
            "take one of these orders away",
            place=place,
        )
        raise LayoutStopped
    return [entries[n] for n in done]


def _beside(name: str, number: Mapping[str, int]) -> list[str]:
    parts = name.split(".")
    heads = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return [head for head in heads if head in number][:1]


def _own(entry: Entry) -> Mapping[str, object]:
    """What the entry itself comes after: itself among them is a circle; inside of a block the name is another's."""
    return _after(entry.words)


def _after(words: AnyStep) -> dict[str, Any]:
    after = words.after
    if isinstance(after, dict):
        return after
    return {} if after is UNSET else dict.fromkeys([after] if isinstance(after, str) else after)


def _kind(words: AnyStep | FunctionWords) -> str:
    return next(kind for kind, known in KINDS.items() if type(words) is known)


def _names(words: Words) -> tuple[str, ...]:
    return words.__struct_fields__


def _given(words: Words, *names: str) -> dict[str, Any]:
    """Those of some options that are there."""
    return {name: value for name in names if (value := getattr(words, name)) is not UNSET}


def _unseen() -> None:
    """Stands for the function, which is not imported here."""
