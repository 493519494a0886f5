"""What is said of an attempt whose process ended before it could report."""

import pytest

from ostinato.agent.crew import Stopping
from ostinato.agent.ending import Exit, ending


@pytest.mark.parametrize(
    ("code", "how", "words"),
    [
        (-9, "killed", "SIGKILL (nobody here sent it; most often the kernel does, when memory runs out)"),
        (-11, "killed", "SIGSEGV (native code touched memory that is not its own)"),
        (-15, "killed", "ended by SIGTERM"),
        (-64, "killed", "ended by SIGRTMAX"),
        (-50, "killed", "ended by signal 50"),
        (3, "exited", "ended with exit code 3 before it could return"),
        (0, "exited", "ended with exit code 0 before it could return"),
        (None, "lost", "it with it"),
    ],
)
def test_an_unexpected_end_is_a_failure_with_its_facts(code: int | None, how: str, words: str) -> None:
    verdict, failure = ending(Exit(code, 0), "", None)
    assert verdict == "failed"
    assert failure is not None
    assert (failure.how, failure.exit_code) == (how, code)
    assert failure.message.endswith(words)


def test_a_time_limit_is_named() -> None:
    verdict, failure = ending(Exit(-9, 0), "timed_out", 90.0)
    assert verdict == "failed"
    assert failure is not None
    assert (failure.how, failure.exit_code) == ("timed_out", -9)
    assert failure.message.endswith("time limit of 90 s")


@pytest.mark.parametrize("stopping", ["cancelled", "interrupted"])
@pytest.mark.parametrize("code", [-15, -9, 0, 143])
def test_what_was_stopped_on_purpose_did_not_fail(stopping: Stopping, code: int) -> None:
    assert ending(Exit(code, 0), stopping, 1.0) == (stopping, None)
