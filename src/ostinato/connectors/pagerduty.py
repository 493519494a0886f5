"""Alerts to PagerDuty by its Events API v2: one POST each. The dedup key makes a second delivery harmless.

The routing key is a secret: it stands in the request's body and nowhere else, and what PagerDuty or the network layer
says is searched for it before anybody sees it.
"""

import json
from hashlib import blake2b
from typing import Final

from ostinato.model.errors import AlertUndeliverable
from ostinato.model.record import Outgoing
from ostinato.model.time import stamp

ENDPOINT: Final = "https://events.pagerduty.com/v2/enqueue"
PATIENCE_S: Final = 10.0
"""How long to wait for a connection, for the request to be taken, and for an answer: each."""

_LONGEST_SUMMARY: Final = 1_024
_LONGEST_KEY: Final = 255
_READ_CHARACTERS: Final = 4_096
_SHOWN_CHARACTERS: Final = 300
"""Much less than is read, so that a key in the answer is seen whole, and masked, before anything is cut off."""
_ACCEPTED: Final = 202
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


class PagerDuty:
    """Sends to the service that ``routing_key`` belongs to."""

    def __init__(self, routing_key: str, endpoint: str = ENDPOINT, patience_s: float = PATIENCE_S) -> None:
        self._routing_key = routing_key
        self._endpoint = endpoint
        self._patience_s = patience_s

    def deliver(self, alert: Outgoing) -> None:
        """Send the alert. Raises AlertUndeliverable: retryable if there was no answer, or one that says "not now"."""
        import httpx  # noqa: PLC0415 - a scheduler without alerts never needs it

        body = json.dumps(self._event(alert)).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with httpx.stream(
                "POST", self._endpoint, content=body, headers=headers, timeout=self._patience_s
            ) as response:
                if response.status_code != _ACCEPTED:
                    raise self._refused(response.status_code, next(response.iter_text(_READ_CHARACTERS), ""))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            what = f"the PagerDuty endpoint is not a web address: {error}"
            raise self._undeliverable(what, retryable=False) from None
        except httpx.HTTPError as error:
            what = f"PagerDuty did not answer: {type(error).__name__}: {error}"
            raise self._undeliverable(what, retryable=True) from None

    def _event(self, alert: Outgoing) -> dict[str, object]:
        event: dict[str, object] = {
            "routing_key": self._routing_key,
            "event_action": alert.action,
            "dedup_key": _dedup_key(alert.dedup_key),
        }
        if alert.action == "trigger":
            event["client"] = "Ostinato"
            event["payload"] = {
                "summary": alert.summary[:_LONGEST_SUMMARY],
                "source": str(alert.details.get("dag", "ostinato")),
                "severity": alert.severity,
                "timestamp": stamp(alert.at),
                "custom_details": alert.details,
            }
        return event

    def _refused(self, status: int, answer: str) -> AlertUndeliverable:
        retryable = status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR
        said = self._masked(answer)[:_SHOWN_CHARACTERS]
        return self._undeliverable(f"PagerDuty answered {status}: {said}", retryable=retryable)

    def _undeliverable(self, what: str, *, retryable: bool) -> AlertUndeliverable:
        advice = "" if retryable else "Check OSTINATO_PAGERDUTY_ROUTING_KEY and OSTINATO_PAGERDUTY_ENDPOINT."
        return AlertUndeliverable(
            self._masked(what), retryable=retryable, where=self._masked(self._endpoint), help=advice
        )

    def _masked(self, text: str) -> str:
        return text.replace(self._routing_key, "***")


def _dedup_key(key: str) -> str:
    """The key itself, or for one that is too long its beginning and a digest of it all."""
    if len(key) <= _LONGEST_KEY:
        return key
    digest = blake2b(key.encode(), digest_size=16).hexdigest()
    return f"{key[: _LONGEST_KEY - len(digest) - 1]}/{digest}"
