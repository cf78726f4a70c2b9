"""Sending a delivery to another address: an edit of the address alone, without a quote."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import (
    PostalAddress,
    keep_coordinates,
    normalize_address,
    postal_address_of,
    write_address,
)
from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.editing import finish_edit, settle_at_once
from domain.aftersales.order_editing.quote import PricedEdit, price_edit_of
from domain.aftersales.withdrawal import find_open_payments
from domain.cause import Cause
from domain.errors import DomainError, NotFound, WrongState
from domain.events import OrderAddressChanged
from domain.order import lock_order
from domain.order.states import FINAL
from domain.order.waiting_edit import drop_waiting_edit
from domain.outbox import record
from domain.shipping import NotDeliverable
from domain.state import status_text
from models import Delivery, DeliveryLine, Order, OrderStatus, ShippingMethod


async def change_address(
    session: AsyncSession,
    delivery_id: int,
    address: PostalAddress,
    *,
    receipt_after: timedelta,
    cause: Cause,
) -> Delivery:
    """Send a delivery to another address, from the same warehouses, as long as nothing of it is packed.

    Its fee follows the tariff, and the difference is settled as by an edit: added to what is unpaid, taken
    off it, or refunded. NotDeliverable where it costs more and nothing is unpaid: the order is edited then.
    """
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is ShippingMethod.NONE:
        raise NotFound("delivery")
    order = await lock_order(session, delivery.order_id)
    postal = normalize_address(address, field=("address",))
    if delivery.ticket_id is not None:
        await change_replacement_address(session, order, delivery, postal, cause=cause)
        return delivery
    changes = OrderChanges(addresses={delivery.id: postal})
    try:
        priced = await price_edit_of(session, order, changes, now=cause.now)
        await drop_waiting_edit(session, order, cause=cause)
        await settle_address(session, priced, delivery, cause=cause)
    except DomainError as refusal:
        about_delivery = refusal.field in (("id",), ("changes", "addresses", 0, "delivery_id"))
        refusal.field = ("id",) if about_delivery else ("address",)
        raise
    await finish_edit(session, order, receipt_after=receipt_after, cause=cause)
    return delivery


async def settle_address(
    session: AsyncSession, priced: PricedEdit, delivery: Delivery, *, cause: Cause
) -> None:
    """Carry the edit out; where it costs more, that is added to what is unpaid."""
    open_payments = await find_open_payments(session, priced.order)
    if priced.plan.difference > 0 and not open_payments:
        raise NotDeliverable(
            "Sending it there costs {more} more: edit the order, which asks for that payment.",
            more=priced.difference,
            field=("address",),
        )
    event = OrderAddressChanged(priced.order, delivery_id=delivery.id)
    await settle_at_once(session, priced, open_payments, event, cause=cause)


async def change_replacement_address(
    session: AsyncSession, order: Order, delivery: Delivery, postal: PostalAddress, *, cause: Cause
) -> None:
    """Send what replaces claimed units to another address; no fee is paid for that."""
    if order.status in FINAL or order.status is OrderStatus.COMPLETED:
        raise WrongState("This order is {status}.", status=status_text(order.status), field=("id",))
    packed = await session.scalars(
        select(DeliveryLine.packed)
        .where(DeliveryLine.delivery_id == delivery.id)
        .execution_options(populate_existing=True)
    )
    if any(packed.all()):
        raise WrongState("Part of this is packed already.", field=("id",))
    if not delivery.method.has_rates:
        raise WrongState("This goes to no address.", field=("id",))
    kept = keep_coordinates(postal, postal_address_of(delivery))
    write_address(session, delivery, kept, now=cause.now)
    record(session, OrderAddressChanged(order, delivery_id=delivery.id), cause)
    await session.flush()
