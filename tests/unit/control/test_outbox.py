"""Alerts leave in a thread of their own, and what became of them comes back."""

from queue import Queue

import pytest

from ostinato.control.outbox import FIRST_DELAY_MS, ThreadedCourier
from ostinato.model.change import Delivery
from ostinato.model.errors import AlertUndeliverable
from ostinato.model.limits import Limits
from ostinato.model.record import Outgoing

NOW = 1_000_000


class SetClock:
    """A clock that stands still."""

    def now(self) -> int:
        return NOW


class Channel:
    """A channel that keeps what it took, and answers as it is told."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.took: list[int] = []

    def deliver(self, alert: Outgoing) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.took.append(alert.outbox_id)


def alert(outbox_id: int, tries: int = 0) -> Outgoing:
    return Outgoing(outbox_id, f"key {outbox_id}", "trigger", "error", "it broke", NOW, {}, tries, NOW)


def delivered(channels: list[Channel], *alerts: Outgoing, limits: Limits | None = None) -> list[Delivery]:
    """The reports on these alerts, in order."""
    rung: Queue[None] = Queue()
    courier = ThreadedCourier(channels, SetClock(), limits or Limits(), lambda: rung.put(None))
    courier.take(alerts)
    for _ in alerts:
        rung.get(timeout=10)
    reports = courier.reports()
    courier.close()
    return reports


def test_an_alert_goes_to_every_channel_and_is_reported_done() -> None:
    one, two = Channel(), Channel()
    assert delivered([one, two], alert(1), alert(2)) == [Delivery(1, NOW, done=True), Delivery(2, NOW, done=True)]
    assert (one.took, two.took) == ([1, 2], [1, 2])


def test_a_refusal_that_may_pass_is_tried_again_later_and_later() -> None:
    busy = AlertUndeliverable("busy", retryable=True)
    waits = []
    for tries in range(4):
        [report] = delivered([Channel(busy)], alert(1, tries))
        assert not report.done
        assert "busy" in report.error
        waits.append((report.next_at or 0) - NOW)
    assert waits == [FIRST_DELAY_MS, 2 * FIRST_DELAY_MS, 4 * FIRST_DELAY_MS, 8 * FIRST_DELAY_MS]


def test_a_final_refusal_is_given_up() -> None:
    [report] = delivered([Channel(AlertUndeliverable("no such key", retryable=False))], alert(1))
    assert (report.done, report.next_at) == (False, None)


def test_after_the_last_try_it_is_given_up() -> None:
    limits = Limits(outbox_tries=3)
    [report] = delivered([Channel(AlertUndeliverable("busy", retryable=True))], alert(1, tries=2), limits=limits)
    assert report.next_at is None


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_final_refusal_of_one_channel_does_not_stop_the_retry_of_another(order: tuple[bool, bool]) -> None:
    channels = [Channel(AlertUndeliverable("no", retryable=retryable)) for retryable in order]
    [report] = delivered(channels, alert(1))
    assert report.next_at == NOW + FIRST_DELAY_MS


def test_a_channel_that_has_taken_an_alert_is_not_asked_again() -> None:
    rung: Queue[None] = Queue()
    good, bad = Channel(), Channel(AlertUndeliverable("busy", retryable=True))
    courier = ThreadedCourier([good, bad], SetClock(), Limits(), lambda: rung.put(None))
    for _ in range(2):
        courier.take([alert(1)])
        rung.get(timeout=10)
        reports = courier.reports()
    courier.close()
    assert reports == [Delivery(1, NOW, done=True)]
    assert (good.took, bad.took) == ([1], [1])


def test_a_channels_own_mistake_does_not_end_the_thread() -> None:
    broken = Channel(RuntimeError("bug"))
    first, second = delivered([broken], alert(1), alert(2))
    assert (first.done, second.done) == (False, True)
    assert "bug" in first.error


def test_an_alert_on_its_way_is_not_taken_twice() -> None:
    rung: Queue[None] = Queue()
    channel = Channel()
    courier = ThreadedCourier([channel], SetClock(), Limits(), lambda: rung.put(None))
    courier.take([alert(1)])
    courier.take([alert(1)])
    rung.get(timeout=10)
    courier.close()
    assert channel.took == [1]
