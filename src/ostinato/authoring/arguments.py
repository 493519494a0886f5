"""What a task is called with, taken apart into values that can be kept, and put together again.

An argument may hold outputs of other steps, parameters and templates anywhere in lists and dicts. It is kept flat: each
part that only a run knows has a label of its own (``parts[0]``, ``parts[1]``). The executor lays out the same dag, so it
knows the shape.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import msgpack

from ostinato.model.errors import NotStorable
from ostinato.model.spec import ItemOf, ParamOf, Template, Value
from ostinato.model.value import encode

from .check import did_you_mean, report, shown
from .layout import LEAF, Kept, Layout, Node, Scoped, Shape, foreign
from .mistakes import Mistake
from .params import ParamUse
from .step import Item, Step
from .template import NAMES, faults
from .unknown import Unknown

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


def check_template(node: Node | Scoped, text: str) -> None:
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
            _unknown_param(node.layout, word, written)


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
    elif isinstance(value, Item):
        into.append((label, _item(node, value)))
    elif isinstance(value, ParamUse):
        into.append((label, _param(node.layout, value)))
    elif isinstance(value, str) and "{{" in value:
        check_template(node, value)
        into.append((label, Template(value)))
    else:
        into.append((label, Value(_plain(node.task_id, label, cast("object", value)))))
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
    return isinstance(value, Unknown | ParamUse)


def _use(node: Node | Scoped, used: Step, label: str, into: list[tuple[str, Kept]]) -> None:
    if len(used.nodes) != 1:
        report(
            Mistake.NOT_STORABLE,
            f"the argument {label!r} of {node.task_id!r} stands for several steps, which have no one output",
        )
    for source in used.nodes[:1]:
        if source.layout is not node.layout:
            foreign(source)
        elif not source.task.gives:
            report(
                Mistake.OUTPUT_UNKNOWN,
                f"{source.task_id!r} waits for something and returns nothing",
                "put it in order with `>>`",
                near=label,
            )
        elif _in_reach(node, source, gathered=used.gathered):
            node.use(source)
            into.append((label, source))


def _in_reach(node: Node | Scoped, source: Node, *, gathered: bool) -> bool:
    """Whether an output is one value, or a list of them, where it is used."""
    if source.scope is None or (source.scope is not node.scope) == gathered:
        return True
    if gathered:
        help = "use what it returned in the same turn or for the same item, without gathered(...)"
        report(Mistake.BAD_GATHERED, f"{source.task_id!r} is gathered inside of its own block", help)
    else:
        report(
            Mistake.NOT_GATHERED,
            f"{source.task_id!r} has many outputs: it is performed more than once",
            "write gathered(...) around it to have the list of them",
        )
    return False


def _item(node: Node, item: Item) -> ItemOf:
    if node.scope is not item.item_of:
        report(
            Mistake.OUTSIDE_SCOPE,
            f"{item.described} is used outside of its block",
            "call the task inside of the `with`",
        )
    return ItemOf(item.named_in_scope)


def keep_list(scope: Scoped, name: str, value: object) -> None:
    """Let a scope be over a list: one that is given, a parameter, or an output. Of a wrong one, no item stands in."""
    help = "give a list, a parameter that is one, or what a task returns"
    if isinstance(value, Step):
        _use(scope, value, name, scope.over)
    elif isinstance(value, ParamUse):
        param = scope.layout.params.get(value.name)
        scope.over.append((name, _param(scope.layout, value)))
        if param is not None and param.type != "array":
            report(Mistake.NOT_A_LIST, f"the parameter {value.name!r} is of type {param.type}", help, near=value.name)
    elif not isinstance(value, list | tuple):
        report(Mistake.NOT_A_LIST, f"{scope.task_id!r} is over {name}={shown(value)}", help, near=name)
    elif _has_holes(cast("object", value), 0):
        help = "let a task return the list"
        what = f"the list {name!r} of {scope.task_id!r} holds what only a run knows"
        report(Mistake.NOT_A_LIST, what, help, near=name)
    else:
        scope.over.append((name, Value(_plain(scope.task_id, name, [*cast("list[object]", value)]) or [])))
    if not any(known == name for known, _ in scope.over):
        scope.over.append((name, Value([])))


def keep_start(scope: Scoped, value: object) -> Kept | None:
    """The value of a loop's first turn: plain, a template, a parameter or an output."""
    kept: list[tuple[str, Kept]] = []
    if isinstance(value, Step):
        _use(scope, value, "start", kept)
    elif isinstance(value, ParamUse):
        return _param(scope.layout, value)
    elif isinstance(value, str) and "{{" in value:
        check_template(scope, value)
        return Template(value)
    elif _has_holes(value, 0):
        what = f"the start of {scope.task_id!r} holds what only a run knows"
        report(Mistake.BAD_LOOP, what, "let a task return it", near="start")
    else:
        return Value(_plain(scope.task_id, "start", value))
    return kept[0][1] if kept else None


def _param(layout: Layout, used: ParamUse) -> ParamOf:
    param = layout.params.get(used.name)
    if param is None:
        _unknown_param(layout, used.name, used.name)
    elif used.type is not None and used.type != param.type:
        report(
            Mistake.UNKNOWN_PARAM,
            f"the parameter {used.name!r} is of type {param.type}, not {used.type}",
            near=used.name,
        )
    return ParamOf(used.name)


def _unknown_param(layout: Layout, name: str, near: str) -> None:
    known = layout.params
    help = did_you_mean(name, known, f"declare it: @dag(params={{{name!r}: ...}})")
    report(Mistake.UNKNOWN_PARAM, f"the dag {layout.dag_id!r} has no parameter {name!r}", help, near=near)


def _plain(owner: str, label: str, value: object) -> object:
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
            f"the argument {label!r} of {owner!r} cannot be kept: {what}",
            "give plain data (numbers, text, lists, dicts, dates), and make the rest of it inside the task",
            near=label,
        )
        return None
