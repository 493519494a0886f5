"""The outbox: alerts are written with what they are about, and leave afterwards.

For one ``dedup_key`` triggers and resolves alternate: the newest row says whether an alert is open. They leave in
order: while an alert of a key waits, later ones of that key wait behind it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, exists, insert, select, update

from ostinato.model.change import Alert, Delivery
from ostinato.model.errors import InvariantBroken
from ostinato.model.record import Outgoing

from .record import OUTGOING, text_of, to_outgoing
from .tables import outbox

_TURN = {"trigger": {None, "resolve"}, "resolve": {"trigger"}}


def put_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Write the alerts that say something new: a trigger when none of its key is open, a resolve when one is."""
    for alert in alerts:
        newest = select(outbox.c.action).where(outbox.c.dedup_key == alert.dedup_key)
        last = connection.scalar(newest.order_by(outbox.c.outbox_id.desc()).limit(1))
        if last in _TURN[alert.action]:
            connection.execute(insert(outbox).values(**_row(alert)))


def _row(alert: Alert) -> dict[str, object]:
    return {
        "dedup_key": alert.dedup_key,
        "action": alert.action,
        "severity": alert.severity,
        "summary": alert.summary,
        "at": alert.at,
        "details": text_of(alert.details),
        "tries": 0,
        "next_at": alert.at,
        "error": "",
    }


def record_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write what became of deliveries. Raises InvariantBroken for an alert that was not waiting."""
    for delivery in deliveries:
        waiting = update(outbox).where(outbox.c.outbox_id == delivery.outbox_id, outbox.c.next_at.is_not(None))
        done = connection.execute(
            waiting.values(
                tries=outbox.c.tries + 1,
                next_at=None if delivery.done else delivery.next_at,
                delivered_at=delivery.at if delivery.done else None,
                error=delivery.error,
            )
        )
        if done.rowcount != 1:
            raise InvariantBroken(f"alert {delivery.outbox_id} was not waiting to be delivered")


def waiting(connection: Connection, limit: int) -> list[Outgoing]:
    """Alerts that are still to be delivered and have none of their key before them, by when they are to be tried."""
    earlier = outbox.alias("earlier")
    held_back = exists().where(
        earlier.c.dedup_key == outbox.c.dedup_key,
        earlier.c.outbox_id < outbox.c.outbox_id,
        earlier.c.next_at.is_not(None),
    )
    query = OUTGOING.where(outbox.c.next_at.is_not(None), ~held_back)
    return [
        to_outgoing(row)
        for row in connection.execute(query.order_by(outbox.c.next_at, outbox.c.outbox_id).limit(limit))
    ]


def newest(connection: Connection, limit: int) -> list[Outgoing]:
    """Alerts, delivered or not, newest first."""
    return [to_outgoing(row) for row in connection.execute(OUTGOING.order_by(outbox.c.outbox_id.desc()).limit(limit))]
