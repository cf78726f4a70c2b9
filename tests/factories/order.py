"""Orders as customers place them: reserved, invoiced, paid, delivered."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import Postal
from domain.cart import Owner
from domain.order import (
    Promise,
    WantedDelivery,
    WantedLine,
    WantedPayment,
    Wish,
    cancel_order,
    confirm_receipt,
    lock_order,
    place_order,
    quote_order,
)
from domain.payment import capture_payment, collect_cash, start_payment
from domain.shipment import (
    ParcelToPack,
    Picked,
    TrackingFact,
    add_tracking_events,
    dispatch_shipment,
    lock_shipment,
    pack_shipments,
)
from models import (
    Account,
    CarrierCode,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    Event,
    Money,
    Order,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Shipment,
    ShipmentStatus,
    ShippingMethod,
    Subject,
    Variant,
)
from tests.factories.account import create_account
from tests.factories.catalog import create_product, variant_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)
CASH = PaymentMethod.CASH_ON_DELIVERY
SANDBOX = PaymentMethod.SANDBOX
OFFERED = frozenset({CASH, SANDBOX})
PAY_WITHIN = timedelta(minutes=30)
RECEIPT_AFTER = timedelta(days=10)

HANGZHOU = Postal(
    recipient="林梅",
    phone="+8613800138000",
    country_code="CN",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    line1="文三路 100 号",
    line2="",
    postal_code="310012",
)
CHENGDU = Postal(
    recipient="王强",
    phone="+8613900139000",
    country_code="CN",
    province="四川省",
    city="成都市",
    district="锦江区",
    line1="红星路 8 号",
    line2="",
    postal_code="610021",
)

Lines = Sequence[tuple[Variant, int]]


async def create_order(
    session: AsyncSession,
    *,
    account: Account | None = None,
    status: OrderStatus = OrderStatus.PENDING,
    lines: Lines | None = None,
    payments: Mapping[PaymentMethod, int | None] | None = None,
    deliveries: Sequence[WantedDelivery] | None = None,
    coupon_code: str | None = None,
    currency: CurrencyCode = CurrencyCode.CNY,
    note: str = "",
    now: datetime = NOW,
) -> Order:
    """An order brought to `status` by the shop's own commands: one thing for 99.00 CNY unless told.

    `lines` are variants and quantities, `payments` minor units by method (None takes what is left).
    """
    account = account or await create_account(session, now=now)
    wish = Wish(
        owner=Owner(account.id, None),
        lines=[WantedLine(variant.id, quantity) for variant, quantity in lines or await one_thing(session)],
        deliveries=deliveries or [deliver_to(HANGZHOU)],
        coupon_codes=None if coupon_code is None else [coupon_code],
        currency=currency,
    )
    promise = await promise_for(session, wish, payments or {SANDBOX: None}, note=note, now=now)
    order = await place_order(
        session,
        wish,
        promise,
        number=f"T{next(NUMBERS):08}",
        offered=OFFERED,
        pay_within=PAY_WITHIN,
        now=now,
    )
    await bring(session, order, status, now=now)
    return order


async def bring(session: AsyncSession, order: Order, status: OrderStatus, *, now: datetime) -> None:
    """Take an order from PENDING to `status` on the ordinary way."""
    if status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED):
        await pay(session, order, now=now)
    if status is OrderStatus.COMPLETED:
        await deliver(session, order, now=now)
        await confirm_receipt(session, order.id, now=now, by=order.account_id)
    if status is OrderStatus.CANCELLED:
        await cancel_order(session, order.id, reason="Changed my mind.", now=now, by=order.account_id)
    await session.flush()


async def pay(session: AsyncSession, order: Order, *, now: datetime = NOW) -> None:
    """Everything that is paid in advance arrives."""
    for payment in await payments_of(session, order):
        if payment.method is not CASH and payment.status is not PaymentStatus.CAPTURED:
            await start_payment(session, payment.id, query_at=now + PAY_WITHIN, now=now)
            await capture_payment(session, payment.id, now=now)


async def pack(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Everything is packed, one parcel for each delivery and warehouse."""
    shipments = []
    for delivery_id, picked in await parcels_to_pack(session, order):
        parcels, numbers = [ParcelToPack(picked)], [f"P{next(NUMBERS):08}"]
        shipments += await pack_shipments(session, delivery_id, parcels, numbers=numbers, now=now)
    return shipments


