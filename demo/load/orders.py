"""Tells the stories through the shop's own commands, each at its time in the past."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content
from demo.load.claims import TICKET_STEPS
from demo.load.scene import Cast, Scene
from demo.load.stories import Story, stories
from domain.cart import Owner
from domain.order import (
    Promise,
    WantedDelivery,
    WantedLine,
    WantedPayment,
    Wish,
    cancel_order,
    confirm_receipt,
    place_order,
    quote_order,
)
from domain.payment import collect_cash, refund_in_goodwill
from domain.shipment import (
    TrackingFact,
    add_tracking_events,
    dispatch_shipment,
    left_to_pack,
    lock_shipment,
    pack_shipments,
)
from events.payment import ask, begin_payment, charge_of
from events.shop import Shop
from gateways.payment.sandbox import Sandbox
from models import (
    Account,
    Address,
    CarrierCode,
    Money,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Role,
    Shipment,
    ShipmentStatus,
    ShippingMethod,
    Variant,
)

NUMBER = "DEMO"
CASH = PaymentMethod.CASH_ON_DELIVERY
SANDBOX = PaymentMethod.SANDBOX


async def load_orders(shop: Shop, content: Content) -> None:
    """Tell every story that has not been begun; one that was cut off stays as far as it came."""
    cast = await gather_cast(shop)
    async with shop.database.reads() as session:
        known = set(await session.scalars(select(Order.number).where(Order.number.startswith(NUMBER))))
    for position, story in enumerate(stories(content), start=1):
        number = f"{NUMBER}{position:04}"
        if number not in known:
            await tell(shop, story, cast, number)


async def gather_cast(shop: Shop) -> Cast:
    async with shop.database.reads() as session:
        people = select(Account).order_by(Account.id)
        customers = (await session.scalars(people.where(Account.role == Role.CUSTOMER))).all()
        manager = (await session.scalars(people.where(Account.role == Role.MANAGER))).first()
        addresses: dict[int, list[Address]] = {}
        for address in await session.scalars(select(Address).order_by(Address.id)):
            addresses.setdefault(address.account_id, []).append(address)
        skus = (await session.execute(select(Variant.sku, Variant.id).where(Variant.sku.is_not(None)))).all()
    if manager is None:
        raise LookupError("the demo shop has no manager")
    return Cast(customers, addresses, manager.id, {str(sku): variant_id for sku, variant_id in skus})


async def tell(shop: Shop, story: Story, cast: Cast, number: str) -> None:
    then = shop.clock() - timedelta(days=story.days_ago)
    past = replace(shop, clock=lambda: then)
    scene = Scene(past, story, cast, await place(past, story, cast, number))
    for step in story.steps:
        await STEPS[step](scene)


async def place(shop: Shop, story: Story, cast: Cast, number: str) -> int:
    buyer = cast.customers[story.customer]
    lines = [WantedLine(cast.variants[sku], quantity) for sku, quantity in story.lines]
    async with shop.database.writes.begin() as session:
        wish = Wish(Owner(buyer.id, None), lines, deliveries_of(story, lines, cast.addresses[buyer.id]))
        total = (await quote_order(session, wish, now=shop.clock())).sums.total
        order = await place_order(
            session,
            wish,
            Promise(payments_of(story, total), note="", idempotency_key=number),
            number=number,
            offered=frozenset(shop.payments),
            pay_within=shop.settings.unpaid_order_closes_after,
            now=shop.clock(),
        )
    return order.id


def deliveries_of(
    story: Story, lines: Sequence[WantedLine], addresses: Sequence[Address]
) -> list[WantedDelivery]:
    """Everything to one address, or one unit of the first line to the second address of the book."""
    if not story.two_addresses or sum(line.quantity for line in lines) == 1:
        return [WantedDelivery(ShippingMethod.STANDARD, addresses[0].id)]
    apart, rest = WantedLine(lines[0].variant_id, 1), [*lines[1:]]
    if lines[0].quantity > 1:
        rest.append(WantedLine(lines[0].variant_id, lines[0].quantity - 1))
    return [
        WantedDelivery(ShippingMethod.EXPRESS, addresses[0].id, lines=rest),
        WantedDelivery(ShippingMethod.STANDARD, addresses[1].id, lines=[apart]),
    ]


def payments_of(story: Story, total: Money) -> list[WantedPayment]:
    if story.cash:
        return [WantedPayment(CASH, total)]
    half = Money(total.minor // 2, total.currency)
    if story.half_cash:
        return [WantedPayment(SANDBOX, total - half), WantedPayment(CASH, half)]
    if "pay_first" in story.steps:
        return [WantedPayment(SANDBOX, half), WantedPayment(SANDBOX, total - half)]
    return [WantedPayment(SANDBOX, total)]


async def open_payments(scene: Scene) -> Sequence[Payment]:
    async with scene.shop.database.reads() as session:
        rows = await session.scalars(
            select(Payment)
            .where(Payment.order_id == scene.order_id, Payment.status == PaymentStatus.PENDING)
            .order_by(Payment.position)
        )
        return rows.all()


async def pay(scene: Scene, *, only_first: bool = False) -> None:
    """The buyer pays at the built-in provider, which has the money at once."""
    payments = [payment for payment in await open_payments(scene) if payment.method is SANDBOX]
    sandbox = scene.shop.payments[SANDBOX]
    assert isinstance(sandbox, Sandbox)  # noqa: S101 - narrows the type; the demo needs its books
    for payment in payments[:1] if only_first else payments:
        await begin_payment(scene.shop, payment.id, return_url=None, by=scene.buyer.id)
        await sandbox.delay(payment.reference, timedelta())
        await ask(scene.shop, SANDBOX, await charge_of(scene.shop, payment.id))


async def pay_first(scene: Scene) -> None:
    await pay(scene, only_first=True)


async def pack(scene: Scene) -> None:
    shop = scene.shop
    async with shop.database.writes.begin() as session:
        for delivery_id, parcel in await left_to_pack(session, scene.order_id):
            numbers = [shop.secrets.number("P", shop.clock())]
            await pack_shipments(
                session, delivery_id, [parcel], numbers=numbers, now=shop.clock(), by=scene.cast.manager
            )


async def dispatch(scene: Scene, *, only_first: bool = False) -> None:
    """Parcels leave with the shop's own couriers, and are under way."""
    shop, now = scene.shop, scene.shop.clock()
    async with shop.database.writes.begin() as session:
        for shipment in (await shipments_of(session, scene))[: 1 if only_first else None]:
            await dispatch_shipment(
                session,
                shipment.id,
                carrier=CarrierCode.OWN,
                tracking_number=f"OWN{shipment.number}",
                now=now,
                by=scene.cast.manager,
            )
            await note(session, scene, shipment, ShipmentStatus.IN_TRANSIT, "已从仓库发出")


