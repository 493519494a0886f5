"""A graph holds exactly the edges of its dag, in as few gates as there are kinds of waiting."""

from hypothesis import given
from hypothesis.strategies import booleans, composite, data, integers, lists, sampled_from

from ostinato.decide.graph import Graph, Node
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


# --- what steers ----------------------------------------------------------------------------------------------------


def test_a_gate_waits_for_branches_right_before_it_and_short_circuits_anywhere_before_it() -> None:
    graph = Graph(
        [
            Node(steers="branch"),
            Node(upstream=(0,)),
            Node(upstream=(1,), steers="short_circuit"),
            Node(upstream=(2,)),
            Node(upstream=(3,)),
        ]
    )
    steering = [0 if gate is None else graph.gates[gate].steering for gate in graph.gate_of]
    assert steering == [0, 1, 0, 1, 1]
    assert [len(gates) for gates in graph.steers] == [1, 0, 2, 0, 0]


def test_what_tears_down_is_not_steered_though_it_waits_for_just_what_others_wait_for() -> None:
    nodes = [Node(steers="short_circuit"), Node(upstream=(0,), spared=True), Node(upstream=(0,)), Node(upstream=(1,))]
    graph = Graph(nodes)
    assert graph.gate_of[1] != graph.gate_of[2]
    assert [graph.gates[graph.gate_of[no] or 0].steering for no in (1, 2, 3)] == [0, 1, 1]
    assert graph.ended_by(0, ()) == [2, 3]


def test_a_branch_ends_what_is_right_after_it_and_is_not_reached_by_way_of_what_it_follows() -> None:
    graph = Graph(
        [Node(steers="branch"), Node(upstream=(0,)), Node(upstream=(0,)), Node(upstream=(0, 1)), Node(upstream=(2,))]
    )
    assert graph.ended_by(0, (1,)) == [2]
    assert graph.ended_by(0, (2,)) == [1, 3]
    assert graph.ended_by(0, (3,)) == [1, 2]
    assert graph.ended_by(0, (1, 2, 3)) == []
    assert graph.ended_by(0, ()) == [1, 2, 3]


def test_who_follows_one_task_of_a_scope_follows_all_of_it() -> None:
    beside = [Node(upstream=(0,), together=7), Node(upstream=(0,), together=7), Node(upstream=(0,), together=8)]
    graph = Graph([Node(steers="branch"), *beside])
    assert graph.ended_by(0, (2,)) == [3]
    assert graph.ended_by(0, (3,)) == [1, 2]


@composite
def steered(draw) -> Graph:
    nodes: list[Node] = [Node(steers=draw(sampled_from(("branch", "short_circuit"))))]
    for no in range(1, draw(integers(2, 9))):
        upstream = tuple(above for above in range(no) if draw(booleans()))
        nodes.append(Node(upstream=upstream, spared=draw(integers(0, 4)) == 0))
    return Graph(nodes)


@given(data(), steered())
def test_the_more_is_followed_the_less_is_ended_and_nothing_that_is_followed(data, graph: Graph) -> None:
    numbers = range(len(graph.gate_of))
    follow = data.draw(lists(sampled_from(numbers), unique=True))
    more = data.draw(lists(sampled_from(numbers), unique=True))
    ended = set(graph.ended_by(0, follow))
    assert ended.isdisjoint(follow)
    assert ended <= set(graph.ended_by(0, ()))
    assert set(graph.ended_by(0, [*follow, *more])) <= ended
