"""A backfill's progress: a bar on a terminal, a line from time to time elsewhere."""

import sys
from typing import TYPE_CHECKING, Final

from ostinato.model.time import Instant
from ostinato.view.documents.backfills import BackfillDocument
from ostinato.view.when import duration, elapsed_ms

from .backfill_progress import BackfillView, is_over, over
from .terminal import say

if TYPE_CHECKING:
    from rich.live import Live

_SAY_EVERY_MS: Final = 2_000
_RATE_AFTER_MS: Final = 300


class Pace:
    """How fast a backfill goes while it is watched: what was done before, or in a pause, does not count."""

    def __init__(self) -> None:
        self._begun: tuple[Instant, int] | None = None

    def told(self, document: BackfillDocument, now: Instant) -> str:
        """The rate and the time left, or how long it took; empty as long as nothing is known."""
        done, total = over(document.runs), sum(document.runs.values())
        if done == total and document.started_at is not None and document.finished_at is not None:
            return f"in {duration(elapsed_ms(document.started_at, document.finished_at))}"
        self._begun = self._begun or (now, done)
        since, before = self._begun
        if done == before or now - since < _RATE_AFTER_MS:
            return ""
        rate = (done - before) / (now - since)
        return f"{rate * 1_000:,.1f} runs/s, {duration((total - done) / rate)} left"


class BackfillLines:
    """A line every few seconds, and one at the end."""

    def __init__(self) -> None:
        self._said_at: Instant | None = None
        self._pace = Pace()

    def show(self, document: BackfillDocument, now: Instant) -> None:
        """Say how far it is, if that was not said just now."""
        pace = self._pace.told(document, now)
        if not is_over(document.runs) and self._said_at is not None and now - self._said_at < _SAY_EVERY_MS:
            return
        self._said_at = now
        say(f"backfill {document.backfill_id}: {numbers(document, pace)}")

    def close(self) -> None:
        """Nothing is left open."""


class BackfillBar:
    """A bar with its numbers, redrawn in place; it stays when the backfill is over."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._pace = Pace()

    def show(self, document: BackfillDocument, now: Instant) -> None:
        """Draw the bar as it is now."""
        from rich.console import Group  # noqa: PLC0415 - loads the drawing library, which lines do without
        from rich.live import Live  # noqa: PLC0415
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        from .screen import console  # noqa: PLC0415

        if self._live is None:
            self._live = Live(console=console(), auto_refresh=False)
            self._live.start()
        bar = ProgressBar(total=sum(document.runs.values()) or 1, completed=over(document.runs), width=60)
        text = Text(numbers(document, self._pace.told(document, now)), overflow="fold")
        self._live.update(Group(bar, text), refresh=True)

    def close(self) -> None:
        """Leave the bar where it is and go on below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def view_for_people() -> BackfillView:
    """A bar on a terminal, lines elsewhere."""
    return BackfillBar() if sys.stderr.isatty() else BackfillLines()


def numbers(document: BackfillDocument, pace: str = "") -> str:
    """Runs, tasks, rows, rejected rows, and how fast it goes, in one line."""
    done, total = over(document.runs), sum(document.runs.values())
    parts = [f"{done:,}/{total:,} runs"]
    if document.state in {"paused", "cancelled"}:
        parts.insert(0, document.state)
    if failed := document.runs.get("failed", 0):
        parts.append(f"{failed:,} failed")
    parts.append(f"{sum(document.tasks.values()):,} tasks")
    if document.rows:
        parts.append(f"{document.rows:,} rows")
    parts.append(f"{document.rejected:,} rejected")
    return ", ".join([*parts, pace] if pace else parts)
