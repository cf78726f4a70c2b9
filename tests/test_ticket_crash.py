"""Two workers act on overdue tickets, one is killed in between: each ticket is acted on exactly once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Event, OrderStatus, Refund, RuleDecision, Ticket, TicketReason, TicketStatus, TicketType
from tests.factories.aftersales import change_silence, create_question, create_ticket
from tests.factories.order import create_order
from tests.journey.device import wait_until
from tests.observe import assert_books_agree
from tests.process import process_environment, serve_shop

TICKETS = 12
LIMIT = 8
"""Tickets that the rule may agree to in one day."""


@pytest.fixture
def env(new_postgres_url: str, tmp_path: Path) -> dict[str, str]:
    """Of both workers, which look often for what is due."""
    quick = dict.fromkeys(("EVENT_LEASE",), "1") | {"RELAY_PAUSE": "0.1", "TIMER_PAUSE": "0.2"}
    return process_environment(new_postgres_url, tmp_path, RUN_WORKER="true", **quick)


async def open_overdue_tickets(shop: Shop) -> None:
    """Tickets and a question that nobody has answered for three days."""
    past = shop.clock() - timedelta(days=3)
    async with shop.database.writes.begin() as session:
        await change_silence(session, daily_tickets=LIMIT)
        for _ in range(TICKETS):
            order = await create_order(session, status=OrderStatus.COMPLETED, now=past)
            await create_ticket(
                session,
                order=order,
                type=TicketType.RETURN_REFUND,
                reason=TicketReason.QUALITY_FAULT,
                now=past,
            )
        await create_question(session, now=past)


async def count_acted(shop: Shop) -> int:
    """How many of the tickets have been agreed to, or made a task of the managers."""
    async with shop.database.reads() as session:
        overdue = Ticket.overdue_since.is_not(None)
        acted = overdue | (Ticket.status == TicketStatus.AWAITING_RETURN)
        return await session.scalar(select(func.count(Ticket.id)).where(acted)) or 0


async def test_after_kill_9_every_deadline_is_acted_on_once_and_within_the_limit(
    env: dict[str, str], other_shop: Shop, tmp_path: Path
) -> None:
    await open_overdue_tickets(other_shop)

    async def has_begun() -> bool:
        return await count_acted(other_shop) > 0

    async def is_done() -> bool:
        return await count_acted(other_shop) == TICKETS + 1

    async with serve_shop(env, tmp_path / "first.log") as first, serve_shop(env, tmp_path / "second.log"):
        await wait_until("a worker acts", has_begun)
        first.kill()
        await wait_until("the other one acts on the rest", is_done)

    async with other_shop.database.reads() as session:
        names = await session.execute(
            select(Event.name, func.count(Event.id))
            .where(Event.name.in_(["ticket.agreed", "ticket.overdue"]))
            .group_by(Event.name)
        )
        decided = await session.scalar(select(func.count()).select_from(RuleDecision))
        refunds = await session.scalar(select(func.count(Refund.id)))
    assert sorted((name, count) for name, count in names) == [
        ("ticket.agreed", LIMIT),
        ("ticket.overdue", TICKETS + 1 - LIMIT),
    ]
    assert (decided, refunds) == (LIMIT, 0)
    await assert_books_agree(other_shop)
