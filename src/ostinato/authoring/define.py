"""``@task``, ``@branch``, ``@short_circuit`` and ``@sensor``: from functions to tasks."""

from collections.abc import Callable, Sequence
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FunctionType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypedDict, TypeVar, Unpack, cast, get_args, overload

from msgspec.structs import replace

from ostinato.model.spec import Isolation, Retry, TaskKind, TaskSpec, TriggerRule

from .check import report, shown
from .context import Context
from .durations import Duration, seconds, size
from .mistakes import Mistake
from .options import choice, flag, identifier, texts, whole
from .signature import Signature
from .task import OWN_PAST, Task
from .waits import no_function, waiting

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
C = TypeVar("C", bound=str | Sequence[str])

_MOST: Final = 1_000_000


class StepOptions(TypedDict, total=False):
    """What tasks and sensors can be told about how they run.

    ``task_id`` is the function's name if left out. A step takes ``slots`` of its ``pool``; among those that wait, larger
    ``priority`` goes first. ``isolation="process"`` gives each try a process of its own, ``memory`` is what it may use
    (``"2GB"``). ``trigger_rule`` says which ends of the steps before let it begin. At most ``max_active`` tries of it are
    going on at once, over all runs of the dag. ``depends_on_past``: the same step of the interval before has succeeded.
    ``tags`` name it together with others, when a part of a run is chosen.
    """

    task_id: str | None
    retry: Retry | None
    pool: str
    slots: int
    priority: int
    isolation: Isolation
    memory: int | str | None
    trigger_rule: TriggerRule
    max_active: int | None
    depends_on_past: bool
    tags: Sequence[str]


class TaskOptions(StepOptions, total=False):
    """What a task can be told in addition: ``timeout`` bounds the running time of one try."""

    timeout: Duration | None


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


class BranchMaker(Protocol):
    """``@branch(...)`` with options: what turns a function that returns ids of steps into a task."""

    @overload
    def __call__(self, function: TakesAnything[P, C], /) -> Task[P, C]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Context, P], C], /) -> Task[P, C]: ...
    @overload
    def __call__(self, function: Callable[P, C], /) -> Task[P, C]: ...
    def __call__(self, function: Callable[..., Any], /) -> Task[..., Any]:
        """The branch that asks ``function``."""
        ...


class ShortCircuitMaker(Protocol):
    """``@short_circuit(...)`` with options: what turns a function that answers yes or no into a task."""

    @overload
    def __call__(self, function: TakesAnything[P, bool], /) -> Task[P, bool]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Context, P], bool], /) -> Task[P, bool]: ...
    @overload
    def __call__(self, function: Callable[P, bool], /) -> Task[P, bool]: ...
    def __call__(self, function: Callable[..., bool], /) -> Task[..., bool]:
        """The short circuit that asks ``function``."""
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
def task(**options: Unpack[TaskOptions]) -> TaskMaker: ...
def task(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Task[..., Any] | TaskMaker:
    """Make a task of a function. Its id is the function's name unless ``task_id`` says otherwise.

    The options are those of ``TaskOptions``::

        @task(retry=retry(transient=5), timeout="10m")
        def load(ctx: Context, path: str) -> dict[str, int]: ...
    """
    return cast("Task[..., Any] | TaskMaker", _made(function, _spec("python", **options)))


@overload
def branch(function: TakesAnything[P, C], /) -> Task[P, C]: ...
@overload
def branch(function: Callable[Concatenate[Context, P], C], /) -> Task[P, C]: ...
@overload
def branch(function: Callable[P, C], /) -> Task[P, C]: ...
@overload
def branch(**options: Unpack[TaskOptions]) -> BranchMaker: ...
def branch(
    function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]
) -> Task[..., Any] | BranchMaker:
    """Make a task that chooses: it returns the id, or a list of ids, of the steps right after it that go on.

    The others are skipped. The id of a group stands for those of its steps that come right after the branch; the id of a
    mapped task, an ``each`` or a ``loop`` stands for all of it. Other tasks can use what it returned::

        @branch
        def size_of(rows: int) -> str:
            return "load_slowly" if rows > 1_000_000 else "load"
    """
    return cast("Task[..., Any] | BranchMaker", _made(function, _spec("branch", **options)))


@overload
def short_circuit(function: TakesAnything[P, bool], /) -> Task[P, bool]: ...
@overload
def short_circuit(function: Callable[Concatenate[Context, P], bool], /) -> Task[P, bool]: ...
@overload
def short_circuit(function: Callable[P, bool], /) -> Task[P, bool]: ...
@overload
def short_circuit(**options: Unpack[TaskOptions]) -> ShortCircuitMaker: ...
def short_circuit(
    function: Callable[..., bool] | None = None, /, **options: Unpack[TaskOptions]
) -> Task[..., Any] | ShortCircuitMaker:
    """Make a task that answers whether what comes after it goes on. If it returns False, all of that is skipped.

    Other tasks can use what it returned::

        @short_circuit
        def has_rows(rows: int) -> bool:
            return rows > 0
    """
    return cast("Task[..., Any] | ShortCircuitMaker", _made(function, _spec("short_circuit", **options)))


def sensor(*, every: Duration, timeout: Duration, **options: Unpack[StepOptions]) -> SensorMaker:
    """Make a sensor of a function that answers whether what is waited for is there.

    It is asked every ``every`` and holds no slot in between. It fails ``timeout`` after it was first asked. The other
    options are those of ``StepOptions``::

        @sensor(every="1m", timeout="6h")
        def partner_is_ready(ctx: Context, partner: str) -> bool: ...
    """
    spec = replace(_spec("sensor", **options), sensor=waiting(every, timeout))
    return cast("SensorMaker", _made(None, spec))


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


def _spec(
    kind: TaskKind,
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
    max_active: int | None = None,
    depends_on_past: bool = False,
    tags: Sequence[str] = (),
) -> TaskSpec:
    """What all steps of a task have in common, checked."""
    return TaskSpec(
        task_id="" if task_id is None else identifier("task_id", task_id),
        kind=kind,
        retry=retry or Retry(),
        timeout=None if timeout is None else seconds("timeout", timeout, least=0.001, otherwise=60.0),
        pool=identifier("pool", pool),
        slots=whole("slots", slots, 1, _MOST, 1),
        priority=whole("priority", priority, -_MOST, _MOST, 0),
        isolation=choice("isolation", isolation, get_args(Isolation)),
        memory=None if memory is None else size("memory", memory),
        trigger_rule=choice("trigger_rule", trigger_rule, get_args(TriggerRule)),
        max_active=None if max_active is None else whole("max_active", max_active, 1, _MOST, 1),
        needs=(OWN_PAST,) if flag("depends_on_past", depends_on_past) else (),
        tags=texts("tags", tags),
    )


def _made(function: Callable[..., Any] | None, spec: TaskSpec) -> object:
    """The task of a function; without one, what makes it."""

    def make(function: Callable[..., Any], /) -> Task[..., Any]:
        return _make(function, spec)

    return make if function is None else make(function)


def _make(function: Callable[..., Any], spec: TaskSpec) -> Task[..., Any]:
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(function, FunctionType):
        report(
            Mistake.ODD_TASK, f"{shown(function)} is not a function", "put the decorator on a function made with def"
        )
        return Task(no_function, replace(spec, task_id=spec.task_id or name), takes_context=False, signature=_ANY)
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


_ANY: Final = Signature(no_function, skip=0)
