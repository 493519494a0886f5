"""Every trigger rule and every edge condition says what its definition says, at every moment and in every order."""

from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, data, lists, permutations, sampled_from

from ostinato.decide.graph import BAD, TAKEN, Gate
from ostinato.decide.rule import Count, verdict
from ostinato.model.cause import Cause
from ostinato.model.spec import Outcome, TriggerRule
from ostinato.model.state import FINAL_TASK, TaskState

ENDS = sorted(FINAL_TASK)
RULES: tuple[TriggerRule, ...] = get_args(TriggerRule)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
S, K, F = TaskState.SUCCESS, TaskState.SKIPPED, TaskState.FAILED
GO, UF, US, NOT = Cause.READY, Cause.UPSTREAM_FAILED, Cause.UPSTREAM_SKIPPED, Cause.RULE_NOT_MET


def said(rule: TriggerRule, ended: Sequence[TaskState], size: int, setups: int = 0) -> Cause | None:
    """What a gate says when the first of its ``size`` upstreams have ended so; the first ``setups`` are setups."""
    gate, count = Gate(size, rule, (9,), setups=frozenset(range(setups))), Count()
    for number, state in enumerate(ended):
        count.add(gate, number, state)
    return verdict(gate, count)


TABLE: dict[TriggerRule, dict[str, Cause | None]] = {
    # ended so far, of two upstreams: S succeeded, K skipped, F failed
    "all_success": {"S": None, "K": None, "F": UF, "SS": GO, "SK": US, "SF": UF, "KK": US, "KF": UF, "FF": UF},
    "all_failed": {"S": NOT, "K": NOT, "F": None, "SS": NOT, "SK": NOT, "SF": NOT, "KK": NOT, "KF": NOT, "FF": GO},
    "all_done": {"S": None, "K": None, "F": None, "SS": GO, "SK": GO, "SF": GO, "KK": GO, "KF": GO, "FF": GO},
    "all_done_min_one_success": {
        "S": None,
        "K": None,
        "F": None,
        "SS": GO,
        "SK": GO,
        "SF": GO,
        "KK": US,
        "KF": UF,
        "FF": UF,
    },
    "all_skipped": {"S": NOT, "K": None, "F": NOT, "SS": NOT, "SK": NOT, "SF": NOT, "KK": GO, "KF": NOT, "FF": NOT},
    "one_success": {"S": GO, "K": None, "F": None, "SS": GO, "SK": GO, "SF": GO, "KK": US, "KF": UF, "FF": UF},
    "one_failed": {"S": None, "K": None, "F": GO, "SS": NOT, "SK": NOT, "SF": GO, "KK": NOT, "KF": GO, "FF": GO},
    "one_done": {"S": GO, "K": None, "F": GO, "SS": GO, "SK": GO, "SF": GO, "KK": US, "KF": GO, "FF": GO},
    "none_failed": {"S": None, "K": None, "F": UF, "SS": GO, "SK": GO, "SF": UF, "KK": GO, "KF": UF, "FF": UF},
    "none_failed_min_one_success": {
        "S": None,
        "K": None,
        "F": UF,
        "SS": GO,
        "SK": GO,
        "SF": UF,
        "KK": US,
        "KF": UF,
        "FF": UF,
    },
    "none_skipped": {"S": None, "K": US, "F": None, "SS": GO, "SK": US, "SF": GO, "KK": US, "KF": US, "FF": GO},
    "always": {"": GO, "S": GO, "F": GO, "SK": GO, "FF": GO},
    "all_done_setup_success": {"S": None, "F": None, "SS": GO, "SK": GO, "SF": GO, "KK": GO, "FF": GO},
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_the_table_says_of_it(rule: TriggerRule) -> None:
    letters = {"S": S, "K": K, "F": F}
    for ends, expected in TABLE[rule].items():
        for order in (ends, ends[::-1]):
            assert said(rule, [letters[end] for end in order], 2) is expected, (rule, order)


@pytest.mark.parametrize(
    ("setups", "ends", "expected"),
    [
        (1, (S, F), GO),
        (1, (K, S), US),
        (1, (F, TaskState.UPSTREAM_FAILED), UF),
        (2, (K, F), UF),
        (2, (K, S), GO),
        (2, (K, K), US),
    ],
)
def test_a_teardown_runs_if_there_is_something_to_tear_down(
    setups: int, ends: tuple[TaskState, ...], expected: Cause
) -> None:
    assert said("all_done_setup_success", ends, len(ends), setups) is expected


@given(sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_what_a_gate_has_said_it_never_takes_back(rule: TriggerRule, ends: list[TaskState]) -> None:
    words = [said(rule, ends[:number], len(ends)) for number in range(len(ends) + 1)]
    assert all(before in {None, after} for before, after in pairwise(words))
    assert words[-1] is not None


@given(data(), sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_the_order_in_which_upstreams_end_does_not_matter(
    data: DataObject, rule: TriggerRule, ends: list[TaskState]
) -> None:
    other = data.draw(permutations(ends))
    assert said(rule, ends, len(ends)) is said(rule, other, len(ends))


@given(sampled_from(RULES), lists(sampled_from(ENDS), min_size=1, max_size=6))
def test_what_could_not_start_or_was_cancelled_counts_as_failed(rule: TriggerRule, ends: list[TaskState]) -> None:
    as_failed = [F if end in BAD else end for end in ends]
    assert said(rule, ends, len(ends)) is said(rule, as_failed, len(ends))


@given(data(), lists(sampled_from(ENDS), min_size=1, max_size=5))
def test_with_conditions_every_edge_must_take_what_its_upstream_came_to(
    data: DataObject, ends: list[TaskState]
) -> None:
    takes = {no: TAKEN[data.draw(sampled_from(OUTCOMES))] for no in range(len(ends))}
    gate, count, words = Gate(len(ends), "all_success", (9,), takes=takes), Count(), []
    for no, state in enumerate(ends):
        count.add(gate, no, state)
        words.append(verdict(gate, count))
    fits = [state in takes[no] for no, state in enumerate(ends)]
    assert words[-1] is (Cause.READY if all(fits) else Cause.EDGE_NOT_TAKEN)
    assert all((word is Cause.EDGE_NOT_TAKEN) == (not all(fits[: no + 1])) for no, word in enumerate(words))


@pytest.mark.parametrize("rule", RULES)
def test_a_gate_waits_for_what_steers_it_whatever_its_rule(rule: TriggerRule) -> None:
    gate, count = Gate(1, rule, (9,), steering=1), Count()
    count.add(gate, 0, TaskState.FAILED)
    assert verdict(gate, count) is None
    count.steered += 1
    assert verdict(gate, count) is not None
