"""Gates say what the trigger rules say, however the upstreams end and in whatever order."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis.strategies import booleans, composite, data, integers, lists, permutations, sampled_from

from ostinato.decide.shape import Count, Gate, Shape, verdict
from ostinato.model.spec import TaskSpec, TriggerRule
from ostinato.model.state import FINAL_TASK, TaskState
from tests.unit.decide.boards import shape_of

ENDS = sorted(FINAL_TASK)
RULES: tuple[TriggerRule, ...] = ("all_success", "all_done")


@composite
def graphs(draw) -> Shape:
    tasks: list[TaskSpec] = []
    for no in range(draw(integers(1, 10))):
        upstream = [above for above in range(no) if draw(booleans())]
        tasks.append(TaskSpec(f"t{no}", upstream=tuple(upstream), trigger_rule=draw(sampled_from(RULES))))
    return shape_of(*tasks)


def by_definition(rule: TriggerRule, ended: Sequence[TaskState], size: int) -> TaskState | None:
    """What the rule says of a task, of whose ``size`` upstreams these have ended."""
    good_enough = {TaskState.SUCCESS, TaskState.SKIPPED}
    if rule == "all_success" and not set(ended) <= good_enough:
        return TaskState.UPSTREAM_FAILED
    if len(ended) < size:
        return None
    return TaskState.SKIPPED if rule == "all_success" and TaskState.SKIPPED in ended else TaskState.QUEUED


@given(sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_a_gate_says_what_its_rule_says_at_every_moment(rule: TriggerRule, ends: list[TaskState]) -> None:
    count = Count()
    for number, state in enumerate(ends, start=1):
        count.add(state)
        assert verdict(Gate(len(ends), rule, (9,)), count) is by_definition(rule, ends[:number], len(ends))


@given(sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_what_a_gate_has_said_it_never_takes_back(rule: TriggerRule, ends: list[TaskState]) -> None:
    count, said = Count(), []
    for state in ends:
        count.add(state)
        said.append(verdict(Gate(len(ends), rule, (9,)), count))
    assert all(before in {None, after} for before, after in pairwise(said))
    assert said[-1] is not None


@given(data(), sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_the_order_in_which_upstreams_end_does_not_matter(data, rule: TriggerRule, ends: list[TaskState]) -> None:
    other = data.draw(permutations(ends))
    counts = Count(), Count()
    for one, another in zip(ends, other, strict=True):
        counts[0].add(one)
        counts[1].add(another)
    gate = Gate(len(ends), rule, (9,))
    assert verdict(gate, counts[0]) is verdict(gate, counts[1])


@given(graphs())
def test_gates_hold_exactly_the_edges_of_the_dag(shape: Shape) -> None:
    for no, task in enumerate(shape.tasks):
        gate = shape.gate_of[no]
        assert (gate is None) == (not task.upstream) == (no in shape.roots)
        if gate is not None:
            assert no in shape.gates[gate].members
            assert shape.gates[gate].size == len(task.upstream)
            assert shape.gates[gate].rule == task.trigger_rule
            assert {above for above, feeds in enumerate(shape.feeds) if gate in feeds} == set(task.upstream)
    assert sum(len(gate.members) for gate in shape.gates) + len(shape.roots) == len(shape.tasks)


def test_a_thousand_by_a_thousand_edges_are_one_gate() -> None:
    above = [TaskSpec(f"a{no}") for no in range(1_000)]
    below = [TaskSpec(f"b{no}", upstream=tuple(range(1_000))) for no in range(1_000)]
    shape = shape_of(*above, *below)
    assert len(shape.gates) == 1
    assert sum(map(len, shape.feeds)) == 1_000
