"""What truly happens, whatever anybody writes about it: which attempts were performed, when, by whom, with what end."""

from collections import defaultdict
from collections.abc import Callable

from msgspec import Struct

from ostinato.model.message import Call, Finished
from ostinato.model.time import Instant

from .script import Act
from .trace import demand


class Performance(Struct):
    """One attempt on an executor. ``ended`` is None while it goes on; ``report`` what its process said at its end.

    ``killed`` says by what it was, ``asked_to_stop`` that its agent wanted it to end.
    """

    attempt: int
    agent: str
    call: Call
    act: Act
    begun: Instant
    ended: Instant | None = None
    report: Finished | None = None
    killed: str = ""
    asked_to_stop: bool = False


class World:
    """The ground truth that decisions are held against."""

    def __init__(self) -> None:
        self.counts: Callable[[int], bool] = lambda _attempt: True
        self.performed: dict[int, Performance] = {}
        self.journals: dict[str, set[int]] = {}
        self.machine_of: dict[str, str] = {}
        self.dead: set[str] = set()
        self.journal_lost: set[str] = set()
        self.files: dict[str, Instant] = {}
        self.deliveries: list[int] = []
        self.going: defaultdict[tuple[int, int, int], set[int]] = defaultdict(set)

    def begins(self, attempt: int, agent: str, call: Call, act: Act, now: Instant) -> Performance:
        """An executor begins an attempt. No attempt begins twice, and no two of one task instance that count go on at once.

        Where another machine leads meanwhile, one that does not count any more may go on for a while: see `Warden`.
        """
        going = self.going[call.run_id, call.task_no, call.map_index]
        demand(attempt not in self.performed, f"attempt {attempt} is performed twice", call.run_id)
        going.add(attempt)
        counting = [each for each in sorted(going) if self.counts(each)]
        demand(len(counting) <= 1, f"attempts {counting} of one task instance run at once", call.run_id)
        self.performed[attempt] = performance = Performance(attempt, agent, call, act, now)
        return performance

    def ends(self, performance: Performance, now: Instant, report: Finished | None = None, killed: str = "") -> None:
        """It ended: by itself with a report, or killed, and then by what."""
        performance.ended = now
        performance.report = report
        performance.killed = killed
        call = performance.call
        self.going[call.run_id, call.task_no, call.map_index].remove(performance.attempt)

    def rests(self) -> bool:
        """Whether no attempt is being performed anywhere."""
        return not any(self.going.values())

    def file_is_there(self, path: str, now: Instant) -> bool:
        """Whether a file has appeared by now."""
        return path in self.files and self.files[path] <= now
