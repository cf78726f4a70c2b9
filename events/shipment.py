"""Carriers are asked where shipments are, with no transaction open."""

from collections.abc import Sequence

import structlog

from domain.aftersales.undelivered import end_overdue_shipment, select_overdue_shipments
from domain.cause import Cause
from domain.shipment import (
    TrackingFact,
    add_tracking_events,
    claim_poll,
    lock_shipment,
)
from domain.shipment.due import due_carrier_polls
from events.types import Resources, Timer
from gateways.carrier import CarrierAddress, CarrierError, CarrierEvent, Parcel
from gateways.measured import MeasuredCarrier
from geo import find_point
from loaders.shipment import ShipmentRoute, load_routes
from models import Delivery, Warehouse
from text.characters import clean_text

log = structlog.get_logger()


async def poll_carrier(resources: Resources, shipment_id: int) -> None:
    """Ask the carrier of a shipment for tracking events and store those that are new."""
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        next_at = now + resources.settings.carriers.poll_interval
        if not await claim_poll(session, shipment_id, now=now, next_at=next_at):
            return
    try:
        facts = await ask_carrier(resources, shipment_id)
    except CarrierError as error:
        log.warning("carrier.failed", shipment=shipment_id, error=str(error))
        return
    async with resources.database.writes.begin() as session:
        _, shipment = await lock_shipment(session, shipment_id)
        receipt_after = resources.settings.deadlines.receipt_confirmed_after
        await add_tracking_events(session, shipment, facts, cause=Cause(now), receipt_after=receipt_after)


async def ask_carrier(resources: Resources, shipment_id: int) -> list[TrackingFact]:
    """What a carrier reports of a dispatched shipment; CarrierError when it does not answer."""
    route = (await load_routes(resources.database.reads, [shipment_id]))[shipment_id]
    shipment = route.shipment
    carrier = resources.carriers.get(shipment.carrier) if shipment.carrier else None
    if carrier is None or shipment.tracking_number is None or shipment.dispatched_at is None:
        raise CarrierError(f"{shipment.carrier} is not connected")
    reported = await MeasuredCarrier(carrier, resources.calls).track(
        parcel_of(route),
        tracking_number=shipment.tracking_number,
        dispatched_at=shipment.dispatched_at,
        now=resources.clock(),
    )
    return facts_of(reported)


def facts_of(events: Sequence[CarrierEvent]) -> list[TrackingFact]:
    return [
        TrackingFact(
            status=event.status,
            code=event.code,
            description=clean_text(event.description),
            occurred_at=event.occurred_at,
            location=clean_text(event.location),
            latitude=event.latitude,
            longitude=event.longitude,
        )
        for event in events
    ]


def parcel_of(route: ShipmentRoute) -> Parcel:
    """A shipment as its carrier is told about it."""
    return Parcel(
        number=route.shipment.number,
        weight_grams=route.shipment.weight_grams,
        sender=sender_of(route.warehouse),
        receiver=receiver_of(route.delivery),
    )


def sender_of(warehouse: Warehouse) -> CarrierAddress:
    return CarrierAddress(
        name=warehouse.name,
        phone="",
        province=warehouse.province,
        city=warehouse.city,
        district=warehouse.district,
        line1=warehouse.line1,
        latitude=warehouse.latitude,
        longitude=warehouse.longitude,
    )


def receiver_of(delivery: Delivery) -> CarrierAddress:
    """The address of a delivery, with the coordinates of its district where they are known."""
    point = find_point(delivery.province, delivery.city, delivery.district)
    return CarrierAddress(
        name=delivery.recipient,
        phone=delivery.phone,
        province=delivery.province,
        city=delivery.city,
        district=delivery.district,
        line1=f"{delivery.line1} {delivery.line2}".strip(),
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
    )


async def end_overdue(resources: Resources, shipment_id: int) -> None:
    """End a parcel that came back or was lost, when nobody has in time."""
    now, deadlines = resources.clock(), resources.settings.deadlines
    async with resources.database.writes.begin() as session:
        await end_overdue_shipment(
            session,
            shipment_id,
            waited_since=now - deadlines.undelivered_ended_after,
            receipt_after=deadlines.receipt_confirmed_after,
            cause=Cause(now),
        )


UNDELIVERED_SHIPMENTS = Timer(
    "shipment.undelivered",
    due=select_overdue_shipments,
    act=end_overdue,
    age=lambda settings: settings.deadlines.undelivered_ended_after,
)
CARRIER_POLLS = Timer("shipment.poll", due=due_carrier_polls, act=poll_carrier, partner="carriers")
