"""Lines of waiting attempts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ostinato.agent.waiting import SINGLE, Held, Waiting
from tests.unit.agent.ledger_world import assignment

ENTRIES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-2, 2), st.sampled_from(["reuse", "process"])), max_size=30
)


def lined_up(entries: list[tuple[str, int, str]]) -> tuple[Waiting, list[Held]]:
    waiting = Waiting()
    everybody = [
        Held(assignment(n, source, isolation, priority), n, 0)  # type: ignore[arg-type]
        for n, (source, priority, isolation) in enumerate(entries)
    ]
    for held in everybody:
        waiting.put(held)
    return waiting, everybody


@settings(deadline=None)
@given(ENTRIES)
def test_each_line_goes_by_priority_and_then_by_arrival(entries: list[tuple[str, int, str]]) -> None:
    waiting, everybody = lined_up(entries)
    for line in {held.line for held in everybody}:
        wanted = sorted((held for held in everybody if held.line == line), key=lambda held: held.rank)
        assert waiting.length(line) == len(wanted)
        assert waiting.head(line) is wanted[0]
        assert [waiting.pop(line) for _ in wanted] == wanted
        assert waiting.head(line) is None
    assert len(waiting) == 0
    assert waiting.heads() == []


@settings(deadline=None)
@given(ENTRIES)
def test_who_is_first_of_all_is_first_by_rank(entries: list[tuple[str, int, str]]) -> None:
    waiting, everybody = lined_up(entries)
    assert waiting.first() is min(everybody, key=lambda held: held.rank, default=None)
    assert waiting.clear() == sorted(everybody, key=lambda held: held.rank)
    assert waiting.first() is None


@settings(deadline=None)
@given(ENTRIES, st.data())
def test_who_leaves_is_missed_by_nobody_else(entries: list[tuple[str, int, str]], data: st.DataObject) -> None:
    waiting, everybody = lined_up(entries)
    leaving = data.draw(st.lists(st.sampled_from(everybody), unique_by=id)) if everybody else []
    for held in leaving:
        waiting.remove(held)
    stay = sorted((held for held in everybody if held not in leaving), key=lambda held: held.rank)
    assert len(waiting) == len(stay)
    assert waiting.clear() == stay


def test_attempts_with_a_process_of_their_own_wait_in_one_line_whatever_their_source() -> None:
    waiting, _ = lined_up([("a", 0, "process"), ("b", 0, "process"), ("a", 0, "reuse")])
    assert waiting.length(SINGLE) == 2
    assert waiting.length("a") == 1
