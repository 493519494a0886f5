"""Whatever a dag looks like, however long its tasks take and however many go on at once: how it ends is decided by how they end."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis.strategies import DrawFn, SearchStrategy, composite, integers, lists, none, sampled_from, sets

from ostinato import LogicError, TransientError, dag, every, task
from ostinato.authoring.dag import Dag
from ostinato.authoring.step import Step
from ostinato.testing import Rehearsal, Script, simulate, takes
from tests.unit.testing.plays import DAY
from tests.unit.testing.rules import RULES, Planned, ends_of

MOST = 12


@composite
def plans(draw: DrawFn) -> list[Planned]:
    """Dags of up to twelve tasks."""
    plan: list[Planned] = []
    for number in range(draw(integers(1, MOST))):
        upstream = draw(sets(integers(0, number - 1), max_size=4)) if number else set()
        plan.append(
            Planned(
                tuple(sorted(upstream)),
                draw(sampled_from([*RULES])),
                draw(sampled_from(["success", "failed", "skipped"])),
            )
        )
    return plan


def laid_out(plan: Sequence[Planned]) -> Dag:
    """A plan as an author would write it."""

    @dag(schedule=every("1d"))
    def planned() -> None:
        steps: list[Step] = []
        for number, each in enumerate(plan):
            step = task(task_id=f"t{number}", trigger_rule=each.rule)(_nothing)()
            if each.upstream:
                [steps[up] for up in each.upstream] >> step
            steps.append(step)

    return planned


def _nothing() -> None: ...


def minutes() -> SearchStrategy[list[int]]:
    """How long tasks take, in turn."""
    return lists(integers(0, 90), min_size=1, max_size=MOST)


def scripts(plan: Sequence[Planned], long: Sequence[int], blips: int = 0) -> dict[str, Script]:
    """How the tasks end, after some blips, each attempt taking its minutes."""
    return {f"t{number}": _script(each, long[number % len(long)], blips) for number, each in enumerate(plan)}


def _script(planned: Planned, long: int, blips: int) -> Script:
    script = takes(f"{long}m")
    if blips:
        script = script.fails(blips, TransientError)
    match planned.end:
        case "failed":
            return script.fails(1, LogicError)
        case "skipped":
            return script.skips()
        case _:
            return script.returns(1)


def simulated(plan: Sequence[Planned], outcomes: dict[str, Script], slots: int | None) -> Rehearsal:
    """One day of a plan."""
    (run,) = simulate([laid_out(plan)], start=DAY, end=DAY + timedelta(1), outcomes=outcomes, slots=slots).runs
    return run


@given(plans())
def test_a_run_ends_as_the_naive_evaluator_says(plan: list[Planned]) -> None:
    result = laid_out(plan).test(DAY, outcomes=scripts(plan, [0]))
    ends = ends_of(plan)
    assert list(result.states.values()) == ends
    assert result.run.state == ("failed" if {"failed", "upstream_failed"} & set(ends) else "success")


@given(plans(), minutes(), integers(0, 3), none() | integers(1, 4))
def test_neither_order_nor_time_nor_room_nor_blips_decide_how_a_run_ends(
    plan: list[Planned], takes: list[int], blips: int, slots: int | None
) -> None:
    assert list(simulated(plan, scripts(plan, takes, blips), slots).states.values()) == ends_of(plan)


@given(plans(), minutes(), integers(1, 4))
def test_order_is_kept_and_room_is_never_exceeded(plan: list[Planned], takes: list[int], slots: int) -> None:
    attempts = simulated(plan, scripts(plan, takes), slots).attempts
    spans = {name: (tries[0].queued_at, tries[-1].finished_at or 0) for name, tries in attempts.items()}
    orders = [(f"t{up}", f"t{number}") for number, each in enumerate(plan) for up in each.upstream]
    assert all(spans[up][1] <= spans[down][0] for up, down in orders if up in spans and down in spans)
    begins = {begin for begin, _ in spans.values()}
    assert all(sum(begin <= at < end for begin, end in spans.values()) <= slots for at in begins)


@given(plans(), minutes(), integers(0, 3))
def test_the_same_is_the_same_every_time(plan: list[Planned], takes: list[int], blips: int) -> None:
    outcomes = scripts(plan, takes, blips)
    one, other = laid_out(plan).test(DAY, outcomes=outcomes), laid_out(plan).test(DAY, outcomes=outcomes)
    assert one.events == other.events
