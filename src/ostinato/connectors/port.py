"""What the control plane asks of other systems."""

from typing import Protocol

from ostinato.model.record import Outgoing


class AlertChannel(Protocol):
    """A way to tell people. What has been delivered may be delivered again: the receiver knows it by its dedup key."""

    def deliver(self, alert: Outgoing) -> None:
        """Return once the alert is safely with the receiver, or raise AlertUndeliverable."""
        ...
