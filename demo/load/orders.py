"""Loading the order scenarios through the shop's own commands, each at its time in the past."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, CustomerContent
from demo.load.accounts import postal_of
from demo.load.delivery_runs import RUN_STEPS
from demo.load.scenario_run import Fixtures, ScenarioRun
from demo.load.scenarios import OrderScenario, list_scenarios
from demo.load.tickets import TICKET_STEPS
from domain.account.guests import GuestBuyer, GuestContact
from domain.aftersales.order_editing.changes import LineChange, OrderChanges
from domain.aftersales.order_editing.editing import EditRequest, edit_order
from domain.aftersales.order_editing.quote import quote_edit
from domain.cart import CartOwner
from domain.cause import Cause
from domain.order import (
    BatchItem,
    OrderRequest,
    PaymentPlan,
    PlannedPayment,
    RequestedDelivery,
    RequestedLine,
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
    find_unpacked_parcels,
    lock_shipment,
    pack_shipments,
)
from events.payment import begin_payment, query_attempt
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import (
    OWN_COURIERS,
    SIMULATED_CARRIER,
    Account,
    Address,
    Money,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Role,
    Shipment,
    ShipmentStatus,
    ShippingMethod,
    Variant,
)

NUMBER_PREFIX = "DEMO"
COURIER_TIME = timedelta(hours=2)
"""Until when the shop's own couriers promise to be there."""
FAR_LEG = timedelta(hours=9)
FAR_STAGES = (
    ("深圳市宝安区", ShipmentStatus.PICKED_UP, "已揽收"),
    ("广州转运中心", ShipmentStatus.IN_TRANSIT, "已到达广州转运中心"),
    ("长沙转运中心", ShipmentStatus.IN_TRANSIT, "已到达长沙转运中心"),
    ("长沙转运中心", ShipmentStatus.IN_TRANSIT, "已离开长沙转运中心"),
    ("重庆转运中心", ShipmentStatus.IN_TRANSIT, "已到达重庆转运中心"),
)
CASH = PaymentMethod.CASH_ON_DELIVERY
SANDBOX = PaymentMethod.SANDBOX


async def load_orders(shop: Shop, content: Content) -> None:
    """Load the scenarios whose order does not exist yet; an interrupted one is not continued."""
    fixtures = await load_fixtures(shop, content)
    async with shop.database.reads() as session:
        existing = set(
            await session.scalars(select(Order.number).where(Order.number.startswith(NUMBER_PREFIX)))
        )
    for position, scenario in enumerate(list_scenarios(content), start=1):
        number = f"{NUMBER_PREFIX}{position:04}"
        if number not in existing:
            await load_scenario(shop, scenario, fixtures, number)


async def load_fixtures(shop: Shop, content: Content) -> Fixtures:
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
    variant_ids = {str(sku): variant_id for sku, variant_id in skus}
    return Fixtures(customers, content.guests, addresses, manager.id, variant_ids)


async def load_scenario(shop: Shop, scenario: OrderScenario, fixtures: Fixtures, number: str) -> None:
    placed_at = shop.clock() - timedelta(days=scenario.days_ago)
    past = replace(shop, clock=lambda: placed_at)
    order = await place_scenario_order(past, scenario, fixtures, number)
    run = ScenarioRun(past, scenario, fixtures, order.id, order.account_id)
    for step in scenario.steps:
        await STEPS[step](run)


async def place_scenario_order(shop: Shop, scenario: OrderScenario, fixtures: Fixtures, number: str) -> Order:
    lines = [RequestedLine(fixtures.variant_ids[sku], quantity) for sku, quantity in scenario.lines]
    if scenario.by_guest:
        person = fixtures.guests[scenario.customer]
        guest = guest_of(shop, person, number)
        request = OrderRequest(CartOwner(None, guest.key), lines, [delivery_to_guest(person)])
    else:
        guest, buyer_id = None, fixtures.customers[scenario.customer].id
        deliveries = deliveries_of(scenario, lines, fixtures.addresses[buyer_id])
        request = OrderRequest(CartOwner(buyer_id, None), lines, deliveries)
    async with shop.database.writes.begin() as session:
        total = (await quote_order(session, request, now=shop.clock())).total
        plan = PaymentPlan(payments_of(scenario, total), note="", idempotency_key=number)
        item = BatchItem(request, plan, number, guest)
        return await place_order(session, item, shop.order_terms, cause=Cause(shop.clock()))


def guest_of(shop: Shop, person: CustomerContent, number: str) -> GuestBuyer:
    return GuestBuyer(
        key=fingerprint_of(number),
        name=person.name,
        contact=GuestContact(person.email, person.phone),
        language=person.language,
        family=shop.secrets.new_token(),
        expires_at=shop.clock() + shop.settings.accounts.guest_retention,
    )


