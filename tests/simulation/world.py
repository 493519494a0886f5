"""What truly happens, whatever anybody writes about it: which attempts were performed, when, by whom, with what end."""

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
        self.performed: dict[int, Performance] = {}
        self.journals: dict[str, set[int]] = {}
        self.journals_on_disk: list[str] = []
        self.dead: set[str] = set()
        self.journal_lost: set[str] = set()
        self.files: dict[str, Instant] = {}
        self.deliveries: list[int] = []
        self._going: dict[tuple[int, int, int], int] = {}

    def begins(self, attempt: int, call: Call, act: Act, now: Instant) -> Performance:
        """An executor begins an attempt. No attempt begins twice, and no two of one task instance go on at once."""
        key = (call.run_id, call.task_no, call.map_index)
        demand(attempt not in self.performed, f"attempt {attempt} is performed twice", call.run_id)
        other = self._going.get(key)
        demand(other is None, f"attempts {other} and {attempt} of one task instance run at once", call.run_id)
        self._going[key] = attempt
        self.performed[attempt] = performance = Performance(attempt, call, act, now)
        return performance

    def ends(self, performance: Performance, now: Instant, report: Finished | None = None, killed: str = "") -> None:
        """It ended: by itself with a report, or killed, and then by what."""
        performance.ended = now
        performance.report = report
        performance.killed = killed
        call = performance.call
        del self._going[call.run_id, call.task_no, call.map_index]

    def file_is_there(self, path: str, now: Instant) -> bool:
        """Whether a file has appeared by now."""
        return path in self.files and self.files[path] <= now
