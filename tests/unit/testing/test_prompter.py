"""The prompter answers what is still asked, and what must never be is nobody's answer."""

from typing import NoReturn

import pytest

from ostinato.control.answers import Answers
from ostinato.decide.board import Board
from ostinato.decide.step import Needing, Probe, Step
from ostinato.model.errors import InvariantBroken
from ostinato.model.limits import Limits
from ostinato.model.spec import TaskSpec
from ostinato.testing.ledger import Ledger
from ostinato.testing.outcomes import Outcomes
from ostinato.testing.prompter import Prompter
from tests.unit.decide.boards import run_of
from tests.unit.testing.test_dependencies import sizing


def test_a_run_that_has_ended_meanwhile_is_answered_nothing() -> None:
    board, run = Board(Limits(), 1, lambda: 0.0), run_of(1)
    prompter = Prompter(board, {}, Outcomes({}, []), Ledger(), {})
    prompter.answer(Step(probes=[Probe(run, 0, 0)], needs={(1, 0): Needing(run, 0, TaskSpec("t"))}), 0)
    assert prompter.next_due() is None
    assert not board.take().commit


def test_what_must_never_be_ends_the_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> NoReturn:
        raise InvariantBroken("it is broken")

    monkeypatch.setattr(Answers, "items", broken)
    with pytest.raises(InvariantBroken):
        sizing.test()
