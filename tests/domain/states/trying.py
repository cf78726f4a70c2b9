"""Every act tried in every state, beside what the drawing says."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.answering import (
    accept_return,
    agree_ticket,
    decide_ticket,
    refuse_return,
    refuse_ticket,
)
from domain.aftersales.opening import cancel_ticket, escalate_ticket, ship_return
from domain.aftersales.settling import follow_refunds
from domain.errors import DomainError
from domain.payment import fail_refund, settle_refund
from events.shop import Shop
from models import Event, FulfilmentStatus, Order, OrderStatus, RefundStatus, Ticket
from tests.factories.aftersales import DEADLINES, refunds_of
from tests.factories.order import NOW
from tests.observe import everything

DOCUMENT = Path(__file__).parents[3] / "docs" / "states.md"
LATER = NOW + timedelta(days=30)
Act = Callable[[AsyncSession, Any], Awaitable[Any]]


def drawn(title: str) -> Mapping[str, Mapping[str, str]]:
    """The table under a heading: state -> command -> what comes of it."""
    lines = DOCUMENT.read_text().split(f"## {title}\n")[1].split("\n## ")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines if "|" in line)
    return {state: {row[0]: row[at] for row in rows} for at, state in enumerate(head) if at}


async def outcomes(
    shop: Shop, acts: Mapping[str, Act], find: Callable[[AsyncSession], Awaitable[Any]]
) -> Mapping[str, str]:
    """What each command makes of the thing, one at a time: its new state, or why not."""
    found: dict[str, str] = {}
    for name, act in acts.items():
        async with shop.database.writes() as session:
            thing = await find(session)
            state, told = state_of(thing), await events(session)
            try:
                await act(session, thing)
                await session.flush()
                await session.refresh(thing)
            except DomainError as refusal:
                found[name] = refusal.code.value
            else:
                same = "done" if await events(session) > told else "nothing"
                found[name] = state_of(thing) if state_of(thing) != state else same
            await session.rollback()
    return found


async def events(session: AsyncSession) -> int:
    """Every change is one."""
    return await session.scalar(select(func.count(Event.id))) or 0


def state_of(thing: Any) -> str:
    """For an order that is confirmed, how far its goods are, or that it is held."""
    if isinstance(thing, Order) and thing.held_at is not None:
        return "HELD"
    if isinstance(thing, Order) and thing.status is OrderStatus.CONFIRMED:
        untouched = thing.fulfilment_status is FulfilmentStatus.UNFULFILLED
        return thing.status.value if untouched else thing.fulfilment_status.value
    return str(thing.status.value)


async def agree(session: AsyncSession, ticket: Ticket) -> None:
    await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)


async def refuse(session: AsyncSession, ticket: Ticket) -> None:
    await refuse_ticket(session, ticket.id, DEADLINES, reason="Not ours.", now=NOW, by=None)


async def goods_sent(session: AsyncSession, ticket: Ticket) -> None:
    await ship_return(
        session, ticket.id, DEADLINES, carrier="SF", tracking_number="1", now=NOW, by=ticket.account_id
    )


async def goods_taken(session: AsyncSession, ticket: Ticket) -> None:
    await accept_return(session, ticket.id, DEADLINES, damaged=False, now=NOW, by=None)


async def goods_refused(session: AsyncSession, ticket: Ticket) -> None:
    await refuse_return(session, ticket.id, DEADLINES, reason="Used.", now=NOW, by=ticket.account_id)


async def escalate(session: AsyncSession, ticket: Ticket) -> None:
    await escalate_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)


async def withdraw(session: AsyncSession, ticket: Ticket) -> None:
    await cancel_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)


async def decide_no(session: AsyncSession, ticket: Ticket) -> None:
    await decide_ticket(
        session, ticket.id, DEADLINES, agreed=False, reason="No.", now=NOW, by=ticket.account_id
    )


async def refunded(session: AsyncSession, ticket: Ticket) -> None:
    for refund in await refunds_of(session, ticket):
        await settle_refund(session, refund.id, provider_reference="R", now=NOW)
    await follow_refunds(session, ticket.id, now=NOW)


async def not_refunded(session: AsyncSession, ticket: Ticket) -> None:
    for refund in await refunds_of(session, ticket):
        if refund.status is RefundStatus.PENDING:
            await fail_refund(session, refund.id, reason="No.", retry_after=timedelta(minutes=5), now=NOW)
    await follow_refunds(session, ticket.id, now=NOW)


WAY: Mapping[str, Sequence[Act]] = {
    "APPLIED": [],
    "AWAITING_RETURN": [agree],
    "RETURN_SHIPPED": [agree, goods_sent],
    "RETURN_REFUSED": [agree, goods_sent, goods_refused],
    "RESHIPPING": [agree, goods_sent, goods_taken],
    "REFUNDING": [agree, goods_sent, goods_taken],
    "REFUND_FAILED": [agree, goods_sent, goods_taken, not_refunded],
    "REFUSED": [refuse],
    "ARBITRATION": [refuse, escalate],
    "REJECTED": [refuse, escalate, decide_no],
    "COMPLETED": [agree, goods_sent, goods_taken, refunded],
    "CANCELLED": [withdraw],
}

Make = Callable[[AsyncSession, str], Awaitable[Any]]


async def tried(shop: Shop, title: str, state: str, make: Make, acts: Mapping[str, Act]) -> None:
    async with shop.database.writes.begin() as session:
        thing = await make(session, state)
        await session.flush()
        assert state_of(thing) == state
    before = await everything(shop)

    found = await outcomes(shop, acts, lambda session: session.get_one(type(thing), thing.id))

    assert found == drawn(title)[state]
    assert await everything(shop) == before
