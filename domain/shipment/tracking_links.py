"""Tracking links: whoever has the token of one sees where one parcel is, without an account."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import LimitReached, WrongState
from domain.order import lock_shipment
from models import Shipment, TrackingLink

LINKS_LIMIT = 10
"""Links of one parcel."""


def has_link_ended(shipment: Shipment, *, open_for: timedelta, now: datetime) -> bool:
    """Whether the links of a parcel show nothing any more: it arrived, or ended, so long ago."""
    over_at = shipment.delivered_at or shipment.ended_at
    return over_at is not None and over_at + open_for <= now


async def create_link(
    session: AsyncSession, shipment_id: int, *, token_hash: str, open_for: timedelta, cause: Cause
) -> Shipment:
    """Store the hash of a new token of a parcel."""
    _, shipment = await lock_shipment(session, shipment_id)
    if has_link_ended(shipment, open_for=open_for, now=cause.now):
        raise WrongState("The journey of this shipment was over long ago.", field=("id",))
    links = select(func.count(TrackingLink.id)).where(TrackingLink.shipment_id == shipment.id)
    if (await session.scalar(links) or 0) >= LINKS_LIMIT:
        raise LimitReached(
            "A shipment has at most {limit} links; end them first.", limit=LINKS_LIMIT, field=("id",)
        )
    session.add(
        TrackingLink(
            shipment_id=shipment.id, token_hash=token_hash, created_by_id=cause.by, created_at=cause.now
        )
    )
    return shipment


async def revoke_links(session: AsyncSession, shipment_id: int) -> Shipment:
    """End all links of a parcel; it may have none."""
    _, shipment = await lock_shipment(session, shipment_id)
    await session.execute(delete(TrackingLink).where(TrackingLink.shipment_id == shipment.id))
    return shipment