def delivery_to_guest(person: CustomerContent) -> RequestedDelivery:
    return RequestedDelivery(ShippingMethod.STANDARD, postal=postal_of(person.addresses[0]))


def deliveries_of(
    scenario: OrderScenario, lines: Sequence[RequestedLine], addresses: Sequence[Address]
) -> list[RequestedDelivery]:
    """Return one delivery to the first address, or a second one with one unit to the second address."""
    if not scenario.two_addresses or sum(line.quantity for line in lines) == 1:
        return [RequestedDelivery(ShippingMethod.STANDARD, addresses[0].id)]
    single, rest = RequestedLine(lines[0].variant_id, 1), [*lines[1:]]
    if lines[0].quantity > 1:
        rest.append(RequestedLine(lines[0].variant_id, lines[0].quantity - 1))
    return [
        RequestedDelivery(ShippingMethod.EXPRESS, addresses[0].id, lines=rest),
        RequestedDelivery(ShippingMethod.STANDARD, addresses[1].id, lines=[single]),
    ]


def payments_of(scenario: OrderScenario, total: Money) -> list[PlannedPayment]:
    if scenario.cash:
        return [PlannedPayment(CASH, total)]
    half = Money(total.minor // 2, total.currency)
    if scenario.half_cash:
        return [PlannedPayment(SANDBOX, total - half), PlannedPayment(CASH, half)]
    if "pay_first" in scenario.steps:
        return [PlannedPayment(SANDBOX, half), PlannedPayment(SANDBOX, total - half)]
    return [PlannedPayment(SANDBOX, total)]


async def load_open_payments(run: ScenarioRun) -> Sequence[Payment]:
    async with run.shop.database.reads() as session:
        rows = await session.scalars(
            select(Payment)
            .where(Payment.order_id == run.order_id, Payment.status == PaymentStatus.PENDING)
            .order_by(Payment.position)
        )
        return rows.all()


async def pay_order(run: ScenarioRun, *, only_first: bool = False) -> None:
    """Pay with the built-in provider, which captures at once."""
    payments = [payment for payment in await load_open_payments(run) if payment.method is SANDBOX]
    sandbox = run.shop.sandbox
    assert sandbox is not None  # noqa: S101 - narrows the type; the demo needs its books
    for payment in payments[:1] if only_first else payments:
        started = await begin_payment(run.shop, payment.id, by=run.buyer_id)
        await sandbox.delay(started.attempt.reference, timedelta())
        await query_attempt(run.shop, started.attempt.id)


async def pay_first_payment(run: ScenarioRun) -> None:
    await pay_order(run, only_first=True)


async def pack_parcels(run: ScenarioRun) -> None:
    shop = run.shop
    async with shop.database.writes.begin() as session:
        for delivery_id, parcel in await find_unpacked_parcels(session, run.order_id):
            numbers = [shop.secrets.new_number("P", shop.clock())]
            await pack_shipments(
                session,
                delivery_id,
                [parcel],
                numbers=numbers,
                cause=Cause(shop.clock(), run.fixtures.manager_id),
            )


async def dispatch_parcels(run: ScenarioRun, *, only_first: bool = False) -> None:
    """Dispatch the parcels that wait with the shop's own couriers."""
    shop, now = run.shop, run.shop.clock()
    async with shop.database.writes.begin() as session:
        waiting = [each for each in await load_shipments(session, run) if each.dispatched_at is None]
        for shipment in waiting[: 1 if only_first else None]:
            await dispatch_shipment(
                session,
                shipment.id,
                carrier=OWN_COURIERS,
                tracking_number=f"OWN{shipment.number}",
                estimated_at=now + COURIER_TIME,
                cause=Cause(now, run.fixtures.manager_id),
            )
            await add_tracking_event(session, run, shipment, ShipmentStatus.IN_TRANSIT, "已从仓库发出")


async def dispatch_first_parcel(run: ScenarioRun) -> None:
    await dispatch_parcels(run, only_first=True)


async def hand_to_carrier(run: ScenarioRun) -> None:
    """Dispatch parcels with the simulated carrier now, so that they can be tracked live."""
    shop = run.shop_now()
    async with shop.database.writes.begin() as session:
        for shipment in await load_shipments(session, run):
            await dispatch_shipment(
                session,
                shipment.id,
                carrier=SIMULATED_CARRIER,
                tracking_number=f"SIM{shipment.number}",
                poll_at=shop.clock(),
                cause=Cause(shop.clock(), run.fixtures.manager_id),
            )


async def send_far(run: ScenarioRun) -> None:
    """The parcel has come to the last depot before its city, from depot to depot of a carrier."""
    shop, now = run.shop, run.shop.clock()
    async with shop.database.writes.begin() as session:
        [shipment] = await load_shipments(session, run)
        await dispatch_shipment(
            session,
            shipment.id,
            carrier=SIMULATED_CARRIER,
            tracking_number=f"FAR{shipment.number}",
            cause=Cause(now, run.fixtures.manager_id),
        )
        facts = [
            TrackingFact(status, status.value, description, now + FAR_LEG * place, location)
            for place, (location, status, description) in enumerate(FAR_STAGES)
        ]
        _, locked = await lock_shipment(session, shipment.id)
        await add_tracking_events(
            session,
            locked,
            facts,
            cause=Cause(now + FAR_LEG * len(facts)),
            receipt_after=shop.settings.deadlines.receipt_confirmed_after,
        )


async def deliver_parcels(run: ScenarioRun, *, only_first: bool = False) -> None:
    """Deliver the parcels under way and collect the cash that is due on delivery."""
    shop = run.shop
    async with shop.database.writes.begin() as session:
        under_way = [each for each in await load_shipments(session, run) if each.delivered_at is None]
        for shipment in under_way[: 1 if only_first else None]:
            await add_tracking_event(session, run, shipment, ShipmentStatus.DELIVERED, "已签收")
        for payment in await load_open_payments(run):
            await collect_cash(
                session, payment.id, payment.total, cause=Cause(shop.clock(), run.fixtures.manager_id)
            )


async def deliver_first_parcel(run: ScenarioRun) -> None:
    await deliver_parcels(run, only_first=True)


async def bring_parcels_back(run: ScenarioRun) -> None:
    """The customer takes nothing at the door; the parcels wait for the warehouse to inspect them."""
    async with run.shop.database.writes.begin() as session:
        for shipment in await load_shipments(session, run):
            await add_tracking_event(session, run, shipment, ShipmentStatus.RETURNED, "收件人拒收，已退回")


async def edit_scenario_order(run: ScenarioRun) -> None:
    """The customer takes one unit of the first line less."""
    shop = run.shop
    async with shop.database.writes.begin() as session:
        lines = select(OrderLine).where(OrderLine.order_id == run.order_id).order_by(OrderLine.id)
        line = (await session.scalars(lines.limit(1))).one()
        changes = OrderChanges([LineChange(line.id, line.quantity - 1)])
        quote = await quote_edit(session, run.order_id, changes, now=shop.clock())
        await edit_order(
            session,
            run.order_id,
            EditRequest(changes, quote.total, None, "edit"),
            shop.order_terms,
            receipt_after=shop.settings.deadlines.receipt_confirmed_after,
            cause=Cause(shop.clock(), run.buyer_id),
        )


async def confirm_scenario_receipt(run: ScenarioRun) -> None:
    async with run.shop.database.writes.begin() as session:
        await confirm_receipt(session, run.order_id, cause=Cause(run.shop.clock(), run.buyer_id))


async def cancel_scenario_order(run: ScenarioRun) -> None:
    async with run.shop.database.writes.begin() as session:
        await cancel_order(
            session, run.order_id, reason="不想要了", cause=Cause(run.shop.clock(), run.buyer_id)
        )


async def refund_order(run: ScenarioRun) -> None:
    """Refund the order in full, as goodwill; the provider is called once the shop runs."""
    async with run.shop.database.writes.begin() as session:
        order = await session.get_one(Order, run.order_id)
        await refund_in_goodwill(
            session,
            order.id,
            order.total,
            reason="茶叶受潮，全额退款",
            key=order.number,
            cause=Cause(run.shop.clock(), run.fixtures.manager_id),
        )


async def load_shipments(session: AsyncSession, run: ScenarioRun) -> Sequence[Shipment]:
    rows = select(Shipment).where(Shipment.order_id == run.order_id).order_by(Shipment.id)
    return (await session.scalars(rows)).all()


async def add_tracking_event(
    session: AsyncSession, run: ScenarioRun, shipment: Shipment, status: ShipmentStatus, description: str
) -> None:
    """Add a tracking event, a few seconds after the previous one."""
    now = run.shop.clock()
    _, locked = await lock_shipment(session, shipment.id)
    fact = TrackingFact(status, status.value, description, now + timedelta(seconds=locked.version))
    await add_tracking_events(
        session,
        locked,
        [fact],
        cause=Cause(now),
        receipt_after=run.shop.settings.deadlines.receipt_confirmed_after,
    )


STEPS: Mapping[str, Callable[[ScenarioRun], Awaitable[None]]] = {
    "pay": pay_order,
    "pay_first": pay_first_payment,
    "pack": pack_parcels,
    "dispatch": dispatch_parcels,
    "dispatch_first": dispatch_first_parcel,
    "hand_to_carrier": hand_to_carrier,
    "send_far": send_far,
    "deliver": deliver_parcels,
    "deliver_first": deliver_first_parcel,
    "bring_back": bring_parcels_back,
    "edit": edit_scenario_order,
    "confirm": confirm_scenario_receipt,
    "cancel": cancel_scenario_order,
    "refund": refund_order,
    **RUN_STEPS,
    **TICKET_STEPS,
}
