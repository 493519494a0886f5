"""Steps without a function of the author's: they wait for a file, another dag or a person, or run another dag."""

from typing import Any, Final, Literal

from ostinato.model.spec import Approval, CallDag, Need, Sensor, TaskSpec

from .arguments import check_template, keep
from .check import report, shown
from .durations import Duration, seconds, shift_ms
from .layout import Node, authors_frame, new_node
from .mistakes import Mistake
from .options import choice, flag, identifier, whole
from .signature import Signature
from .step import Step
from .task import Task

_FURTHEST: Final = 10_000


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
    sensor = waiting(every, timeout, path)
    node = _node(TaskSpec(task_id=identifier("task_id", task_id), kind="file_sensor", sensor=sensor))
    if "{{" in path:
        check_template(node, path)
    return Step((node,))


def run_dag(dag_id: str, /, *, wait: bool = True, task_id: str | None = None, **params: Any) -> Step:
    """A step that makes a run of another dag, for the data interval of this run, with these parameters.

    It ends as that run does; with ``wait=False`` it succeeds once the run is made. Parameters may be outputs, items and
    parameters of this dag, and templates. Its id is ``run_`` and the dag's unless ``task_id`` says otherwise::

        run_dag("load_partner", partner="acme", day="{{ logical_date }}")
    """
    called = identifier("run_dag", dag_id)
    own = f"run_{called}" if task_id is None else identifier("task_id", task_id)
    node = _node(TaskSpec(task_id=own, kind="call", call=CallDag(called, wait=flag("wait", wait))))
    node.kwargs = keep(node, params.items())
    for label in node.shapes:
        report(
            Mistake.NOT_STORABLE,
            f"the parameter {label!r} of {called!r} is a list or dict with parts that only a run knows",
            "let a task return it whole",
            near=label,
        )
    return Step((node,))


def approval(
    question: str,
    *,
    timeout: Duration | None = None,
    no: Literal["skip", "fail"] = "skip",
    task_id: str = "approval",
) -> Step:
    """A step that waits for a person's yes; it needs no process and no slot.

    A no skips what comes after, or fails the step (``no="fail"``). ``timeout`` after it was asked, it is a no.
    """
    if not isinstance(question, str) or not question.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_QUESTION, f"approval({shown(question)}) asks nothing", "write approval('publish it?')")
        question = "?"
    asked = Approval(
        question,
        None if timeout is None else seconds("timeout", timeout, least=0.01, otherwise=3600.0),
        choice("no", no, ("skip", "fail")),
    )
    return Step((_node(TaskSpec(task_id=identifier("task_id", task_id), kind="approval", approval=asked)),))


def wait_for_dag(
    dag_id: str,
    /,
    *,
    task: str | None = None,
    shift: Duration = 0,
    size: Duration | None = None,
    intervals: int = 0,
    last: int | None = None,
    if_any: bool = False,
    task_id: str | None = None,
) -> Step:
    """A step that waits until intervals of another dag have succeeded; it needs no process and no slot.

    Asked for are the intervals that make up this run's own: a daily dag waits for 24 of an hourly one. ``shift`` moves
    both ends by a time (``"-1h"``), and ``size`` reaches back so far from the end; or, counted in intervals of the other
    dag, ``intervals`` moves both ends (``-1``: the one before), and ``last`` reaches back. ``task`` asks for one task
    rather than for the whole run. ``if_any``: intervals before the other dag's first run are not asked for. Its id is
    ``wait_for_`` and the dag's unless ``task_id`` says otherwise::

        wait_for_dag("hourly_clicks") >> step(report())
        wait_for_dag("daily_rates", last=7)
    """
    wanted = identifier("wait_for_dag", dag_id)
    own = f"wait_for_{wanted}" if task_id is None else identifier("task_id", task_id)
    counted = whole("intervals", intervals, -_FURTHEST, _FURTHEST, 0)
    reach = 0 if last is None else whole("last", last, 1, _FURTHEST, 1)
    moved = shift_ms("shift", shift)
    length = 0 if size is None else round(seconds("size", size, least=0.001, otherwise=3600.0) * 1000)
    if (counted or reach) and (moved or length):
        what = "wait_for_dag counts intervals (intervals, last) and time (shift, size)"
        report(Mistake.BAD_NEED, what, "keep one of the two", near="shift" if moved else "size")
    need = Need(
        dag_id=wanted,
        task_id=None if task is None else identifier("task", task),
        shift=counted or moved,
        by_interval=bool(counted or reach),
        size=reach or length,
        if_any=flag("if_any", if_any),
    )
    node = _node(TaskSpec(task_id=own, kind="interval", needs=(need,)))
    if node.layout.dag_id == wanted and task is None and need.shift >= 0:
        help = "ask for an earlier one: intervals=-1"
        report(Mistake.BAD_NEED, f"a run of {wanted!r} waits for itself to succeed", help)
    return Step((node,))


def waiting(every: Duration, timeout: Duration, path: str | None = None) -> Sensor:
    """How often and how long a sensor looks."""
    return Sensor(
        every=seconds("every", every, least=0.01, otherwise=60.0),
        timeout=seconds("timeout", timeout, least=0.01, otherwise=3600.0),
        path=path,
    )


def no_function(*_: object, **__: object) -> None:
    """Stands where a task has no function of its own."""


def _node(spec: TaskSpec) -> Node:
    waits = Task[[], None](no_function, spec, takes_context=False, signature=_NO_PARAMETERS)
    return new_node(waits, spec.task_id, authors_frame())


_NO_PARAMETERS: Final = Signature(lambda: None, skip=0)
