"""Codes are for ever: what was written with them is read with them."""

from enum import StrEnum

import pytest

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.store.codes import CAUSES, ERROR_CLASSES, KINDS, STATES


@pytest.mark.parametrize(
    ("kinds", "codes"),
    [([RunState, TaskState, AttemptState], STATES), ([Cause], CAUSES), ([ErrorClass], ERROR_CLASSES)],
)
def test_every_name_has_a_code_of_its_own(kinds: list[type[StrEnum]], codes: dict[str, int]) -> None:
    assert {str(member) for kind in kinds for member in kind} == set(codes)
    assert len(set(codes.values())) == len(codes)


def test_codes_are_those_that_were_ever_given() -> None:
    """They may be added to, at the end; to change one here is to lose every database there is."""
    states = "none queued running deferred up_for_retry success failed cancelled skipped upstream_failed lost"
    assert {name: n for n, name in enumerate(states.split())} == STATES
    causes = """scheduled triggered backfilled admitted tasks_succeeded tasks_failed ready awaited condition_met
        condition_timed_out check_due retry_due upstream_failed upstream_skipped started reported_success reported_skip
        reported_not_yet failed_will_retry failed_finally lost_will_retry lost_finally interrupted cancel_requested
        cancelled cancel_confirmed called rerun rule_not_met edge_not_taken branch_not_taken short_circuited expanded
        nothing_to_expand expansion_failed loop_exhausted instances_succeeded instances_failed instances_skipped
        instances_upstream_failed switched_off_as_success switched_off_as_skipped intervals_done child_called child_left
        call_refused child_succeeded child_failed asked approved declined declined_as_failure marked_success
        marked_failed marked_skipped carried_success carried_skipped overlapped"""
    assert {name: n for n, name in enumerate(causes.split(), 1)} == CAUSES
    assert list(ERROR_CLASSES.items()) == [("transient", 1), ("resource", 2), ("logic", 3)]
    assert list(KINDS.items()) == [("scheduled", 1), ("manual", 2), ("backfill", 3), ("called", 4)]
