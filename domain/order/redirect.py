"""A delivery goes somewhere else, as long as nothing of it is packed."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import Postal, checked
from domain.errors import DomainError, NotFound, WrongState
from domain.money import words
from domain.order.change import lock_order
from domain.order.states import OVER
from domain.outbox import record
from domain.shipping import NotDeliverable, load_tariff
from domain.state import words as said
from models import Delivery, DeliveryLine, Money, Order, OrderLine, OrderStatus


async def change_address(
    session: AsyncSession, delivery_id: int, given: Postal, *, now: datetime, by: int | None = None
) -> Delivery:
    """Send a delivery to another address, from where its goods lie already.

    What was agreed for sending it stays agreed, also where the new way would be cheaper; where it would be
    dearer by the tariff of today, or nothing is sent, the change is refused.
    """
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("delivery", field=("delivery_id",))
    order = await lock_order(session, delivery.order_id)
    if order.status in OVER or (order.status is OrderStatus.COMPLETED and delivery.ticket_id is None):
        raise WrongState(f"This order is {said(order.status)}.", field=("delivery_id",))
    goods = await goods_of(session, delivery)
    if any(line.packed for line, _ in goods):
        raise WrongState("Part of this is packed already.", field=("delivery_id",))
    postal = checked(given, field=("address",))
    if delivery.ticket_id is None:
        await refuse_dearer(session, order, delivery, postal, goods)
    for name, text in asdict(postal).items():
        setattr(delivery, name, text)
    record(session, "order.address_changed", order, now=now, by=by, delivery_id=delivery.id)
    await session.flush()
    return delivery


async def goods_of(session: AsyncSession, delivery: Delivery) -> list[tuple[DeliveryLine, OrderLine]]:
    rows = await session.execute(
        select(DeliveryLine, OrderLine)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(DeliveryLine.delivery_id == delivery.id)
        .execution_options(populate_existing=True)
    )
    goods = [(line, order_line) for line, order_line in rows]
    if not goods:
        raise WrongState("Nothing is sent there any more.", field=("delivery_id",))
    return goods


async def refuse_dearer(
    session: AsyncSession,
    order: Order,
    delivery: Delivery,
    postal: Postal,
    goods: list[tuple[DeliveryLine, OrderLine]],
) -> None:
    tariff = await load_tariff(session, {order.currency})
    weight = sum(line.quantity * bought.weight_grams for line, bought in goods)
    value = sum(
        (bought.unit_price * line.quantity for line, bought in goods), start=Money.zero(order.currency)
    )
    try:
        fee = tariff.fee(delivery.method, postal, weight, value)
        agreed = max(delivery.fee, tariff.fee(delivery.method, delivery, weight, value))
    except DomainError as refusal:
        refusal.field = ("address",)
        raise
    if fee > agreed:
        more = words(fee - agreed)
        raise NotDeliverable(
            f"Sending it there costs {more} more; cancel it and order it anew.", field=("address",)
        )
