"""What a dag by chance may have besides tasks that wait for each other, each by a chance that leaves all others as they are."""

from collections.abc import Callable
from random import Random
from typing import Final, get_args

from msgspec import structs

from ostinato.model.spec import (
    Approval,
    CallDag,
    DagSpec,
    ItemOf,
    Need,
    Outcome,
    OutputOf,
    Overlap,
    ParamOf,
    RunOutcome,
    Scope,
    TaskSpec,
    TriggerRule,
    Value,
)

Feature = Callable[[Random, DagSpec], DagSpec]

_RULES: Final = tuple([rule for rule in get_args(TriggerRule) if rule != "all_done_setup_success"])
_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


def enriched(spec: DagSpec) -> DagSpec:
    """The same dag with some of the features."""
    random = Random(repr(spec))
    for feature in FEATURES:
        if random.random() < 0.25:
            spec = feature(random, spec)
    return spec


def rules(random: Random, spec: DagSpec) -> DagSpec:
    """Trigger rules of every kind."""
    return _each(spec, lambda _, task: structs.replace(task, trigger_rule=random.choice(_RULES)))


def conditions(random: Random, spec: DagSpec) -> DagSpec:
    """Edges that ask for certain outcomes."""

    def asked(_: int, task: TaskSpec) -> TaskSpec:
        if random.random() < 0.5:
            return task
        words = [tuple(random.sample(_OUTCOMES, random.choice((1, 1, 2)))) for _ in task.upstream]
        return structs.replace(task, conditions=tuple(words))

    return _each(spec, asked)


def steering(random: Random, spec: DagSpec) -> DagSpec:
    """Branches and short circuits."""
    kinds = ("branch", "short_circuit")
    return _each(spec, lambda _, task: structs.replace(task, kind=random.choice(kinds)), chance=0.3, random=random)


def guards(random: Random, spec: DagSpec) -> DagSpec:
    """Teardowns, each with a setup right before it."""

    def torn_down(no: int, task: TaskSpec) -> TaskSpec:
        if not task.upstream or random.random() < 0.6:
            return task
        rule: TriggerRule = "all_done_setup_success"
        return structs.replace(task, role="teardown", setups=task.upstream[:1], trigger_rule=rule, conditions=())

    spec = _each(spec, torn_down)
    setups = {no for task in spec.tasks for no in task.setups}
    return _each(
        spec,
        lambda no, task: structs.replace(task, role="setup") if no in setups and task.role == "work" else task,
    )


def outcomes(random: Random, spec: DagSpec) -> DagSpec:
    """Another rule for who decides whether a run succeeded."""
    return structs.replace(spec, outcome=random.choice(get_args(RunOutcome)))


def overlaps(random: Random, spec: DagSpec) -> DagSpec:
    """Another rule for what a schedule does while an earlier run goes."""
    return structs.replace(spec, overlap=random.choice(get_args(Overlap)))


def approvals(random: Random, spec: DagSpec) -> DagSpec:
    """Questions to people."""

    def asked(_: int, task: TaskSpec) -> TaskSpec:
        approval = Approval("go on?", random.choice((None, 2.0, 30.0)), random.choice(("skip", "fail")))
        return structs.replace(task, kind="approval", approval=approval, args=(), kwargs=())

    return _each(spec, asked, chance=0.2, random=random)


def calls(random: Random, spec: DagSpec) -> DagSpec:
    """Runs of the dag with the next number, if there is one; some with parameters that it does not have."""
    number = int(spec.dag_id.rpartition("_")[2])

    def called(_: int, task: TaskSpec) -> TaskSpec:
        call = CallDag(f"dag_{number + 1}", wait=random.random() < 0.7)
        name = random.choices(("size", "nonsense"), (9, 1))[0]
        return structs.replace(task, kind="call", call=call, args=(), kwargs=((name, Value(random.randint(1, 9))),))

    return _each(spec, called, chance=0.2, random=random)


