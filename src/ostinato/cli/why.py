"""``ostinato why``: the shortest chain from what is asked to the fact that explains it, and what will lift it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.clock import SystemClock
from ostinato.home import Home, agent_alive
from ostinato.model.errors import NotFound
from ostinato.model.spec import After
from ostinato.view.documents.runs import ReasonDocument, WhyDocument

from .session import present_home, scheduler_of, state
from .situation import run_situation
from .target import instance_named, run_named
from .terminal import Ink, next_step, out, out_json, plain
from .words import AsJson, declaration

if TYPE_CHECKING:
    from ostinato.decide.reason import Reason
    from ostinato.model.time import Instant
    from ostinato.store import Store

app = declaration()


@app.command(epilog="ostinato why sales\nostinato why 12\nostinato why sales@2025-05-01/load")
def why(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="DAG|RUN|RUN/TASK",
            help="a dag's id; a run as a number or dag@date; a task of it, or an instance: load[3]",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say why a dag, a run or a task is where it is, and what will move it on."""
    home = present_home()
    with state(home) as store:
        document = _explained(store, home, subject, SystemClock().now())
    if as_json:
        out_json(document)
        return
    _draw(document)


def _explained(store: "Store", home: Home, subject: str, now: "Instant") -> WhyDocument:
    """What `why` answers. Raises NotFound."""
    from ostinato.decide.explain import why_run, why_task  # noqa: PLC0415 - loads timetables, which help does without

    name, slash, task_id = subject.partition("/")
    if not slash and not name.isdecimal() and "@" not in name:
        return _of_dag(store, home, name, now)
    run = run_named(store, name, newest=True)
    scheduler = scheduler_of(home, store) is not None
    agent = agent_alive(home) is not None or home.address is not None  # it may be on another machine
    there = {"scheduler": scheduler, "agent": agent}
    situation = run_situation(store, run, now, **there)
    if not slash:
        return _document(f"run {run.run_id} of {run.dag_id}", run.state, why_run(situation))
    instance = instance_named(situation.spec, task_id)
    if not situation.may_be(instance):
        raise NotFound(f"there is no {task_id} in run {run.run_id}", help=f"See `ostinato show {run.run_id}`.")
    title = f"{task_id} in run {run.run_id} of {run.dag_id}"
    return _document(title, situation.state(instance), why_task(situation, instance))


def _of_dag(store: "Store", home: Home, dag_id: str, now: "Instant") -> WhyDocument:
    from ostinato.decide.after import waiting  # noqa: PLC0415
    from ostinato.decide.explain import why_dag  # noqa: PLC0415
    from ostinato.decide.situation import DagSituation  # noqa: PLC0415

    dag = store.dag(dag_id)
    spec = store.compiled(dag.version).spec
    name = "retired" if dag.retired_at is not None else "paused" if dag.paused else "deployed"
    waits = waiting(spec, spec.schedule, now, store) if isinstance(spec.schedule, After) else None
    reasons = why_dag(DagSituation(now, scheduler_of(home, store) is not None, dag, spec, waits))
    return _document(dag_id, name, reasons)


def _document(subject: str, state_name: str, reasons: "list[Reason]") -> WhyDocument:
    links = [ReasonDocument(code=reason.code, what=reason.what, lifts=reason.lifts) for reason in reasons]
    return WhyDocument(subject=subject, state=state_name, reasons=links)


def _draw(document: WhyDocument) -> None:
    ink = Ink(sys.stdout)
    out(f"{ink(document.subject, 'bold')}  {ink.state(document.state)}")
    for depth, reason in enumerate(document.reasons):
        out(f"  {'  ' * depth}{ink(reason.code, 'cyan')}  {plain(reason.what)}")
    lifts = next((reason.lifts for reason in reversed(document.reasons) if reason.lifts), "")
    if lifts:
        out(f"moves on when: {plain(lifts)}")
    if " in run " in document.subject or document.subject.startswith("run "):
        next_step(f"ostinato show {document.subject.partition('run ')[2].split()[0]}")
    else:
        next_step(f"ostinato runs {document.subject}")
