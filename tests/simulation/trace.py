"""What happened, remembered for the story of a failure, and the word for what must not happen."""

from collections import deque

from .timeline import BEGIN, Timeline


class Violation(AssertionError):
    """Something that must always hold did not. ``run_id`` is the run it concerns, if it is one run's."""

    def __init__(self, law: str, run_id: int | None = None) -> None:
        super().__init__(law)
        self.law = law
        self.run_id = run_id


def demand(holds: object, law: str, run_id: int | None = None) -> None:
    """Raise Violation unless something holds."""
    if not holds:
        raise Violation(law, run_id)


class Trace:
    """The last things that happened outside of runs: faults, people, processes. Runs have their own history."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._last: deque[tuple[int, str, tuple[object, ...]]] = deque(maxlen=400)

    def note(self, what: str, *details: object) -> None:
        """Remember something. It is made into text only if it is ever read."""
        self._last.append((self._timeline.now, what, details))

    def lines(self, count: int) -> list[str]:
        """The last ``count`` notes, oldest first, with the seconds since the beginning."""
        return [
            f"{(at - BEGIN) / 1000:>9.3f} s  {what} {' '.join(map(str, details))}".rstrip()
            for at, what, details in list(self._last)[-count:]
        ]
