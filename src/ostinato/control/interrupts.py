"""Signals to stop this process strike while it waits, and not between a decision and its commit."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """What each signal to stop does, it goes on doing; but while they are `held` it waits, and then does it.

    Blocking signals does not suffice: the kernel gives one to any thread that does not block it, and Python then acts
    on it in the main thread, wherever that is. So it is what Python does that waits. Signals are the main thread's
    alone: made in another, this holds nothing, for nothing strikes there. `close` gives the signals back.
    """

    def __init__(self) -> None:
        self._holding = False
        self._came: signal.Signals | None = None
        here = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._strike) for number in STOPPING} if here else {}

    @contextmanager
    def held(self) -> Generator[None]:
        """Nothing strikes in the block. What came meanwhile strikes as it is left."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            came, self._came = self._came, None
            if came is not None:
                self._strike(came, None)

    def close(self) -> None:
        """From now on signals do at once what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _strike(self, number: int, frame: FrameType | None) -> None:
        number = signal.Signals(number)
        if self._holding:
            self._came = number
            return
        handler = self._before[number]
        if callable(handler):
            handler(number, frame)
        elif handler != signal.SIG_IGN:  # the process ends by it
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
