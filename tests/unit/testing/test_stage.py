"""The agent of a rehearsal does what the board tells it, stopping included."""

from ostinato.model.change import NewRun
from ostinato.model.record import run_key
from ostinato.testing import takes
from ostinato.testing.ledger import Ledger
from ostinato.testing.outcomes import Outcomes
from ostinato.testing.part import part
from ostinato.testing.performer import Performer
from ostinato.testing.rehearsal import Rehearsal
from ostinato.testing.stage import Stage
from tests.unit.testing.plays import hourly

HOUR = 3_600_000
NOON = 12 * HOUR


def test_what_is_to_stop_stops_at_once() -> None:
    own = part(hourly)
    stage = Stage([own], {"count": takes("5h")}, NOON)
    stage.ask(NewRun("hourly", own.compiled.version, run_key(0), "manual", 0, HOUR, b"\x80", NOON))
    stage.play(NOON + HOUR)
    stage.board.cancel(1, "somebody", NOON + 2 * HOUR)
    stage.now = NOON + 2 * HOUR
    stage.play()
    result = Rehearsal(stage.ledger, 1, {own.compiled.version: own.spec})
    assert (result.run.state, result.run.finished_at) == ("cancelled", NOON + 2 * HOUR)
    assert result.attempts["count"][0].state == "cancelled"


def test_what_is_not_going_on_is_not_stopped() -> None:
    performer = Performer({}, Outcomes({}, []), Ledger())
    performer.stop(7, NOON)
    assert performer.next_due() is None
