"""Collecting deliveries at a warehouse or shop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry

from domain.errors import Invalid, NotFound
from domain.pickup import (
    cancel_pickup,
    hand_over_pickup,
    make_pickup_ready,
    pickup_subject,
    renew_pickup_code,
)
from gateways.secrets import derive_code, verify_code
from models import Delivery, DeliveryLine, Pickup, PickupStatus, ShippingMethod, Warehouse
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput
from resolvers.order.finding import find_delivery


@dataclass(frozen=True, slots=True)
class DeliveryPickup:
    """How far the collecting of a delivery is."""

    place: Warehouse
    status: PickupStatus
    ready_at: datetime | None
    due_at: datetime | None
    collected_at: datetime | None
    code: str | None


async def delivery_pickups(deliveries: Sequence[Delivery], info: Info) -> list[DeliveryPickup | None]:
    """Where and until when it is collected; null where it is sent."""
    collected = [each.id for each in deliveries if each.method is ShippingMethod.PICKUP]
    load = info.context.load
    pickups = dict(zip(collected, await load.delivery_pickup.load_many(collected), strict=True))
    described = [
        describe_pickup(info, each, pickups.get(each.id)) for each in deliveries if each.id in pickups
    ]
    found = dict(zip(collected, await asyncio.gather(*described), strict=True))
    return [found.get(each.id) for each in deliveries]


async def describe_pickup(info: Info, delivery: Delivery, pickup: Pickup | None) -> DeliveryPickup | None:
    lines = await info.context.load.delivery_lines.load(delivery.id)
    warehouse_id = pickup.warehouse_id if pickup else lines[0].warehouse_id if lines else None
    place = await info.context.load.warehouse.load(warehouse_id) if warehouse_id else None
    if place is None:
        return None
    if pickup is None:
        return DeliveryPickup(place, PickupStatus.PREPARING, None, None, None, None)
    code = await code_for_owner(info, delivery, pickup)
    status = await status_of(info, pickup, lines)
    return DeliveryPickup(place, status, pickup.ready_at, pickup.due_at, pickup.collected_at, code)


async def status_of(info: Info, pickup: Pickup, lines: Sequence[DeliveryLine]) -> PickupStatus:
    """How far it is: while the rest of what was collected is not ready yet, it is prepared."""
    if pickup.status is not PickupStatus.COLLECTED:
        return pickup.status
    parcels = await info.context.load.delivery_shipments.load(pickup.delivery_id)
    waits = any(line.packed < line.quantity for line in lines) or any(
        parcel.dispatched_at is None for parcel in parcels
    )
    return PickupStatus.PREPARING if waits else PickupStatus.COLLECTED


async def code_for_owner(info: Info, delivery: Delivery, pickup: Pickup) -> str | None:
    """The code, for the customer only and as long as something waits for it."""
    order = await info.context.load.order.load(delivery.order_id)
    if order is None or not info.context.viewer.owns(order.account_id):
        return None
    if pickup.status is not PickupStatus.READY:
        return None
    return derive_code(info.context.shop.settings.signing_key(), *pickup_subject(pickup))


async def pickup_ready(info: Info, delivery_id: strawberry.ID) -> Delivery:
    """Lets the customer collect what of a delivery is packed, and sends them the code to show.

    delivery_id: the delivery that is collected
    """
    context, row = info.context, await delivery_row_id(info, delivery_id)
    deadlines = context.shop.settings.deadlines
    async with context.transaction() as session:
        pickup = await make_pickup_ready(
            session,
            row,
            nonce=context.shop.secrets.new_token(),
            collect_within=deadlines.collected_within,
            receipt_after=deadlines.receipt_confirmed_after,
            cause=context.cause,
        )
        return await session.get_one(Delivery, pickup.delivery_id)


async def pickup_hand_over(
    info: Info,
    delivery_id: strawberry.ID,
    place_id: strawberry.ID,
    code: str,
    cash: MoneyInput | None = None,
) -> Delivery:
    """Hands over what is ready to who shows the code, and notes the cash that they pay; five wrong codes, and
    the customer must ask for a new one.

    delivery_id: the delivery that is collected
    place_id: the warehouse or shop where it is handed over
    code: what the customer shows
    cash: what they pay at the counter: exactly what is due there
    """
    context, row = info.context, await delivery_row_id(info, delivery_id)
    place = row_id(place_id, "Warehouse", field=("place_id",))
    keys = context.shop.settings.verifying_keys()
    async with context.transaction() as session:
        pickup = await hand_over_pickup(
            session,
            row,
            place_id=place,
            is_right=lambda each: verify_code(keys, code, *pickup_subject(each)),
            cash=cash.money(field=("cash",)) if cash else None,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
            cause=context.cause,
        )
        delivery = await session.get_one(Delivery, row)
    if pickup is None:
        raise Invalid("This is not the code.", field=("code",))
    return delivery


async def pickup_code_renew(info: Info, delivery_id: strawberry.ID) -> Delivery:
    """Gives the customer a new code in place of the one they have; only they may ask for it.

    delivery_id: their delivery
    """
    context, row = info.context, await delivery_row_id(info, delivery_id)
    delivery = await context.load.delivery.load(row)
    order = await context.load.order.load(delivery.order_id) if delivery else None
    if order is None or not context.viewer.owns(order.account_id):
        raise NotFound("delivery", field=("delivery_id",))
    async with context.transaction() as session:
        await renew_pickup_code(session, row, nonce=context.shop.secrets.new_token(), cause=context.cause)
        return await session.get_one(Delivery, row)


async def pickup_cancel(info: Info, delivery_id: strawberry.ID, reason: str) -> Delivery:
    """Cancels what of a delivery is not collected yet: the goods go back to stock, and the money back.

    delivery_id: the delivery
    reason: why
    """
    context, row = info.context, await delivery_row_id(info, delivery_id)
    async with context.transaction() as session:
        await cancel_pickup(
            session,
            row,
            reason=reason,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
            cause=context.cause,
        )
        return await session.get_one(Delivery, row)


async def delivery_row_id(info: Info, delivery_id: strawberry.ID) -> int:
    """The row id of a delivery that the viewer may see; NotFound for any other."""
    delivery = await find_delivery(info, row_id(delivery_id, "Delivery", field=("delivery_id",)))
    if delivery is None:
        raise NotFound("delivery", field=("delivery_id",))
    return delivery.id
