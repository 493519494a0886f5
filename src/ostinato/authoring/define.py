"""``@task``, ``@sensor`` and ``wait_for_file``: from functions to tasks."""

from collections.abc import Callable
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FunctionType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast, get_args, overload

from msgspec.structs import replace

from ostinato.model.spec import Isolation, Retry, Sensor, TaskSpec, TriggerRule

from .arguments import check_template
from .check import report, shown
from .context import Context
from .durations import Duration, seconds, size
from .mistakes import Mistake
from .options import choice, identifier, whole
from .signature import Signature
from .step import Step
from .task import Task, new_node

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_MOST: Final = 1_000_000


class _Anything:
    """No Context. A function whose first parameter takes this as well takes anything, and so is not after a Context."""


class TakesAnything(Protocol[P, R_co]):
    """For the type checker: a function whose first parameter is ``object``, ``Any`` or not annotated."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(self, first: _Anything, /, *args: Any, **kwargs: Any) -> Any: ...


class TaskMaker(Protocol):
    """``@task(...)`` with options: what turns a function into a task."""

    @overload
    def __call__(self, function: TakesAnything[P, R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Context, P], R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Task[..., Any]:
        """The task that runs ``function``."""
        ...


class SensorMaker(Protocol):
    """``@sensor(...)``: what turns a function that answers yes or no into a task that waits for the yes."""

    @overload
    def __call__(self, function: TakesAnything[P, bool], /) -> Task[P, None]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Context, P], bool], /) -> Task[P, None]: ...
    @overload
    def __call__(self, function: Callable[P, bool], /) -> Task[P, None]: ...
    def __call__(self, function: Callable[..., bool], /) -> Task[..., None]:
        """The sensor that asks ``function``."""
        ...


@overload
def task(function: TakesAnything[P, R], /) -> Task[P, R]: ...
@overload
def task(function: Callable[Concatenate[Context, P], R], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    task_id: str | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    pool: str = "default",
    slots: int = 1,
    priority: int = 0,
    isolation: Isolation = "reuse",
    memory: int | str | None = None,
    trigger_rule: TriggerRule = "all_success",
) -> TaskMaker: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    task_id: str | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    pool: str = "default",
    slots: int = 1,
    priority: int = 0,
    isolation: Isolation = "reuse",
    memory: int | str | None = None,
    trigger_rule: TriggerRule = "all_success",
) -> Task[..., Any] | TaskMaker:
    """Make a task of a function. Its id is the function's name unless ``task_id`` says otherwise.

    ``timeout`` bounds the running time of one try, ``memory`` what it may use (``"2GB"``). A step takes ``slots`` of its
    ``pool``; among those that wait, larger ``priority`` goes first. ``isolation="process"`` gives each try a process of
    its own. ``trigger_rule="all_done"`` runs the step however the ones before it ended::

        @task(retry=retry(transient=5), timeout="10m")
        def load(ctx: Context, path: str) -> dict[str, int]: ...
    """
    spec = TaskSpec(
        task_id="" if task_id is None else identifier("task_id", task_id),
        retry=retry or Retry(),
        timeout=None if timeout is None else seconds("timeout", timeout, least=0.001, otherwise=60.0),
        pool=identifier("pool", pool),
        slots=whole("slots", slots, 1, _MOST, 1),
        priority=whole("priority", priority, -_MOST, _MOST, 0),
        isolation=choice("isolation", isolation, get_args(Isolation)),
        memory=None if memory is None else size("memory", memory),
        trigger_rule=choice("trigger_rule", trigger_rule, get_args(TriggerRule)),
    )
    if function is not None:
        return _make(function, spec)
    return cast("TaskMaker", lambda function: _make(function, spec))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def sensor(
    *,
    every: Duration,
    timeout: Duration,
    task_id: str | None = None,
    retry: Retry | None = None,
    pool: str = "default",
    slots: int = 1,
    priority: int = 0,
    isolation: Isolation = "reuse",
    memory: int | str | None = None,
    trigger_rule: TriggerRule = "all_success",
) -> SensorMaker:
    """Make a sensor of a function that answers whether what is waited for is there.

    It is asked every ``every`` and holds no slot in between. It fails ``timeout`` after it was first asked::

        @sensor(every="1m", timeout="6h")
        def partner_is_ready(ctx: Context, partner: str) -> bool: ...
    """
    spec = TaskSpec(
        task_id="" if task_id is None else identifier("task_id", task_id),
        kind="sensor",
        sensor=_waiting(every, timeout),
        retry=retry or Retry(),
        pool=identifier("pool", pool),
        slots=whole("slots", slots, 1, _MOST, 1),
        priority=whole("priority", priority, -_MOST, _MOST, 0),
        isolation=choice("isolation", isolation, get_args(Isolation)),
        memory=None if memory is None else size("memory", memory),
        trigger_rule=choice("trigger_rule", trigger_rule, get_args(TriggerRule)),
    )
    return cast("SensorMaker", lambda function: _make(function, spec))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def wait_for_file(
    path: str, *, every: Duration = "30s", timeout: Duration = "12h", task_id: str = "wait_for_file"
) -> Step:
    """A step that waits until a file is there; it needs no process and no slot.

    ``path`` may be a template, and is taken from the folder of the dag file unless it begins with ``/``: this keeps the
    dag the same on every machine. It is looked for every ``every``; the step fails ``timeout`` after the first look.
    """
    if not isinstance(path, str) or not path:  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_TEXT, f"wait_for_file needs the path of a file, not {shown(path)}")
        path = "."
    spec = TaskSpec(task_id=identifier("task_id", task_id), kind="file_sensor", sensor=_waiting(every, timeout, path))
    waits = Task[[], None](_no_function, spec, takes_context=False, signature=_NO_PARAMETERS)
    node = new_node(waits, spec.task_id)
    if "{{" in path:
        check_template(node, path)
    return Step((node,))


def retry(
    *,
    transient: int = 3,
    resource: int = 3,
    first_delay: Duration = 10,
    max_delay: Duration = "10m",
    jitter: float = 0.2,
) -> Retry:
    """How often each class of error is tried again. Logic errors never are.

    ``transient`` errors are tried again at once; ``resource`` errors after ``first_delay``, which doubles up to
    ``max_delay``; each delay is shortened by up to the share ``jitter``, so that a crowd does not come back together.
    """
    if not isinstance(jitter, int | float) or not 0 <= jitter <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_NUMBER, f"jitter={shown(jitter)} is not a share", "it is between 0 and 1", near="jitter")
        jitter = 0.2
    first = seconds("first_delay", first_delay, otherwise=10.0)
    return Retry(
        transient=whole("transient", transient, 0, 100, 3),
        resource=whole("resource", resource, 0, 100, 3),
        first_delay=first,
        max_delay=max(first, seconds("max_delay", max_delay, otherwise=600.0)),
        jitter=float(jitter),
    )


def _make(function: Callable[..., Any], spec: TaskSpec) -> Task[..., Any]:
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(function, FunctionType):
        report(
            Mistake.ODD_TASK, f"{shown(function)} is not a function", "put the decorator on a function made with def"
        )
        return Task(_no_function, replace(spec, task_id=spec.task_id or name), takes_context=False, signature=_ANY)
    flags = function.__code__.co_flags
    if flags & (CO_COROUTINE | CO_ASYNC_GENERATOR | CO_GENERATOR):
        odd = "a generator" if flags & CO_GENERATOR else "async"
        report(Mistake.ODD_TASK, f"the task {name!r} is {odd}", "a task is a plain function that returns its result")
    takes_context = _takes_context(function)
    signature = Signature(function, skip=int(takes_context))
    if not spec.task_id:
        spec = replace(spec, task_id=identifier("task_id", name))
    return Task(function, spec, takes_context=takes_context, signature=signature)


def _takes_context(function: FunctionType) -> bool:
    """Whether the first parameter is annotated Context, in words or by the class."""
    code = function.__code__
    annotation = function.__annotations__.get(code.co_varnames[0]) if code.co_argcount else None
    if not isinstance(annotation, str):
        return annotation is Context
    head, _, last = annotation.strip("'\" ").rpartition(".")
    if not head:
        return function.__globals__.get(last, Context if last == "Context" else None) is Context
    return last == "Context" and getattr(function.__globals__.get(head), last, None) is Context


def _waiting(every: Duration, timeout: Duration, path: str | None = None) -> Sensor:
    return Sensor(
        every=seconds("every", every, least=0.01, otherwise=60.0),
        timeout=seconds("timeout", timeout, least=0.01, otherwise=3600.0),
        path=path,
    )


def _no_function(*_: object, **__: object) -> None:
    """Stands where a task has no function of its own."""


_ANY: Final = Signature(_no_function, skip=0)
_NO_PARAMETERS: Final = Signature(lambda: None, skip=0)
