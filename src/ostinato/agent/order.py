"""What the ledger wants done. The loop does it, in order, at once."""

from msgspec import Struct

from ostinato.model.message import Assignment


class Hand(Struct, frozen=True):
    """Note these attempts in the journal, then give them to an executor."""

    executor: int
    assignments: tuple[Assignment, ...]


class TakeBack(Struct, frozen=True):
    """Ask for what an executor has not begun; answer with `Ledger.taken_back`, also if it is nothing."""

    executor: int


class Kill(Struct, frozen=True):
    """Send a signal to an executor and its processes."""

    executor: int
    signal: int


class Make(Struct, frozen=True):
    """Make an executor; answer with `Ledger.joined` or `Ledger.not_made`."""

    executor: int


Order = Hand | TakeBack | Kill | Make
