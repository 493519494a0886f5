"""Small dags of every kind as their authors would write them, and a script for all that happens in a run of one."""

from collections.abc import Mapping, Sequence
from typing import get_args

from hypothesis import strategies as st
from msgspec import Struct, field
from msgspec.structs import replace

from ostinato import (
    LogicError,
    Step,
    TransientError,
    approval,
    branch,
    dag,
    each,
    every,
    guarded,
    loop,
    run_dag,
    short_circuit,
    step,
    task,
    wait_for_dag,
    wait_for_file,
)
from ostinato.authoring.dag import Dag
from ostinato.authoring.following import Choices
from ostinato.model.message import Verdict
from ostinato.model.record import UNMAPPED, Instance, instance_name
from ostinato.model.spec import DagSpec, Outcome, TaskSpec, TriggerRule
from ostinato.testing import Script, arrives, takes
from tests.unit.decide.naive import Play

KINDS = ("python", "python", "python", "branch", "short_circuit", "call", "approval", "interval", "file_sensor")
RULES = tuple(rule for rule in get_args(TriggerRule) if rule != "all_done_setup_success")
ENDS: Mapping[str, Sequence[Verdict]] = {
    "python": ("success", "success", "failed", "skipped"),
    "branch": ("success", "success", "failed"),
    "short_circuit": ("success", "success", "failed"),
    "call": ("success", "failed"),
    "approval": ("success", "skipped"),
    "interval": ("success",),
    "file_sensor": ("success",),
}
"""How steps may end that start."""


class Unit(Struct, frozen=True):
    """A step, or steps in a block, after some of the units before it. ``conditions`` are for single steps."""

    kind: str
    after: tuple[int, ...] = ()
    rule: TriggerRule = "all_success"
    conditions: tuple[Outcome, ...] = ()
    inside: tuple["Unit", ...] = ()
    count: int = 1
    max_active: int | None = None


class Rehearsed(Struct, frozen=True):
    """A dag, what the naive evaluator is to know of it, and how long its steps take, in turn, in minutes."""

    dag: Dag
    play: Play
    returned: Mapping[Instance, object]
    long: tuple[int, ...] = field(default=(0,))

    def scripts(self, blips: int = 0) -> dict[str, Script]:
        """How everything ends that starts; what makes attempts does so after some blips."""
        spec = self.play.spec
        return {
            instance_name(spec, *instance): self._script(spec.tasks[instance[0]], instance, verdict, blips, number)
            for number, (instance, verdict) in enumerate(self.play.ends.items())
        }

    def _script(self, task: TaskSpec, instance: Instance, verdict: Verdict, blips: int, number: int) -> Script:
        minutes = f"{self.long[number % len(self.long)]}m"
        if task.kind in {"interval", "file_sensor"}:
            return arrives(minutes)
        script = takes(minutes)
        if task.kind == "approval":
            return script.returns(verdict == "success")
        if blips and task.kind != "call":
            script = script.fails(blips, TransientError)
        if verdict == "failed":
            return script.fails(1, LogicError)
        return script.skips() if verdict == "skipped" else script.returns(self.returned.get(instance))


@st.composite
def units(draw: st.DrawFn, *, blocks: bool = True, most: int = 6) -> tuple[Unit, ...]:
    """Up to ``most`` of them."""
    found: list[Unit] = []
    for number in range(draw(st.integers(1, most))):
        after = tuple(up for up in range(number) if draw(st.booleans()))
        kind = draw(st.sampled_from((*KINDS, "each", "loop", "guarded") if blocks else KINDS))
        unit = Unit(kind, after)
        if kind in {"each", "loop"}:
            unit = Unit(
                kind,
                after,
                rule=draw(st.sampled_from(RULES)),
                inside=draw(units(blocks=False, most=3)),
                count=draw(st.integers(0 if kind == "each" else 1, 3)),
                max_active=draw(st.sampled_from((None, 1, 2))),
            )
        elif kind == "guarded":
            unit = Unit(kind, after, inside=draw(units(blocks=False, most=2)))
        elif kind == "python" and after and not draw(st.integers(0, 3)):
            unit = Unit(kind, after, conditions=tuple(draw(st.sampled_from(get_args(Outcome))) for _ in after))
        elif after and kind in {"python", "branch", "short_circuit"}:
            unit = Unit(kind, after, rule=draw(st.sampled_from(RULES)))
        found.append(unit)
    followed = {up for unit in found for up in unit.after}
    return tuple(_plain(unit) if no not in followed else unit for no, unit in enumerate(found))


def _plain(unit: Unit) -> Unit:
    """A unit that nothing comes after: there is nothing to choose."""
    return replace(unit, kind="python") if unit.kind in {"branch", "short_circuit"} else unit


