"""What carriers are asked, with no transaction open, and when they are asked again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, select

from atlas import find_point
from domain.shipment import TrackingFact, add_tracking_events, claim_poll, lock_shipment
from events.shop import Shop
from events.timers import Timer
from gateways.carrier import CarrierError, CarrierEvent, Parcel, Place
from loaders.shipment import Way, ways
from models import Delivery, Shipment, Warehouse

log = structlog.get_logger()


def due_polls(now: datetime) -> Select[Any]:
    return select(Shipment.id).where(Shipment.poll_at <= now).order_by(Shipment.poll_at)


async def poll_carrier(shop: Shop, shipment_id: int) -> None:
    """Ask a carrier about one parcel and keep what it says."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        next_at = now + shop.settings.carrier_poll_every
        if not await claim_poll(session, shipment_id, now=now, next_at=next_at):
            return
    try:
        facts = await ask_carrier(shop, shipment_id)
    except CarrierError as error:
        log.warning("carrier.silent", shipment=shipment_id, error=str(error))
        return
    async with shop.database.writes.begin() as session:
        _, shipment = await lock_shipment(session, shipment_id)
        receipt_after = shop.settings.receipt_confirmed_after
        await add_tracking_events(session, shipment, facts, now=now, receipt_after=receipt_after)


async def ask_carrier(shop: Shop, shipment_id: int) -> list[TrackingFact]:
    way = (await ways(shop.database.reads, [shipment_id]))[shipment_id]
    shipment = way.shipment
    carrier = shop.carriers.get(shipment.carrier) if shipment.carrier else None
    if carrier is None or shipment.tracking_number is None or shipment.dispatched_at is None:
        raise CarrierError(f"{shipment.carrier} is not connected")
    said = await carrier.track(
        parcel_of(way),
        tracking_number=shipment.tracking_number,
        dispatched_at=shipment.dispatched_at,
        now=shop.clock(),
    )
    return facts_of(said)


def facts_of(said: Sequence[CarrierEvent]) -> list[TrackingFact]:
    return [
        TrackingFact(
            status=event.status,
            code=event.code,
            description=event.description,
            occurred_at=event.occurred_at,
            location=event.location,
            latitude=event.latitude,
            longitude=event.longitude,
        )
        for event in said
    ]


def parcel_of(way: Way) -> Parcel:
    """A parcel as a carrier is told about it."""
    return Parcel(
        number=way.shipment.number,
        weight_grams=way.shipment.weight_grams,
        sender=sender_of(way.warehouse),
        receiver=receiver_of(way.delivery),
    )


def sender_of(warehouse: Warehouse) -> Place:
    return Place(
        name=warehouse.name,
        phone="",
        province=warehouse.province,
        city=warehouse.city,
        district=warehouse.district,
        line1=warehouse.line1,
        latitude=warehouse.latitude,
        longitude=warehouse.longitude,
    )


def receiver_of(delivery: Delivery) -> Place:
    point = find_point(delivery.province, delivery.city, delivery.district)
    return Place(
        name=delivery.recipient,
        phone=delivery.phone,
        province=delivery.province,
        city=delivery.city,
        district=delivery.district,
        line1=f"{delivery.line1} {delivery.line2}".strip(),
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
    )


CARRIER_POLLS = Timer("shipment.poll", due=due_polls, act=poll_carrier)
