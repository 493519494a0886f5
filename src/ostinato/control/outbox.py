"""Alerts on their way out: a thread that talks to slow channels, so that the scheduler never waits for one.

Delivery is at least once: a channel that has taken an alert is not asked again in this process, but a process that
dies between a delivery and its record delivers once more. PagerDuty's dedup key makes that harmless.
"""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

from ostinato.clock import Clock
from ostinato.connectors.port import AlertChannel
from ostinato.model.change import Delivery
from ostinato.model.errors import AlertUndeliverable
from ostinato.model.limits import Limits
from ostinato.model.record import Outgoing

FIRST_DELAY_MS: Final = 1_000
MAX_DELAY_MS: Final = 300_000


class ThreadedCourier:
    """Delivers alerts one after another in a thread of its own; ``wake`` is called when there is a report to fetch."""

    def __init__(
        self, channels: Sequence[AlertChannel], clock: Clock, limits: Limits, wake: Callable[[], None]
    ) -> None:
        self._channels = channels
        self._clock = clock
        self._limits = limits
        self._wake = wake
        self._queue: SimpleQueue[Outgoing | None] = SimpleQueue()
        self._lock = Lock()
        self._reports: list[Delivery] = []
        self._on_the_way: set[int] = set()
        self._taken: set[tuple[int, int]] = set()
        self._thread: Thread | None = None

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """Alerts to deliver, in order. Those already on their way are not taken twice."""
        for alert in alerts:
            if alert.outbox_id not in self._on_the_way:
                self._on_the_way.add(alert.outbox_id)
                self._queue.put(alert)
        if self._on_the_way and self._thread is None:
            self._thread = Thread(target=self._run, name="ostinato-courier", daemon=True)
            self._thread.start()

    def reports(self) -> list[Delivery]:
        """What became of alerts since the last call."""
        with self._lock:
            reports, self._reports = self._reports, []
        for report in reports:
            self._on_the_way.discard(report.outbox_id)
        return reports

    def close(self, patience_s: float = 5.0) -> None:
        """Deliver what is queued, for at most ``patience_s`` seconds, and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(patience_s)
            self._thread = None

    def _run(self) -> None:
        while (alert := self._queue.get()) is not None:
            report = self._deliver(alert)
            with self._lock:
                self._reports.append(report)
            self._wake()

    def _deliver(self, alert: Outgoing) -> Delivery:
        refusals = [
            refusal
            for number, channel in enumerate(self._channels)
            if (alert.outbox_id, number) not in self._taken
            and (refusal := self._ask(alert, number, channel)) is not None
        ]
        now = self._clock.now()
        if not refusals:
            self._taken -= {(alert.outbox_id, number) for number in range(len(self._channels))}
            return Delivery(alert.outbox_id, now, done=True)
        again = any(refusal.retryable for refusal in refusals) and alert.tries + 1 < self._limits.outbox_tries
        delay = min(FIRST_DELAY_MS * 2 ** min(alert.tries, 20), MAX_DELAY_MS)
        error = "; ".join(map(str, refusals))
        return Delivery(alert.outbox_id, now, done=False, next_at=now + delay if again else None, error=error)

    def _ask(self, alert: Outgoing, number: int, channel: AlertChannel) -> AlertUndeliverable | None:
        try:
            channel.deliver(alert)
        except AlertUndeliverable as refusal:
            return refusal
        except Exception as error:  # noqa: BLE001 - a channel's own mistake is reported like a refusal, and ends no thread
            return AlertUndeliverable(f"{type(channel).__name__} failed: {error!r}", retryable=True)
        self._taken.add((alert.outbox_id, number))
        return None
