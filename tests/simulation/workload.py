"""Dags by chance: chains, layers, meshes; both trigger rules, sensors, pools, weights, priorities, budgets, schedules."""

from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import structs

from ostinato.model.canonical import canonical, digest
from ostinato.model.spec import (
    After,
    CompiledDag,
    Cron,
    DagSpec,
    Deadline,
    Every,
    OutputOf,
    Param,
    ParamOf,
    Retry,
    Schedule,
    Sensor,
    Source,
    TaskSpec,
    Template,
    Value,
)
from ostinato.model.time import Instant

from .features import enriched

POOLS: Final = ("default", "narrow", "wide", "unmade")
"""The pools that tasks use. Nobody makes the last one until the storm is over."""


UNFILLABLE: Final = "{{ what_nobody_knows }}"
"""A template that the compiler would have refused: no attempt that has it can be prepared."""


def dag_by_chance(random: Random, dag_id: str, now: Instant) -> DagSpec:
    """A dag."""
    schedule = _schedule(random)
    spec = DagSpec(
        dag_id=dag_id,
        tasks=_tasks(random),
        schedule=schedule,
        catchup=random.choice(("all", "last", "none")),
        start=now - random.choice((0, 7_000, 90_000)) if schedule and random.random() < 0.7 else None,
        end=now + 40_000 if random.random() < 0.2 else None,
        deadline=_deadline(random, now) if schedule and random.random() < 0.5 else None,
        params=(Param("size", "integer", 3), Param("mode", "string", "full")),
        max_active_runs=random.choice((1, 1, 2, 4, 16)),
    )
    return _limited(enriched(spec))


def after_each_other(dags: Sequence[DagSpec]) -> list[DagSpec]:
    """The same dags; some now run after the next one, or the next two, for the same intervals or for longer ones."""
    found: list[DagSpec] = []
    for alone in reversed(dags):
        spec = alone
        random = Random(repr(spec))
        others = found[::-1][: random.choice((1, 2))]
        each = [_ticking(other.schedule) for other in others]
        ticking = next((other for other in each if other is not None), None)
        if ticking is not None and None not in each and random.random() < 0.5:
            if isinstance(ticking, Every):
                ticking = Every(ticking.seconds * random.choice((1, 1, 2, 3)))
            spec = _after(spec, After(tuple(other.dag_id for other in others), ticking))
        found.append(spec)
    return found[::-1]


def _ticking(schedule: Schedule | None) -> Every | Cron | None:
    """What ticks where the intervals of a dag end; None: days, in which nothing of a simulation comes to its end."""
    ticking = schedule.each if isinstance(schedule, After) else schedule
    return ticking if isinstance(ticking, Every | Cron) else None


def _after(spec: DagSpec, schedule: After) -> DagSpec:
    """A dag as the compiler would give it: its first tasks need what its runs come after."""
    first = [task.scope is None and not task.upstream for task in spec.tasks]
    tasks = [
        structs.replace(task, needs=(*task.needs, *schedule.needs)) if begins else task
        for task, begins in zip(spec.tasks, first, strict=True)
    ]
    return structs.replace(spec, schedule=schedule, tasks=tuple(tasks))


def changed(random: Random, spec: DagSpec) -> DagSpec:
    """The next version of a dag: other tasks, and sometimes another limit."""
    plain = structs.replace(spec, tasks=_tasks(random), scopes=(), max_active_runs=random.choice((1, 2, 5)))
    made = _limited(enriched(plain))
    return _after(made, made.schedule) if isinstance(made.schedule, After) else made


def _limited(spec: DagSpec) -> DagSpec:
    """The same dag, perhaps with limits of its own and of its tasks, by a chance that leaves all others as they are."""
    random = Random(repr(spec))
    tasks = [structs.replace(task, max_active=random.choice((None, None, None, 1, 2))) for task in spec.tasks]
    return structs.replace(spec, tasks=tuple(tasks), max_active_tasks=random.choice((None, None, 1, 3)))


def compiled(spec: DagSpec) -> tuple[CompiledDag, bytes]:
    """A dag as the compiler would give it, with its source."""
    source = canonical(Source(f"/dags/{spec.dag_id}.py", repr(spec).encode()))
    name = digest(source)
    version = digest(canonical(spec), name.encode())
    return CompiledDag(spec, f"/dags/{spec.dag_id}.py", name, version), source


def _schedule(random: Random) -> Schedule | None:
    if random.random() < 0.3:
        return None
    if random.random() < 0.2:
        return Cron("* * * * *", "Europe/Berlin")
    return Every(random.choice((5, 15, 40)))


def _deadline(random: Random, now: Instant) -> Deadline:
    """A time of day within the next minutes, or one that comes only long after."""
    minutes = (now // 60_000 + random.choice((1, 2, 400))) % 1440
    return Deadline(f"{minutes // 60:02}:{minutes % 60:02}", "UTC")


def _tasks(random: Random) -> tuple[TaskSpec, ...]:
    count = random.choice((1, 2, 3, 5, 8, 12))
    style = random.choice(("chain", "layers", "mesh", "loose"))
    layer = random.randint(1, 4)
    return tuple([_task(random, no, _upstream(random, no, style, layer)) for no in range(count)])


def _upstream(random: Random, no: int, style: str, layer: int) -> tuple[int, ...]:
    match style:
        case "chain":
            return (no - 1,) if no else ()
        case "layers":
            above = no // layer - 1
            return tuple(range(above * layer, (above + 1) * layer)) if above >= 0 else ()
        case "mesh":
            return tuple(sorted(random.sample(range(no), random.randint(0, min(no, 3)))))
        case _:
            return (random.randrange(no),) if no and random.random() < 0.3 else ()


def _task(random: Random, no: int, upstream: tuple[int, ...]) -> TaskSpec:
    kind = random.choices(("python", "sensor", "file_sensor"), (8, 1, 1))[0]
    task_id = f"t{no}"
    patience = random.choice((0.0, 2.0, 20.0))
    path = f"{task_id}_{{{{ logical_date }}}}_{{{{ interval_start | nodash }}}}_{{{{ run_id }}}}.csv"
    return TaskSpec(
        task_id=task_id,
        kind=kind,
        upstream=upstream,
        trigger_rule="all_done" if random.random() < 0.25 else "all_success",
        args=tuple([OutputOf(above) for above in upstream]) if kind == "python" else (),
        kwargs=(
            ("at", Template(random.choices(("{{ interval_end }}", UNFILLABLE), (60, 1))[0])),
            ("size", ParamOf("size")),
            ("fixed", Value([no, "x"])),
        ),
        retry=Retry(
            transient=random.randint(0, 3),
            resource=random.randint(0, 2),
            first_delay=random.choice((0.05, 1.0)),
            max_delay=random.choice((0.1, 3.0)),
            jitter=random.choice((0.0, 0.2, 0.9)),
        ),
        timeout=random.choice((None, None, 0.5, 6.0)),
        pool=random.choices(POOLS, (8, 4, 4, 1))[0],
        slots=random.choice((1, 1, 1, 2, 3)),
        priority=random.choice((0, 0, 0, 5, -5)),
        isolation=random.choice(("reuse", "reuse", "process")),
        sensor=None
        if kind == "python"
        else Sensor(
            every=random.choice((0.1, 0.7, 3.0)), timeout=patience, path=path if kind == "file_sensor" else None
        ),
    )
