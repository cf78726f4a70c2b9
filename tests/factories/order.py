"""Orders as customers place them: reserved, invoiced, paid, delivered."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress
from domain.cart import CartOwner
from domain.cause import Cause
from domain.order import (
    BatchItem,
    OrderRequest,
    OrderTerms,
    PaymentPlan,
    PlannedPayment,
    RequestedDelivery,
    RequestedLine,
    cancel_order,
    confirm_receipt,
    lock_order,
    place_order,
    quote_order,
)
from domain.payment import collect_cash, settle_attempt, start_payment
from domain.shipment import (
    ParcelLine,
    ParcelToPack,
    TrackingFact,
    add_tracking_events,
    dispatch_shipment,
    find_unpacked_parcels,
    lock_shipment,
    pack_shipments,
)
from models import (
    SIMULATED_CARRIER,
    Account,
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
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
OFFERED = frozenset(PaymentMethod)
PAY_WITHIN = timedelta(minutes=30)
TERMS = OrderTerms(OFFERED, PAY_WITHIN)
RECEIPT_AFTER = timedelta(days=10)
COLLECT_WITHIN = timedelta(days=7)

HANGZHOU = PostalAddress(
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
CHENGDU = PostalAddress(
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
    deliveries: Sequence[RequestedDelivery] | None = None,
    coupon_code: str | None = None,
    currency: CurrencyCode = CurrencyCode.CNY,
    note: str = "",
    now: datetime = NOW,
) -> Order:
    """An order brought to `status` by the shop's own commands: one unit for 99.00 CNY by default.

    `lines` are variants and quantities, `payments` minor units by method (None takes the rest).
    """
    account = account or await create_account(session, now=now)
    request = OrderRequest(
        owner=CartOwner(account.id, None),
        lines=[
            RequestedLine(variant.id, quantity) for variant, quantity in lines or await one_thing(session)
        ],
        deliveries=[deliver_to(HANGZHOU)] if deliveries is None else deliveries,
        coupon_codes=None if coupon_code is None else [coupon_code],
        currency=currency,
    )
    plan = await plan_for(session, request, payments or {SANDBOX: None}, note=note, now=now)
    item = BatchItem(request, plan, f"T{next(NUMBERS):08}")
    order = await place_order(session, item, TERMS, cause=Cause(now))
    await bring(session, order, status, now=now)
    return order


async def bring(session: AsyncSession, order: Order, status: OrderStatus, *, now: datetime) -> None:
    """Bring a pending order to `status` by the shop's own commands."""
    if status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED):
        await pay(session, order, now=now)
    if status is OrderStatus.COMPLETED:
        await deliver(session, order, now=now)
        await confirm_receipt(session, order.id, cause=Cause(now, order.account_id))
    if status is OrderStatus.CANCELLED:
        await cancel_order(session, order.id, reason="Changed my mind.", cause=Cause(now, order.account_id))
    await session.flush()


async def pay(session: AsyncSession, order: Order, *, now: datetime = NOW) -> None:
    """Capture all payments in advance."""
    for payment in await payments_of(session, order):
        if payment.method is SANDBOX and payment.status is not PaymentStatus.CAPTURED:
            attempt = await start_payment(session, payment.id, query_at=now + PAY_WITHIN, cause=Cause(now))
            report = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, attempt.total)
            await settle_attempt(session, method=SANDBOX, report=report, cause=Cause(now))


