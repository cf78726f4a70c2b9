"""Events: what happened, promised in the same transaction as the change itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models import Cart, DeliveryRun, Event, Order, Product, Shipment, Subject, Ticket

Versioned = Order | Shipment | Ticket | Cart | Product | DeliveryRun

SUBJECTS: Mapping[type[Versioned], Subject] = {
    Order: Subject.ORDER,
    Shipment: Subject.SHIPMENT,
    Ticket: Subject.TICKET,
    Cart: Subject.CART,
    Product: Subject.PRODUCT,
    DeliveryRun: Subject.RUN,
}


def record(
    session: AsyncSession, name: str, row: Versioned, *, now: datetime, by: int | None = None, **facts: Any
) -> Event:
    """Promise that `name` will be announced if, and only if, this transaction commits.

    The row must be new (flushed, version 0) or locked by the caller: its version goes up by one, and the
    lock is what keeps versions without gaps. `facts` are plain JSON; `by` is the account that did it.
    The customer `account_id`, from the row or from `facts`, hears of it among everything of theirs.
    """
    row.version += 1
    return announce(session, name, row, now=now, by=by, **facts)


async def record_all(
    session: AsyncSession,
    name: str,
    rows: Sequence[Versioned],
    *,
    now: datetime,
    by: int | None = None,
    **facts: Any,
) -> None:
    """As `record`, the same of many rows in one statement."""
    for row in rows:
        row.version += 1
    await session.execute(insert(Event).values([told(name, row, now=now, by=by, **facts) for row in rows]))


def announce(
    session: AsyncSession, name: str, row: Versioned, *, now: datetime, by: int | None = None, **facts: Any
) -> Event:
    """As `record`, for a row whose statement has counted the version up already: it is not updated again."""
    event = Event(**told(name, row, now=now, by=by, **facts))
    session.add(event)
    return event


def told(name: str, row: Versioned, *, now: datetime, by: int | None = None, **facts: Any) -> dict[str, Any]:
    """An event of a row as it is stored, for a statement that writes many."""
    payload = snapshot(row) | facts
    return {
        "name": name,
        "subject": SUBJECTS[type(row)],
        "subject_id": row.id,
        "version": row.version,
        "payload": payload,
        "account_id": payload.get("account_id"),
        "actor_id": by,
        "occurred_at": now,
        "attempts": 0,
    }


def snapshot(row: Versioned) -> dict[str, Any]:
    """How the row stood at this version, so that a replay tells what was, not what is."""
    match row:
        case Order():
            return {
                "account_id": row.account_id,
                "status": row.status,
                "payment_status": row.payment_status,
                "fulfilment_status": row.fulfilment_status,
            }
        case Shipment():
            return {"order_id": row.order_id, "status": row.status}
        case Ticket():
            return {"account_id": row.account_id, "order_id": row.order_id, "status": row.status}
        case Cart():
            return {"account_id": row.account_id}
        case Product():
            return {"status": row.status}
        case DeliveryRun():
            return {"courier_id": row.courier_id, "status": row.status}
