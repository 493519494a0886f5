"""One attempt: call a task's function with its arguments, and say how it ended. No error of the author's gets out."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from msgspec import Struct

from ostinato.model.errors import NotStorable, Skip
from ostinato.model.message import Call, DeadLetters, Failure, Verdict
from ostinato.model.time import moment
from ostinato.model.value import decode, encode

from .arguments import whole
from .context import Context, Interval, running
from .dag import Dag
from .failure import failure_of, folded, message_of, types_of
from .following import Choices
from .layout import Node
from .load import Loaded
from .schedule import zone


class Performed(Struct, frozen=True):
    """How an attempt ended. ``output`` is in stored form; a task that returns None has none.

    ``follow`` is a branch's or short circuit's: the ids of what goes on, of all that comes right after it.
    """

    verdict: Verdict
    output: bytes | None = None
    failure: Failure | None = None
    dead_letters: tuple[DeadLetters, ...] = ()
    follow: tuple[str, ...] | None = None


def perform(loaded: Loaded, call: Call, stand_in: Callable[..., object] | None = None) -> Performed:
    """Run the task that ``call`` names. Whatever the author's code does, short of ending the process, comes back.

    ``stand_in`` is called in place of the task's function, with the same arguments.
    """
    try:
        dag = loaded.dag(call.dag_id)
        node = _node(dag, call.task_id)
        args, kwargs = _arguments(node, call)
        context = context_of(dag, call)
    except Exception as error:  # noqa: BLE001 - a file may lay out its dags differently each time
        return unloadable(error)
    if node.task.takes_context:
        args.insert(0, context)
    token = running.set(context)
    try:
        with loaded.watch.during(call.clock) if loaded.watch else nullcontext():
            result = (stand_in or node.task.function)(*args, **kwargs)
    except Skip:
        return Performed("skipped")
    except BaseException as error:  # noqa: BLE001 - it is the author's code that raised, and this is where it is told
        return Performed("failed", failure=failure_of(error, sources_of(loaded)))
    finally:
        running.reset(token)
    match node.task.spec.kind:
        case "sensor":
            return _answer(result, context)
        case "branch" | "short_circuit":
            return _chosen(node, result, context)
        case _:
            return _kept(result, context)


def unloadable(error: BaseException, sources: Mapping[str, bytes] | None = None) -> Performed:
    """The end of an attempt whose code could not be loaded: what ``load_source`` raised, as a failure."""
    cause = error.__cause__
    failure = Failure(
        how="unloadable",
        message=message_of(error),
        types=types_of(cause or error),
        traceback=folded(cause or error, sources or {}),
    )
    return Performed("failed", failure=failure)


def sources_of(loaded: Loaded) -> dict[str, bytes]:
    """The author's files by path."""
    source = loaded.source
    return {source.file: source.code} | {path: code for _, path, code in source.modules}


def _answer(result: object, context: Context) -> Performed:
    if result is True:
        return Performed("success", dead_letters=tuple(context.rejected))
    if result is False:
        return Performed("not_yet")
    return _refused(TypeError(f"a sensor answers True or False, not {type(result).__name__}"))


def _chosen(node: Node, result: object, context: Context) -> Performed:
    choices = Choices(node)
    try:
        if node.task.spec.kind == "branch":
            follow = choices.chosen(result)
        elif isinstance(result, bool):
            follow = choices.all() if result else choices.none()
        else:
            return _refused(TypeError(f"a short circuit answers True or False, not {type(result).__name__}"))
    except (TypeError, ValueError) as error:
        return _refused(error)
    return _kept(result, context, follow)


def _refused(error: Exception) -> Performed:
    """The end of an attempt whose answer means nothing."""
    return Performed("failed", failure=Failure(how="raised", message=str(error), types=types_of(error)))


def _kept(result: object, context: Context, follow: tuple[str, ...] | None = None) -> Performed:
    try:
        output = None if result is None else encode(result)
    except NotStorable as error:
        failure = Failure(how="unstorable", message=error.what, types=types_of(error), code=error.code)
        return Performed("failed", failure=failure)
    return Performed("success", output=output, dead_letters=tuple(context.rejected), follow=follow)


def _node(dag: Dag, task_id: str) -> Node:
    node = dag.layout.by_id.get(task_id) if dag.layout else None
    if node is None:
        raise LookupError(f"the dag {dag.dag_id!r} has no step {task_id!r}: its file lays it out differently each time")
    return node


def _arguments(node: Node, call: Call) -> tuple[list[Any], dict[str, Any]]:
    if not node.shapes:
        return [decode(data) for data in call.args], {name: decode(data) for name, data in call.kwargs}
    args = whole(node.args, node.shapes, map(decode, call.args))
    return [*args.values()], whole(node.kwargs, node.shapes, (decode(data) for _, data in call.kwargs))


def context_of(dag: Dag, call: Call) -> Context:
    """What the task that ``call`` names may know of its run."""
    tz = zone(dag.options.schedule)
    start = moment(call.start).astimezone(tz)
    return Context(
        dag_id=call.dag_id,
        task_id=call.task_id,
        run_id=call.run_id,
        attempt=call.attempt,
        number=call.number,
        map_index=call.map_index,
        version=call.version,
        logical_date=start.date(),
        interval=Interval(start, moment(call.end).astimezone(tz)),
        params=decode(call.params),
    )
