"""Alerts to whoever watches the terminal: one line each, and one for what to do next."""

import sys
from typing import TextIO

from ostinato.model.errors import AlertUndeliverable
from ostinato.model.record import Outgoing


class Console:
    """Writes to ``stream``, or to standard error as it is when an alert comes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def deliver(self, alert: Outgoing) -> None:
        """Write the alert. Raises AlertUndeliverable if the stream is closed or broken."""
        try:
            print(_text(alert), file=self._stream or sys.stderr, flush=True)
        except (OSError, ValueError) as error:
            raise AlertUndeliverable(f"the console does not take it: {error}", retryable=True) from error


def _text(alert: Outgoing) -> str:
    head = f"ALERT {alert.severity}" if alert.action == "trigger" else "RESOLVED"
    advice = alert.details.get("next")
    lines = [f"{head}: {alert.summary}"] + ([f"  next: {advice}"] if advice else [])
    return "\n".join(map(_harmless, lines))


def _harmless(line: str) -> str:
    """Without what could move the cursor or colour the terminal: the summary quotes errors, which quote data."""
    return "".join(character if character.isprintable() else "�" for character in line)