async def dispatch(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Everything is packed and leaves."""
    shipments = await pack(session, order, now=now)
    for shipment in shipments:
        await dispatch_shipment(
            session,
            shipment.id,
            carrier=CarrierCode.SIMULATED,
            tracking_number=f"SIM-{shipment.number}",
            now=now,
        )
    return shipments


async def deliver(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Everything leaves and arrives, and its cash is collected."""
    shipments = await dispatch(session, order, now=now)
    for shipment in shipments:
        await arrive(session, shipment, now=now)
    for payment in await payments_of(session, order):
        if payment.method is CASH and payment.amount and payment.status is not PaymentStatus.CAPTURED:
            await collect_cash(session, payment.id, payment.total, now=now, by=None)
    await lock_order(session, order.id)
    return shipments


async def arrive(session: AsyncSession, shipment: Shipment, *, now: datetime = NOW) -> None:
    """A parcel that has left is delivered."""
    _, shipment = await lock_shipment(session, shipment.id)
    fact = TrackingFact(ShipmentStatus.DELIVERED, "DELIVERED", "Handed over.", now)
    await add_tracking_events(session, shipment, [fact], now=now, receipt_after=RECEIPT_AFTER)


def deliver_to(
    postal: Postal, lines: Lines | None = None, *, method: ShippingMethod = ShippingMethod.STANDARD
) -> WantedDelivery:
    """A delivery of everything, or of some variants."""
    wanted = None if lines is None else [WantedLine(variant.id, quantity) for variant, quantity in lines]
    return WantedDelivery(method, postal=postal, lines=wanted)


async def promise_for(
    session: AsyncSession,
    wish: Wish,
    payments: Mapping[PaymentMethod, int | None],
    *,
    note: str = "",
    key: str | None = None,
    now: datetime = NOW,
) -> Promise:
    """Payments that cover what the wish comes to; the method without an amount takes what is left."""
    quote = await quote_order(session, wish, now=now)
    left = quote.sums.total.minor - sum(amount or 0 for amount in payments.values())
    return Promise(
        payments=[
            WantedPayment(method, Money(left if amount is None else amount, quote.currency))
            for method, amount in payments.items()
            if amount is not None or left
        ],
        note=note,
        idempotency_key=key or f"key-{next(NUMBERS)}",
    )


def wish_for(account: Account, lines: Lines, **given: Any) -> Wish:
    """Variants and quantities, to one address unless told."""
    wanted = [WantedLine(variant.id, quantity) for variant, quantity in lines]
    given.setdefault("deliveries", [deliver_to(HANGZHOU)])
    return Wish(Owner(account.id, None), lines=wanted, **given)


async def place(session: AsyncSession, wish: Wish, promise: Promise, *, number: str = "O1") -> Order:
    return await place_order(
        session, wish, promise, number=number, offered=OFFERED, pay_within=PAY_WITHIN, now=NOW
    )


async def a_variant(session: AsyncSession, **given: Any) -> Variant:
    """The only variant of a new product."""
    return await variant_of(session, await create_product(session, **given))


async def one_thing(session: AsyncSession) -> Lines:
    return [(await a_variant(session), 1)]


async def payments_of(session: AsyncSession, order: Order) -> Sequence[Payment]:
    rows = await session.scalars(
        select(Payment).where(Payment.order_id == order.id).order_by(Payment.position)
    )
    return rows.all()


async def events_of(session: AsyncSession, order: Order) -> list[str]:
    """What has happened to an order, the oldest first."""
    names = await session.scalars(
        select(Event.name)
        .where(Event.subject == Subject.ORDER, Event.subject_id == order.id)
        .order_by(Event.version)
    )
    return list(names)


async def parcels_to_pack(session: AsyncSession, order: Order) -> list[tuple[int, list[Picked]]]:
    """What is not packed yet, by delivery, apart for each warehouse."""
    rows = await session.scalars(
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order.id, DeliveryLine.packed < DeliveryLine.quantity)
        .order_by(DeliveryLine.id)
    )
    parcels: dict[tuple[int, int], list[Picked]] = {}
    for line in rows:
        picked = Picked(line.id, line.quantity - line.packed)
        parcels.setdefault((line.delivery_id, line.warehouse_id), []).append(picked)
    return [(delivery, picked) for (delivery, _), picked in parcels.items()]
