"""What a running task may know of the run it is part of. Never the clock: a run is *for* its data interval."""

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from ostinato.model.errors import NotInATask
from ostinato.model.message import DeadLetters


class Interval(NamedTuple):
    """The half-open slice of time ``[start, end)`` that a run is for, in the schedule's time zone."""

    start: datetime
    end: datetime


class Context(Struct, frozen=True, kw_only=True):
    """One attempt, as its task sees it. A first parameter annotated ``Context`` is given it.

    ``number`` counts the tries from 1; ``map_index`` the instances of a mapped task or block from 0, and is -1 outside
    of one. ``attempt`` is never used again, and larger for each later attempt of whatever task: give it to a table as the
    fence that keeps late writers out. ``logical_date`` is the date of the data interval's start in the schedule's time
    zone: use it, not today's date, to name partitions. Tests make one with what they need::

        ctx = Context(logical_date=date(2024, 1, 31))
        assert load.function(ctx, "in.csv") == {"rows": 3}
    """

    dag_id: str = "dag"
    task_id: str = "task"
    run_id: int = 1
    attempt: int = 1
    number: int = 1
    map_index: int = -1
    version: str = ""
    logical_date: date = date(2000, 1, 1)
    interval: Interval = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    rejected: list[DeadLetters] = field(default_factory=list[DeadLetters])

    def dead_letters(self, *, asset: str, partition: str, path: str, count: int, reasons: Mapping[str, int]) -> None:
        """Record that ``count`` rows were rejected and wait in the file ``path``; it counts if the attempt succeeds.

        ``asset`` and ``partition`` name where they would have gone, ``reasons`` how many there are of each kind (a row
        may have several). Raises ValueError for a negative count.
        """
        if count < 0 or any(number < 0 for number in reasons.values()):
            raise ValueError(f"dead letters cannot be counted below zero: {count}, {dict(reasons)}")
        if count:
            letters = DeadLetters(
                str(asset), str(partition), str(path), int(count), {str(k): int(v) for k, v in reasons.items()}
            )
            self.rejected.append(letters)


running: Final = ContextVar[Context | None]("running", default=None)
"""The context of the attempt that this process performs now."""


def context() -> Context:
    """The context of the running attempt, from anywhere in the code that it calls. Raises NotInATask outside of one."""
    current = running.get()
    if current is None:
        raise NotInATask("no task is running here")
    return current
