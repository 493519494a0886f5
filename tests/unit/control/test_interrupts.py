"""A signal to stop strikes between steps and never within one, whichever thread of the process it is given to."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ostinato.control.interrupts import Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """In place of what pytest does about signals."""
    before = signal.getsignal(signal.SIGINT)
    made = Interrupts()
    yield made
    made.close()
    assert signal.getsignal(signal.SIGINT) is before


@contextmanager
def another_thread() -> Iterator[int]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert thread.ident is not None
        yield thread.ident
    finally:
        over.set()
        thread.join()


def strike_another_thread() -> None:
    """Python acts on it here, at the latest a few steps later."""
    with another_thread() as ident:
        signal.pthread_kill(ident, signal.SIGINT)


def test_a_signal_that_another_thread_gets_waits_until_the_step_is_over(interrupts: Interrupts) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it strikes is what is tested
        with interrupts.held():
            strike_another_thread()
            done.append("the whole step")
        done.append("more")
    assert done == ["the whole step"]


def test_between_steps_it_strikes_at_once(interrupts: Interrupts) -> None:
    with interrupts.held():
        pass
    with pytest.raises(KeyboardInterrupt):
        strike_another_thread()


def test_it_strikes_once(interrupts: Interrupts) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.held():  # noqa: PT012 - as above
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    with interrupts.held():
        pass


def test_a_step_that_fails_is_followed_by_the_signal(interrupts: Interrupts) -> None:
    with pytest.raises(KeyboardInterrupt) as caught, interrupts.held():  # noqa: PT012 - as above
        signal.raise_signal(signal.SIGINT)
        raise ValueError("the step")
    assert isinstance(caught.value.__context__, ValueError)


def test_a_signal_that_was_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        made = Interrupts()
        with made.held():
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        made.close()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_made_in_another_thread_it_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    made: list[Interrupts] = []
    thread = threading.Thread(target=lambda: made.append(Interrupts()))
    thread.start()
    thread.join()
    with made[0].held():
        assert signal.getsignal(signal.SIGINT) is before
    made[0].close()
    assert signal.getsignal(signal.SIGINT) is before