async def pack(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Pack everything, one parcel for each delivery and warehouse."""
    shipments = []
    for delivery_id, picked in await parcels_to_pack(session, order):
        parcels, numbers = [ParcelToPack(picked)], [f"P{next(NUMBERS):08}"]
        shipments += await pack_shipments(session, delivery_id, parcels, numbers=numbers, cause=Cause(now))
    return shipments


async def dispatch(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Pack and dispatch everything."""
    shipments = await pack(session, order, now=now)
    for shipment in shipments:
        await dispatch_shipment(
            session,
            shipment.id,
            carrier=SIMULATED_CARRIER,
            tracking_number=f"SIM-{shipment.number}",
            cause=Cause(now),
        )
    return shipments


async def deliver(session: AsyncSession, order: Order, *, now: datetime = NOW) -> list[Shipment]:
    """Pack, dispatch and deliver everything, and collect its cash."""
    shipments = await dispatch(session, order, now=now)
    for shipment in shipments:
        await arrive(session, shipment, now=now)
    for payment in await payments_of(session, order):
        if payment.method is CASH and payment.amount and payment.status is not PaymentStatus.CAPTURED:
            await collect_cash(session, payment.id, payment.total, cause=Cause(now, None))
    await lock_order(session, order.id)
    return shipments


async def arrive(session: AsyncSession, shipment: Shipment, *, now: datetime = NOW) -> None:
    """Deliver a dispatched parcel."""
    _, shipment = await lock_shipment(session, shipment.id)
    fact = TrackingFact(ShipmentStatus.DELIVERED, "DELIVERED", "Handed over.", now)
    await add_tracking_events(session, shipment, [fact], cause=Cause(now), receipt_after=RECEIPT_AFTER)


def deliver_to(
    postal: PostalAddress, lines: Lines | None = None, *, method: ShippingMethod = ShippingMethod.STANDARD
) -> RequestedDelivery:
    """A delivery of everything, or of some variants."""
    requested = (
        None if lines is None else [RequestedLine(variant.id, quantity) for variant, quantity in lines]
    )
    return RequestedDelivery(method, postal=postal, lines=requested)


async def plan_for(
    session: AsyncSession,
    request: OrderRequest,
    payments: Mapping[PaymentMethod, int | None],
    *,
    note: str = "",
    key: str | None = None,
    now: datetime = NOW,
) -> PaymentPlan:
    """Payments of the quoted total; the method without an amount takes the rest."""
    quote = await quote_order(session, request, now=now)
    open_amount = quote.total.minor - sum(amount or 0 for amount in payments.values())
    return PaymentPlan(
        payments=[
            PlannedPayment(method, Money(open_amount if amount is None else amount, quote.currency))
            for method, amount in payments.items()
            if amount is not None or open_amount
        ],
        note=note,
        idempotency_key=key or f"key-{next(NUMBERS)}",
    )


def request_for(account: Account, lines: Lines, **options: Any) -> OrderRequest:
    """A request for these variants and quantities, to one address by default."""
    requested = [RequestedLine(variant.id, quantity) for variant, quantity in lines]
    options.setdefault("deliveries", [deliver_to(HANGZHOU)])
    return OrderRequest(CartOwner(account.id, None), lines=requested, **options)


async def place(
    session: AsyncSession,
    request: OrderRequest,
    plan: PaymentPlan,
    *,
    terms: OrderTerms = TERMS,
    number: str = "O1",
) -> Order:
    return await place_order(session, BatchItem(request, plan, number), terms, cause=Cause(NOW))


async def a_variant(session: AsyncSession, **options: Any) -> Variant:
    """The only variant of a new product."""
    return await variant_of(session, await create_product(session, **options))


async def one_thing(session: AsyncSession) -> Lines:
    return [(await a_variant(session), 1)]


async def payments_of(session: AsyncSession, order: Order) -> Sequence[Payment]:
    rows = await session.scalars(
        select(Payment).where(Payment.order_id == order.id).order_by(Payment.position)
    )
    return rows.all()


async def events_of(session: AsyncSession, order: Order) -> list[str]:
    """The names of an order's events, the oldest first."""
    names = await session.scalars(
        select(Event.name)
        .where(Event.subject == Subject.ORDER, Event.subject_id == order.id)
        .order_by(Event.version)
    )
    return list(names)


async def parcels_to_pack(session: AsyncSession, order: Order) -> list[tuple[int, list[ParcelLine]]]:
    """What is there and not packed yet: a parcel for each delivery and warehouse."""
    parcels = await find_unpacked_parcels(session, order.id)
    return [(delivery_id, list(parcel.lines)) for delivery_id, parcel in parcels]
