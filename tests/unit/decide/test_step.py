"""The scribe writes by the tables or not at all, and every move of a run or a task is one event."""

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from

from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.decide.step import Calling, Needing, Probe, Scribe, Step, Unfolding
from ostinato.decide.transition import next_attempt, next_run, next_task
from ostinato.model.cause import Cause
from ostinato.model.errors import InvariantBroken
from ostinato.model.message import Finished, LogRange
from ostinato.model.spec import TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from tests.unit.decide.boards import NOW, run_of, shape_of


def live_run() -> LiveRun:
    live = LiveRun(run_of(7), shape_of(TaskSpec("extract")), 5)
    live.begin()
    return live


@given(sampled_from(TaskState), sampled_from(Cause))
def test_a_task_moves_as_the_table_says_or_not_at_all(was: TaskState, cause: Cause) -> None:
    live, scribe = live_run(), Scribe()
    live.states[0] = was
    becomes = next_task(was, cause)
    if becomes is None:
        with pytest.raises(InvariantBroken, match="cannot move"):
            scribe.move_task(live, 0, cause, NOW)
        assert (scribe.step, live.states[0], live.next_seq) == (Step(), was, 5)
        return
    assert scribe.move_task(live, 0, cause, NOW) is becomes
    (move,), (event,) = scribe.step.commit.tasks, scribe.step.commit.events
    assert (move.was, move.becomes) == (event.was, event.becomes) == (was, becomes)
    assert (event.seq, live.next_seq) == (5, 6)


@given(sampled_from(RunState), sampled_from(Cause))
def test_a_run_moves_as_the_table_says_or_not_at_all(was: RunState, cause: Cause) -> None:
    live, scribe = live_run(), Scribe()
    live.run = live.run.__class__(
        **{name: getattr(live.run, name) for name in live.run.__struct_fields__} | {"state": was}
    )
    becomes = next_run(was, cause)
    if becomes is None:
        with pytest.raises(InvariantBroken, match="run 7 of sales"):
            scribe.move_run(live, cause, NOW)
        return
    scribe.move_run(live, cause, NOW)
    assert live.run.state is becomes
    assert [move.becomes for move in scribe.step.commit.runs] == [becomes]


@given(sampled_from(AttemptState), sampled_from(Cause))
def test_an_attempt_moves_as_the_table_says_or_not_at_all(was: AttemptState, cause: Cause) -> None:
    attempt, scribe = LiveAttempt(3, live_run(), 0, 1, "a1"), Scribe()
    attempt.state = was
    becomes = next_attempt(was, cause)
    if becomes is None:
        with pytest.raises(InvariantBroken, match="cannot move"):
            scribe.move_attempt(attempt, cause, None)
        return
    scribe.move_attempt(attempt, cause, None)
    assert attempt.state is becomes
    assert [move.becomes for move in scribe.step.commit.attempts] == [becomes]


def test_what_an_agent_reported_is_kept_with_the_attempt() -> None:
    scribe, log = Scribe(), LogRange("s", 3, 4)
    report = Finished(3, "success", NOW, NOW + 5, log=log, peak_kib=77, cpu_ms=2)
    scribe.move_attempt(LiveAttempt(3, live_run(), 0, 1, "a1"), Cause.REPORTED_SUCCESS, report)
    (move,) = scribe.step.commit.attempts
    assert (move.started_at, move.finished_at, move.log, move.peak_kib, move.cpu_ms) == (NOW, NOW + 5, log, 77, 2)


def test_a_step_that_is_taken_is_not_given_again() -> None:
    scribe = Scribe()
    scribe.move_task(live_run(), 0, Cause.READY, NOW)
    assert scribe.take().commit
    assert scribe.take() == Step()


@pytest.mark.parametrize("what", ["acknowledge", "cancel"])
def test_a_step_with_anything_to_say_speaks(what: str) -> None:
    assert Step(**{what: {"a1": [1]}}).speaks
    assert not Step().speaks


def test_a_step_with_a_question_asks() -> None:
    run = run_of(1)
    assert Step(probes=[Probe(run, 0, 0)]).asks
    assert Step(needs={(1, 0): Needing(run, 0, TaskSpec("t"))}).asks
    assert Step(unfolds=[Unfolding(run, 0, 0)]).asks
    assert Step(calls=[Calling(run, 0, (0, -1))]).asks
    assert not Step(cancel={"a1": [1]}).asks
