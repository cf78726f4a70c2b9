"""Whom carriers are asked about, and when."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Shipment


async def claim_poll(
    session: AsyncSession, shipment_id: int, *, now: datetime, next_at: datetime, shortest: timedelta
) -> bool:
    """Whether it is this caller's turn to ask a carrier about a shipment; then nobody's until `next_at`.

    Where it was asked less than `shortest` ago, it is nobody's turn until that is over.
    """
    row = await session.execute(
        select(Shipment.poll_at, Shipment.polled_at).where(Shipment.id == shipment_id)
    )
    due = row.one_or_none()
    allowed_at = due.polled_at + shortest if due and due.polled_at else now
    is_allowed = allowed_at <= now
    claimed = await session.scalar(
        update(Shipment)
        .where(Shipment.id == shipment_id, Shipment.poll_at <= now)
        .where(Shipment.polled_at == due.polled_at if due and due.polled_at else Shipment.polled_at.is_(None))
        .values({"poll_at": next_at, "polled_at": now} if is_allowed else {"poll_at": allowed_at})
        .returning(Shipment.id)
    )
    return is_allowed and claimed is not None


async def record_subscribed(session: AsyncSession, shipment_id: int, *, now: datetime) -> None:
    """The carrier of a parcel has agreed to report by itself."""
    await session.execute(update(Shipment).where(Shipment.id == shipment_id).values(subscribed_at=now))


def resubscribe(shipment: Shipment, *, company_code: str, poll_at: datetime) -> None:
    """The connection has found that another carrier has a locked parcel, or has given it up: it is asked
    anew."""
    if shipment.poll_at is None:
        return
    shipment.poll_at = poll_at
    if company_code:
        shipment.company_code = company_code
    else:
        shipment.subscribed_at = None
