"""Runs every command in every state, and compares the outcomes with the tables of docs/states.md."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import (
    agree_ticket,
    refuse_ticket,
)
from domain.aftersales.difference import choose_difference_payment, send_paid_replacement
from domain.aftersales.replacement_choice import choose_replacement, fill_waiting_ticket
from domain.aftersales.requests import cancel_ticket, escalate_ticket
from domain.aftersales.return_waybill import OTHER_CARRIER, ReturnWaybill, ship_return
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.cause import Cause
from domain.errors import DomainError
from domain.payment import capture_payment, fail_refund, settle_refund
from domain.shipment import TrackingFact, add_tracking_events, lock_shipment
from domain.stock import adjust_stock
from events.shop import Shop
from models import (
    CurrencyCode,
    Event,
    FulfilmentStatus,
    MovementKind,
    Order,
    OrderLine,
    OrderStatus,
    PaymentMethod,
    Product,
    RefundStatus,
    ReplacementChoice,
    Shipment,
    ShipmentStatus,
    ShipmentTask,
    StockLevel,
    Ticket,
    TicketDifference,
    TicketStatus,
)
from tests.factories.aftersales import DEADLINES, refunds_of
from tests.factories.catalog import create_variant
from tests.factories.order import NOW, RECEIPT_AFTER, TERMS, dispatch
from tests.factories.returns import accept_return, decide, refuse_return
from tests.observe import read_all_rows

DOCUMENT = Path(__file__).parents[3] / "docs" / "states.md"
LATER = NOW + timedelta(days=30)
Command = Callable[[AsyncSession, Any], Awaitable[Any]]


def documented_outcomes(title: str) -> Mapping[str, Mapping[str, str]]:
    """The table under a heading: the outcome by state and command."""
    lines = DOCUMENT.read_text().split(f"## {title}\n")[1].split("\n## ")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines if "|" in line)
    return {state: {row[0]: row[at] for row in rows} for at, state in enumerate(head) if at}


async def try_commands(
    shop: Shop, commands: Mapping[str, Command], find: Callable[[AsyncSession], Awaitable[Any]]
) -> Mapping[str, str]:
    """The outcome of each command on the row that `find` returns: its new state or an error code.

    Each command is rolled back.
    """
    found: dict[str, str] = {}
    for name, command in commands.items():
        async with shop.database.writes() as session:
            thing = await find(session)
            state, before = state_of(thing), await count_events(session)
            try:
                await command(session, thing)
                await session.flush()
                await session.refresh(thing)
            except DomainError as refusal:
                found[name] = refusal.code.value
            else:
                same = "done" if await count_events(session) > before else "nothing"
                found[name] = state_of(thing) if state_of(thing) != state else same
            await session.rollback()
    return found


async def count_events(session: AsyncSession) -> int:
    """How many events are stored; every change stores one."""
    return await session.scalar(select(func.count(Event.id))) or 0


def state_of(thing: Any) -> str:
    """Its status; of a confirmed order the fulfilment status, or HELD."""
    if isinstance(thing, Order) and thing.held_at is not None:
        return "HELD"
    if isinstance(thing, Order) and thing.status is OrderStatus.CONFIRMED:
        untouched = thing.fulfilment_status is FulfilmentStatus.UNFULFILLED
        return thing.status.value if untouched else thing.fulfilment_status.value
    if isinstance(thing, Shipment):
        return state_of_shipment(thing)
    if isinstance(thing, ShipmentTask):
        return "ENDED" if thing.ended_at is not None else thing.kind.value
    return str(thing.status.value)


def state_of_shipment(shipment: Shipment) -> str:
    """Its status, or what has become of it since it came back or was lost."""
    if shipment.ended_at is not None:
        return "ENDED"
    if shipment.inspected_at is not None:
        return "INSPECTED"
    return "LOST" if shipment.status is ShipmentStatus.EXPIRED else shipment.status.value


async def agree(session: AsyncSession, ticket: Ticket) -> None:
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))


async def refuse(session: AsyncSession, ticket: Ticket) -> None:
    await refuse_ticket(session, ticket.id, DEADLINES, reason="Not ours.", cause=Cause(NOW, None))


async def send_return(session: AsyncSession, ticket: Ticket) -> None:
    waybill = ReturnWaybill(OTHER_CARRIER, "SF1001", "SF Express")
    await ship_return(session, ticket.id, waybill, DEADLINES, cause=Cause(NOW, ticket.account_id))


async def accept_returned(session: AsyncSession, ticket: Ticket) -> None:
    await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(NOW, None))


async def refuse_returned(session: AsyncSession, ticket: Ticket) -> None:
    await refuse_return(session, ticket.id, DEADLINES, reason="Used.", cause=Cause(NOW, ticket.account_id))


async def escalate(session: AsyncSession, ticket: Ticket) -> None:
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))


async def withdraw(session: AsyncSession, ticket: Ticket) -> None:
    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))


async def reject(session: AsyncSession, ticket: Ticket) -> None:
    await decide(
        session, ticket.id, DEADLINES, agreed=False, reason="No.", cause=Cause(NOW, ticket.account_id)
    )


async def settle_refunds(session: AsyncSession, ticket: Ticket) -> None:
    for refund in await refunds_of(session, ticket):
        await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def fail_refunds(session: AsyncSession, ticket: Ticket) -> None:
    for refund in await refunds_of(session, ticket):
        if refund.status is RefundStatus.PENDING:
            await fail_refund(
                session, refund.id, reason="No.", retry_after=timedelta(minutes=5), cause=Cause(NOW)
            )
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def sell_out(session: AsyncSession, ticket: Ticket) -> None:
    """Everything that is left of what a ticket is about is gone."""
    for level in await session.scalars(select(StockLevel).where(StockLevel.available > 0)):
        await adjust_stock(
            session,
            variant_id=level.variant_id,
            warehouse_id=level.warehouse_id,
            kind=MovementKind.CORRECTED,
            quantity=-level.available,
            reason="Sold in the shop.",
            cause=Cause(NOW, None),
        )


async def wait(session: AsyncSession, ticket: Ticket) -> None:
    await choose_replacement(
        session, ticket.id, ReplacementChoice.WAIT, DEADLINES, cause=Cause(NOW, ticket.account_id)
    )


async def take_money(session: AsyncSession, ticket: Ticket) -> None:
    await choose_replacement(
        session, ticket.id, ReplacementChoice.MONEY, DEADLINES, cause=Cause(NOW, ticket.account_id)
    )


async def take_variant(session: AsyncSession, ticket: Ticket) -> None:
    """Take another variant of the same product at the same price."""
    await take_variant_at(session, ticket, 9_900)


async def take_dearer_variant(session: AsyncSession, ticket: Ticket) -> None:
    """Take another variant of the same product that costs 20.00 more."""
    await take_variant_at(session, ticket, 11_900)


async def take_variant_at(session: AsyncSession, ticket: Ticket, price: int) -> None:
    line = (await session.scalars(select(OrderLine).where(OrderLine.order_id == ticket.order_id))).first()
    product = await session.get_one(Product, line.product_id if line else 0)
    options, prices = {"Colour": f"Blue {price}"}, {CurrencyCode.CNY: price}
    variant = await create_variant(session, product, options=options, prices=prices)
    await choose_replacement(
        session,
        ticket.id,
        ReplacementChoice.VARIANT,
        DEADLINES,
        variant_id=variant.id,
        cause=Cause(NOW, ticket.account_id),
    )


async def say_how_to_pay(session: AsyncSession, ticket: Ticket) -> None:
    cause = Cause(NOW, ticket.account_id)
    await choose_difference_payment(session, ticket.id, PaymentMethod.SANDBOX, TERMS, cause=cause)


async def pay_difference(session: AsyncSession, ticket: Ticket) -> None:
    """The customer pays what the replacement costs more, where anything is to be paid."""
    if ticket.status is TicketStatus.AWAITING_PAYMENT:
        await say_how_to_pay(session, ticket)
    for difference in await session.scalars(
        select(TicketDifference).where(TicketDifference.ticket_id == ticket.id)
    ):
        assert difference.payment_id is not None
        await capture_payment(session, difference.payment_id, cause=Cause(NOW))
        await send_paid_replacement(session, difference.payment_id, DEADLINES, cause=Cause(NOW))


async def fill(session: AsyncSession, ticket: Ticket) -> None:
    await fill_waiting_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def track_replacement(session: AsyncSession, ticket: Ticket, status: ShipmentStatus) -> None:
    """Send the replacement of a ticket, which then arrives or comes back."""
    if ticket.status is TicketStatus.RESHIPPING:
        order = await session.get_one(Order, ticket.order_id)
        for shipment in await dispatch(session, order):
            _, parcel = await lock_shipment(session, shipment.id)
            facts = [TrackingFact(status, status.value, "Reported.", NOW)]
            await add_tracking_events(session, parcel, facts, cause=Cause(NOW), receipt_after=RECEIPT_AFTER)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def deliver_replacement(session: AsyncSession, ticket: Ticket) -> None:
    await track_replacement(session, ticket, ShipmentStatus.DELIVERED)


async def bring_replacement_back(session: AsyncSession, ticket: Ticket) -> None:
    await track_replacement(session, ticket, ShipmentStatus.RETURNED)


COMMANDS_TO_STATE: Mapping[str, Sequence[Command]] = {
    "APPLIED": [],
    "AWAITING_RETURN": [agree],
    "RETURN_SHIPPED": [agree, send_return],
    "RETURN_REFUSED": [agree, send_return, refuse_returned],
    "RESHIPPING": [agree, send_return, accept_returned],
    "REFUNDING": [agree, send_return, accept_returned],
    "REFUND_FAILED": [agree, send_return, accept_returned, fail_refunds],
    "REFUSED": [refuse],
    "ARBITRATION": [refuse, escalate],
    "REJECTED": [refuse, escalate, reject],
    "COMPLETED": [agree, send_return, accept_returned, settle_refunds],
    "CANCELLED": [withdraw],
    "REPAIRING": [agree, send_return, accept_returned],
    "AWAITING_CHOICE": [agree, send_return, sell_out, accept_returned],
    "AWAITING_STOCK": [agree, send_return, sell_out, accept_returned, wait],
    "AWAITING_PAYMENT": [agree, send_return, sell_out, accept_returned, take_dearer_variant],
}

Create = Callable[[AsyncSession, str], Awaitable[Any]]


async def check_outcomes(
    shop: Shop, title: str, state: str, make: Create, commands: Mapping[str, Command]
) -> None:
    async with shop.database.writes.begin() as session:
        thing = await make(session, state)
        await session.flush()
        assert state_of(thing) == state
    before = await read_all_rows(shop)

    found = await try_commands(shop, commands, lambda session: session.get_one(type(thing), thing.id))

    assert found == documented_outcomes(title)[state]
    assert await read_all_rows(shop) == before
