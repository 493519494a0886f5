"""What a task is called with, taken apart into values that can be kept, and put together again.

An argument may hold outputs of other steps, parameters and templates anywhere in lists and dicts. It is kept flat: each
part that only a run knows has a label of its own (``parts[0]``, ``parts[1]``). The executor lays out the same dag, so it
knows the shape.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import msgpack

from ostinato.model.errors import NotStorable
from ostinato.model.spec import ParamOf, Template, Value
from ostinato.model.value import encode

from .check import did_you_mean, report
from .mistakes import Mistake
from .params import ParamUse
from .step import LEAF, Kept, Node, Shape, Step, foreign
from .template import NAMES, faults

_DEEPEST: Final = 50
_LONG_TEXT: Final = 10_000
_INTEGERS: Final = range(-(1 << 63), 1 << 64)


def keep(node: Node, arguments: Iterable[tuple[str, object]]) -> list[tuple[str, Kept]]:
    """The arguments of ``node``, which come with their labels, as it keeps them. What cannot be kept is reported."""
    kept: list[tuple[str, Kept]] = []
    for label, value in arguments:
        if type(value) is str and "{{" not in value and value.isascii() and len(value) < _LONG_TEXT:
            kept.append((label, Value(value)))
            continue
        shape = _take_apart(node, label, value, kept, 0)
        if shape is not LEAF:
            node.shape(label, shape)
    return kept


def whole(kept: Sequence[tuple[str, Kept]], shapes: Mapping[str, Shape], values: Iterator[object]) -> dict[str, Any]:
    """Arguments by their labels, put together again from the values of what was kept."""
    roots = dict.fromkeys(label.partition("[")[0] for label, _ in kept)
    return {label: _put_together(shapes.get(label, LEAF), values) for label in roots}


def check_template(node: Node, text: str) -> None:
    """Report what is wrong with a template among the arguments of ``node``."""
    for kind, written, word in faults(text, node.layout.params):
        if kind == "syntax":
            report(
                Mistake.BAD_TEMPLATE,
                f"{written!r} cannot be read",
                "write {{ name }} or {{ name | filter }}",
                near=written,
            )
        elif kind == "name":
            known = [*NAMES, *(f"params.{name}" for name in node.layout.params)]
            help = did_you_mean(word, known, f"there are {', '.join(known)}")
            report(Mistake.UNKNOWN_NAME, f"there is no {word!r} to fill {written}", help, near=written)
        elif kind == "filter":
            help = "dates have nodash, year, month, day; instants have hour too; nothing else has any"
            report(
                Mistake.UNKNOWN_FILTER,
                f"the filter {word!r} does not exist or does not fit {written}",
                help,
                near=written,
            )
        elif kind == "text":
            report(
                Mistake.UNKNOWN_PARAM,
                f"the parameter {word!r} is a list or dict, which has no place in text",
                near=written,
            )
        else:
            _unknown_param(node, word, written)


def _put_together(shape: Shape, values: Iterator[object]) -> object:
    if isinstance(shape, list):
        return [_put_together(part, values) for part in shape]
    if isinstance(shape, dict):
        return {key: _put_together(part, values) for key, part in shape.items()}
    return next(values)


def _take_apart(node: Node, label: str, value: object, into: list[tuple[str, Kept]], depth: int) -> Shape:
    if isinstance(value, list | tuple | dict) and _has_holes(cast("object", value), 0):
        if depth < _DEEPEST:
            return _take_apart_each(node, label, cast("list[object] | dict[object, object]", value), into, depth)
        report(Mistake.NOT_STORABLE, f"the argument {label[:50]!r} of {node.task_id!r} is nested too deeply")
        return LEAF
    if isinstance(value, Step):
        _use(node, value, label, into)
    elif isinstance(value, ParamUse):
        into.append((label, _param(node, value)))
    elif isinstance(value, str) and "{{" in value:
        check_template(node, value)
        into.append((label, Template(value)))
    else:
        into.append((label, Value(_plain(node, label, cast("object", value)))))
    return LEAF


def _take_apart_each(
    node: Node, label: str, value: list[object] | dict[object, object], into: list[tuple[str, Kept]], depth: int
) -> Shape:
    if isinstance(value, dict):
        shape: dict[Any, Shape] = {}
        for key, item in value.items():
            if not isinstance(key, str | int):
                report(
                    Mistake.NOT_STORABLE,
                    f"the argument {label!r} of {node.task_id!r} has the key {key!r}; keys are text or integers",
                )
            shape[key] = _take_apart(node, f"{label}[{key!r}]", item, into, depth + 1)
        return shape
    return [_take_apart(node, f"{label}[{n}]", item, into, depth + 1) for n, item in enumerate(value)]


def _has_holes(value: object, depth: int) -> bool:
    """Whether a part of a value is known only in a run. What is nested too deeply counts as such."""
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, list | tuple | dict):
        parts = cast("dict[object, object]", value).values() if isinstance(value, dict) else cast("list[object]", value)
        return depth >= _DEEPEST or any(_has_holes(part, depth + 1) for part in parts)
    return isinstance(value, Step | ParamUse)


def _use(node: Node, used: Step, label: str, into: list[tuple[str, Kept]]) -> None:
    if len(used.nodes) != 1:
        report(
            Mistake.NOT_STORABLE,
            f"the argument {label!r} of {node.task_id!r} stands for several steps, which have no one output",
        )
    for source in used.nodes[:1]:
        if source.layout is not node.layout:
            foreign(source)
        elif source.task.spec.kind != "python":
            report(
                Mistake.OUTPUT_UNKNOWN,
                f"{source.task_id!r} waits for something and returns nothing",
                "put it in order with `>>`",
                near=label,
            )
        else:
            node.use(source)
            into.append((label, source))


def _param(node: Node, used: ParamUse) -> ParamOf:
    param = node.layout.params.get(used.name)
    if param is None:
        _unknown_param(node, used.name, used.name)
    elif used.type is not None and used.type != param.type:
        report(
            Mistake.UNKNOWN_PARAM,
            f"the parameter {used.name!r} is of type {param.type}, not {used.type}",
            near=used.name,
        )
    return ParamOf(used.name)


def _unknown_param(node: Node, name: str, near: str) -> None:
    known = node.layout.params
    help = did_you_mean(name, known, f"declare it: @dag(params={{{name!r}: ...}})")
    report(Mistake.UNKNOWN_PARAM, f"the dag {node.layout.dag_id!r} has no parameter {name!r}", help, near=near)


def _plain(node: Node, label: str, value: object) -> object:
    """A value as a spec holds it: plain data, which dates and the like become by ``model.value``."""
    if value is None or value is True or value is False or type(value) is float:
        return value
    if type(value) is int and value in _INTEGERS:
        return value
    try:
        return msgpack.decode(encode(value))
    except NotStorable as error:
        what = (
            error.what.replace("result", label, 1)
            if error.what.startswith("result")
            else error.what.replace("the result", "it", 1)
        )
        report(
            Mistake.NOT_STORABLE,
            f"the argument {label!r} of {node.task_id!r} cannot be kept: {what}",
            "give plain data (numbers, text, lists, dicts, dates), and make the rest of it inside the task",
            near=label,
        )
        return None
