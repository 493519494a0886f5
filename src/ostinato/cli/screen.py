"""Live pictures for terminals: a run's tasks, a backfill's progress."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ostinato.home import Home
from ostinato.model.record import Instance, LoggedEvent
from ostinato.model.state import FINAL_RUN, FINAL_TASK, TaskState
from ostinato.model.time import Instant
from ostinato.view.when import duration

from .terminal import STATE_STYLES, coloured
from .watch import Lines, Watched, remark

_PATIENCE_MS: Final = 250
_REDRAW_MS: Final = 80
_LINES: Final = 14
_MARKS: Final = {
    "none": "·",
    "queued": "·",
    "running": "●",
    "deferred": "◷",
    "up_for_retry": "↻",
    "success": "✓",
    "failed": "✗",
    "skipped": "-",
    "upstream_failed": "-",
    "cancelled": "-",
}


def console() -> Console:
    """The terminal for messages, coloured by the same rule as everything else."""
    wanted = coloured(sys.stderr)
    return Console(file=sys.stderr, no_color=not wanted, highlight=False)


class RunScreen:
    """A run's tasks as they move; gone from the screen when it is over, when the lines say what there was.

    What is over in the blink of an eye is not drawn at all.
    """

    def __init__(self, home: Home) -> None:
        self._live: Live | None = None
        self._first: Instant | None = None
        self._drawn: Instant = 0
        self._lines = Lines(home)
        self._told: list[LoggedEvent] = []
        self._remarks: dict[Instance, str] = {}

    def show(self, watched: Watched, events: Sequence[LoggedEvent], now: Instant) -> None:
        """Draw the run as it is now."""
        self._told += events
        for event in events:
            if event.task_no is not None:
                self._remarks[event.task_no, event.map_index] = remark(event)
        self._first = self._first or now
        if watched.run.state in FINAL_RUN:
            self.close()
            self._lines.show(watched, self._told, now)
        elif now - self._first >= _PATIENCE_MS and now - self._drawn >= _REDRAW_MS:
            self._drawn = now
            self._draw(watched, now)

    def _draw(self, watched: Watched, now: Instant) -> None:
        if self._live is None:
            self._live = Live(console=console(), auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._picture(watched, now), refresh=True)

    def _picture(self, watched: Watched, now: Instant) -> Group:
        run, total = watched.run, len(watched.states)
        done = sum(state in FINAL_TASK for state in watched.states.values())
        head = Text.assemble(
            (f"run {run.run_id} ", "bold"), f"{watched.name}  ", (run.state, STATE_STYLES.get(run.state, ""))
        )
        head.append(f"  {done:,} of {total:,} tasks  {duration(now - (run.started_at or now))}", "dim")
        table = Table.grid(padding=(0, 2))
        for instance in _worth_seeing(watched.states):
            state = watched.states[instance]
            style = STATE_STYLES.get(state, "dim")
            since = watched.since.get(instance)
            took = "" if since is None or state in FINAL_TASK else duration(now - since)
            table.add_row(
                Text(_MARKS[state], style),
                watched.name_of(instance),
                Text("" if state == TaskState.NONE else state.value, style),
                Text(took, "dim"),
                Text(self._remarks.get(instance, ""), "dim", no_wrap=True, overflow="ellipsis"),
            )
        parts: list[Text | Table | ProgressBar] = [head]
        if watched.many:
            counts = Counter(watched.states.values())
            parts.append(ProgressBar(total=total, completed=done, width=60))
            parts.append(Text(", ".join(f"{n:,} {state.value}" for state, n in counts.most_common()), "dim"))
        return Group(*parts, table)

    def close(self) -> None:
        """Take the picture off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _worth_seeing(states: Mapping[Instance, TaskState]) -> list[Instance]:
    """The tasks to draw: all if they fit, else those in motion or in trouble."""
    if len(states) <= _LINES:
        return sorted(states)
    dull = (TaskState.NONE, TaskState.SUCCESS, TaskState.SKIPPED, TaskState.QUEUED)
    return [instance for instance, state in sorted(states.items()) if state not in dull][:_LINES]