def needs(random: Random, spec: DagSpec) -> DagSpec:
    """Intervals that must have succeeded: the one before, mostly; of the dag with the next number, or its first task."""
    number = int(spec.dag_id.rpartition("_")[2])
    own = Need(shift=-1, by_interval=True, if_any=True)
    two = structs.replace(own, size=2)
    other = Need(dag_id=f"dag_{number + 1}", if_any=True)
    others = (own, own, two, structs.replace(own, task_id="t0"), other, structs.replace(other, shift=-60_000))

    def needing(_: int, task: TaskSpec) -> TaskSpec:
        if task.scope is not None:
            return task
        needed = structs.replace(task, needs=(random.choice(others),))
        return structs.replace(needed, kind="interval", args=(), kwargs=()) if random.random() < 0.3 else needed

    return _each(spec, needing, chance=0.3, random=random)


def scopes(random: Random, spec: DagSpec) -> DagSpec:
    """Neighbouring tasks become a scope: for each item of a list, or turn by turn."""
    first = random.randrange(len(spec.tasks))
    after = min(len(spec.tasks), first + random.randint(1, 3))
    members = spec.tasks[first:after]
    above = sorted({up for task in members for up in task.upstream if up < first})
    scope = _each_item(random, spec, above) if random.random() < 0.7 else _loop(random, first, members)
    scope = structs.replace(
        scope,
        upstream=tuple(above),
        trigger_rule=random.choice(("all_success", "all_success", "all_done", "none_failed")),
        limit=random.choice((2, 5, 5, 1_000)) if scope.kind == "each" else random.choice((1, 3)),
    )
    name = "value" if scope.kind == "loop" else scope.over[0][0]

    def inside(no: int, task: TaskSpec) -> TaskSpec:
        if not first <= no < after:
            return task
        kept = [place for place, up in enumerate(task.upstream) if up >= first]
        return structs.replace(
            task,
            scope=0,
            upstream=tuple([task.upstream[place] for place in kept]),
            conditions=tuple([task.conditions[place] for place in kept]) if task.conditions else (),
            setups=tuple([up for up in task.setups if up >= first]),
            kwargs=(*task.kwargs, ("item", ItemOf(name))) if task.args or task.kwargs else (),
            kind="python" if no in {scope.until, scope.carry} else task.kind,
            sensor=None if no in {scope.until, scope.carry} else task.sensor,
        )

    tasks = tuple([inside(no, task) for no, task in enumerate(spec.tasks)])
    return structs.replace(spec, tasks=tasks, scopes=(scope,))


def _each_item(random: Random, spec: DagSpec, above: list[int]) -> Scope:
    lists = [("a", Value(list(range(random.choice((0, 1, 2, 3, 3))))))]
    makers = [no for no in above if spec.tasks[no].kind == "python"]
    if makers:
        lists[0] = ("a", OutputOf(random.choice(makers)))
    if random.random() < 0.4:
        lists.append(("b", Value(["x", "y"])))
    if random.random() < 0.03:
        lists[-1] = ("b", ParamOf("size"))  # which is no list
    pairing = random.choice(("product", "product", "zip"))
    most = random.choice((None, 1, 1, 2))
    return Scope("s", "each", over=tuple(dict(lists).items()), pairing=pairing, max_active=most)


def _loop(random: Random, first: int, members: tuple[TaskSpec, ...]) -> Scope:
    until = first + len(members) - 1
    return Scope("s", "loop", start=Value(7), until=until, carry=random.choice((None, first)))


def _each(
    spec: DagSpec, change: Callable[[int, TaskSpec], TaskSpec], chance: float = 1.0, random: Random | None = None
) -> DagSpec:
    """The dag with tasks changed. With a ``chance``, only so many are, and of those only what is plain Python yet."""

    kept = {no for scope in spec.scopes for no in (scope.until, scope.carry)}

    def changed(no: int, task: TaskSpec) -> TaskSpec:
        if random is None:
            return change(no, task)
        chosen = random.random() < chance and task.kind == "python" and no not in kept
        return change(no, task) if chosen else task

    return structs.replace(spec, tasks=tuple([changed(no, task) for no, task in enumerate(spec.tasks)]))


FEATURES: Final[tuple[Feature, ...]] = (
    rules,
    conditions,
    steering,
    guards,
    outcomes,
    scopes,
    overlaps,
    approvals,
    calls,
    needs,
)
"""In the order in which they are put in."""
