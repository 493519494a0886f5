"""The context of an attempt."""

from datetime import date

import pytest

from ostinato import Context, context
from ostinato.model.errors import NotInATask
from ostinato.model.message import DeadLetters


def test_outside_of_a_task_there_is_no_context() -> None:
    with pytest.raises(NotInATask, match="OST-202"):
        context()


def test_a_test_makes_a_context_with_what_it_needs() -> None:
    assert Context(logical_date=date(2024, 1, 31)).logical_date == date(2024, 1, 31)


def test_a_context_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Context().run_id = 2  # type: ignore[misc]


def test_dead_letters_are_recorded() -> None:
    ctx = Context()
    ctx.dead_letters(
        asset="flights", partition="2013-05-01", path="dlq/errors.json", count=2, reasons={"range": 2, "type": 1}
    )
    assert ctx.rejected == [DeadLetters("flights", "2013-05-01", "dlq/errors.json", 2, {"range": 2, "type": 1})]


def test_no_rejected_rows_are_no_dead_letters() -> None:
    ctx = Context()
    ctx.dead_letters(asset="flights", partition="2013-05-01", path="x", count=0, reasons={})
    assert ctx.rejected == []


@pytest.mark.parametrize(("count", "reasons"), [(-1, {}), (1, {"a": -1})])
def test_dead_letters_are_not_counted_below_zero(count: int, reasons: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="below zero"):
        Context().dead_letters(asset="a", partition="p", path="x", count=count, reasons=reasons)
