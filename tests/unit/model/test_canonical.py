"""What definitions are kept as: small where many tasks come after the same ones, and always the same for the same."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from ostinato.model.canonical import canonical, packed, unpacked
from ostinato.model.spec import DagSpec, TaskSpec


@st.composite
def layered(draw: st.DrawFn) -> DagSpec:
    """A dag whose tasks come after any of a few sets of earlier ones, some of them long."""
    tasks: list[TaskSpec] = []
    for no in range(draw(st.integers(1, 40))):
        first, count = draw(st.integers(0, no)), draw(st.sampled_from((0, 1, 8, 9, 20)))
        tasks.append(TaskSpec(f"t{no}", upstream=tuple(range(first, min(no, first + count)))))
    return DagSpec("d", tuple(tasks))


@given(layered())
def test_what_is_packed_is_there_again_when_it_is_unpacked(spec: DagSpec) -> None:
    kept = msgpack.decode(canonical(spec), type=DagSpec)
    assert unpacked(kept) == spec
    assert packed(kept) == kept
    assert unpacked(spec) == spec


@given(layered())
def test_the_same_definition_has_the_same_bytes_whether_or_not_its_tasks_share_what_they_come_after(
    spec: DagSpec,
) -> None:
    apart = msgpack.decode(msgpack.encode(spec), type=DagSpec)
    assert canonical(apart) == canonical(spec)


def test_fully_connected_layers_take_room_for_their_tasks_and_not_for_their_edges() -> None:
    layers = [tuple(range(100 * no, 100 * no + 100)) for no in range(10)]
    tasks = tuple(TaskSpec(f"t{no}", upstream=layers[no // 100 - 1] if no >= 100 else ()) for no in range(1_000))
    assert len(canonical(DagSpec("d", tasks))) < 50_000


def test_a_few_upstreams_are_said_by_each_task() -> None:
    tasks = (TaskSpec("a"), TaskSpec("b"), TaskSpec("c", upstream=(0, 1)), TaskSpec("d", upstream=(0, 1)))
    assert packed(DagSpec("d", tasks)).tasks == tasks