@st.composite
def rehearsed(draw: st.DrawFn) -> Rehearsed:
    """A dag with how everything in it ends."""
    made = laid_out(draw(units()))
    spec = made.build()
    assert made.layout is not None
    counts = {no: _count(spec, no) for no in range(len(spec.scopes))}
    ends: dict[Instance, Verdict] = {}
    follow: dict[int, tuple[str, ...]] = {}
    returned: dict[Instance, object] = {}
    for no, own in enumerate(spec.tasks):
        node = made.layout.by_id[own.task_id]
        places = (UNMAPPED,) if own.scope is None else range(counts[own.scope])
        ends.update({(no, index): draw(st.sampled_from(ENDS[own.kind])) for index in places})
        answer: object = None
        if own.kind == "branch":
            names = [each for each in Choices(node).all() if each not in Choices(node).none()]
            chosen = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
            answer = [name for name in chosen if spec.tasks[_number(spec, name)].scope == own.scope]
            follow[no] = Choices(node).chosen(answer)
        elif own.kind == "short_circuit":
            answer = draw(st.booleans())
            follow[no] = Choices(node).all() if answer else Choices(node).none()
        returned.update({(no, index): answer for index in places})
    for no, scope in enumerate(spec.scopes):
        if scope.until is not None:
            returned.update({(scope.until, index): index == counts[no] - 1 for index in range(counts[no])})
    long = tuple(draw(st.lists(st.integers(0, 90), min_size=1, max_size=8)))
    return Rehearsed(made, Play(spec, ends, follow, counts), returned, long)


def laid_out(found: Sequence[Unit]) -> Dag:
    """A dag of units."""

    @dag(dag_id="drawn", schedule=every("1d"))
    def drawn() -> None:
        _lay(found, "t")

    return drawn


def _lay(found: Sequence[Unit], prefix: str) -> list[Step]:
    steps: list[Step] = []
    for number, unit in enumerate(found):
        name = f"{prefix}{number}"
        match unit.kind:
            case "each":
                first = last = _each(unit, name)
            case "loop":
                first = last = _loop(unit, name)
            case "guarded":
                first, last = _guarded(unit, name)
            case _:
                first = last = _single(unit, name)
        if unit.conditions:
            for up, outcome in zip(unit.after, unit.conditions, strict=True):
                steps[up].on(outcome) >> first
        elif unit.after:
            [steps[up] for up in unit.after] >> first
        steps.append(last)
    return steps


def _single(unit: Unit, name: str) -> Step:
    match unit.kind:
        case "branch":
            return step(branch(task_id=name, trigger_rule=unit.rule)(_names)())
        case "short_circuit":
            return step(short_circuit(task_id=name, trigger_rule=unit.rule)(_yes)())
        case "call":
            return run_dag("child", task_id=name)
        case "approval":
            return approval("well?", task_id=name)
        case "interval":
            return wait_for_dag("other", task_id=name)
        case "file_sensor":
            return wait_for_file("x", every="7m", timeout="3h", task_id=name)
        case _:
            return task(task_id=name, trigger_rule=unit.rule)(_nothing)()


def _each(unit: Unit, name: str) -> Step:
    block = each(name, over=[*range(unit.count)], trigger_rule=unit.rule, max_active=unit.max_active)
    with block:
        _lay(unit.inside, "t")
    return block


def _loop(unit: Unit, name: str) -> Step:
    with loop(name, start=0, trigger_rule=unit.rule, limit=1_000 + unit.count) as turn:
        inside = _lay(unit.inside, "t")
        done = task(task_id="done")(_yes)()
        inside[-1:] >> step(done)
        turn.until(done)
    return turn


def _guarded(unit: Unit, name: str) -> tuple[Step, Step]:
    first, last = (step(task(task_id=f"{name}_{what}")(_nothing)()) for what in ("set_up", "take_down"))
    with guarded(setup=first, teardown=last) as block:
        _lay(unit.inside, f"{name}_")
    return first, block


def _count(spec: DagSpec, scope_no: int) -> int:
    """How many instances a scope has; of a loop the limit says it, beyond a thousand."""
    scope = spec.scopes[scope_no]
    if scope.kind == "loop":
        return scope.limit - 1_000
    return len(scope.over[0][1].value)


def _number(spec: DagSpec, name: str) -> int:
    """The number of the task, or of the first in the scope, of that name."""
    ids = [task.task_id for task in spec.tasks]
    if name in ids:
        return ids.index(name)
    scope_no = [scope.scope_id for scope in spec.scopes].index(name)
    return [task.scope for task in spec.tasks].index(scope_no)


def _nothing() -> None: ...


def _names() -> list[str]:
    return []


def _yes() -> bool:
    return True