async def dispatch_first(scene: Scene) -> None:
    await dispatch(scene, only_first=True)


async def hand_over(scene: Scene) -> None:
    """A parcel leaves this minute with the simulated carrier: it can be watched on its way."""
    shop = scene.now()
    async with shop.database.writes.begin() as session:
        for shipment in await shipments_of(session, scene):
            await dispatch_shipment(
                session,
                shipment.id,
                carrier=CarrierCode.SIMULATED,
                tracking_number=f"SIM{shipment.number}",
                poll_at=shop.clock(),
                now=shop.clock(),
                by=scene.cast.manager,
            )


async def arrive(scene: Scene, *, only_first: bool = False) -> None:
    """Parcels are handed over, and what is due at the door is collected."""
    shop = scene.shop
    async with shop.database.writes.begin() as session:
        for shipment in (await shipments_of(session, scene))[: 1 if only_first else None]:
            await note(session, scene, shipment, ShipmentStatus.DELIVERED, "已签收")
        for payment in await open_payments(scene):
            await collect_cash(session, payment.id, payment.total, now=shop.clock(), by=scene.cast.manager)


async def arrive_first(scene: Scene) -> None:
    await arrive(scene, only_first=True)


async def confirm(scene: Scene) -> None:
    async with scene.shop.database.writes.begin() as session:
        await confirm_receipt(session, scene.order_id, now=scene.shop.clock(), by=scene.buyer.id)


async def cancel(scene: Scene) -> None:
    async with scene.shop.database.writes.begin() as session:
        await cancel_order(
            session, scene.order_id, reason="不想要了", now=scene.shop.clock(), by=scene.buyer.id
        )


async def refund(scene: Scene) -> None:
    """Everything goes back in goodwill; the provider is told once the shop is open."""
    async with scene.shop.database.writes.begin() as session:
        order = await session.get_one(Order, scene.order_id)
        await refund_in_goodwill(
            session,
            order.id,
            order.total,
            reason="茶叶受潮，全额退款",
            key=order.number,
            now=scene.shop.clock(),
            by=scene.cast.manager,
        )


async def shipments_of(session: AsyncSession, scene: Scene) -> Sequence[Shipment]:
    rows = select(Shipment).where(Shipment.order_id == scene.order_id).order_by(Shipment.id)
    return (await session.scalars(rows)).all()


async def note(
    session: AsyncSession, scene: Scene, shipment: Shipment, status: ShipmentStatus, words: str
) -> None:
    """What the courier says about a parcel, a little after the last thing."""
    now = scene.shop.clock()
    _, locked = await lock_shipment(session, shipment.id)
    fact = TrackingFact(status, status.value, words, now + timedelta(seconds=locked.version))
    await add_tracking_events(
        session, locked, [fact], now=now, receipt_after=scene.shop.settings.receipt_confirmed_after
    )


STEPS: Mapping[str, Callable[[Scene], Awaitable[None]]] = {
    "pay": pay,
    "pay_first": pay_first,
    "pack": pack,
    "dispatch": dispatch,
    "dispatch_first": dispatch_first,
    "hand_over": hand_over,
    "arrive": arrive,
    "arrive_first": arrive_first,
    "confirm": confirm,
    "cancel": cancel,
    "refund": refund,
    **TICKET_STEPS,
}
