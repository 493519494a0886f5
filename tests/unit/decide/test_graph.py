"""A graph holds exactly the edges of its dag, in as few gates as there are kinds of waiting."""

from hypothesis import given
from hypothesis.strategies import booleans, composite, integers, sampled_from

from ostinato.decide.graph import Graph
from ostinato.model.spec import TaskSpec, TriggerRule
from tests.unit.decide.boards import shape_of

RULES: tuple[TriggerRule, ...] = ("all_success", "all_done")


@composite
def graphs(draw) -> tuple[list[TaskSpec], Graph]:
    tasks: list[TaskSpec] = []
    for no in range(draw(integers(1, 10))):
        upstream = [above for above in range(no) if draw(booleans())]
        tasks.append(TaskSpec(f"t{no}", upstream=tuple(upstream), trigger_rule=draw(sampled_from(RULES))))
    return tasks, shape_of(*tasks).graph


@given(graphs())
def test_gates_hold_exactly_the_edges_of_the_dag(dag: tuple[list[TaskSpec], Graph]) -> None:
    tasks, graph = dag
    for no, task in enumerate(tasks):
        gate = graph.gate_of[no]
        assert (gate is None) == (not task.upstream) == (no in graph.roots)
        if gate is not None:
            assert no in graph.gates[gate].members
            assert graph.gates[gate].size == len(task.upstream)
            assert graph.gates[gate].rule == task.trigger_rule
            assert {above for above, feeds in enumerate(graph.feeds) if gate in feeds} == set(task.upstream)
    assert sum(len(gate.members) for gate in graph.gates) + len(graph.roots) == len(tasks)


def test_a_thousand_by_a_thousand_edges_are_one_gate() -> None:
    above = [TaskSpec(f"a{no}") for no in range(1_000)]
    below = [TaskSpec(f"b{no}", upstream=tuple(range(1_000))) for no in range(1_000)]
    graph = shape_of(*above, *below).graph
    assert len(graph.gates) == 1
    assert sum(map(len, graph.feeds)) == 1_000
