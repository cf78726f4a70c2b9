"""Loading the demo shop: orders, tickets and refunds exist, and the books agree."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import func, select

from demo.load import load_demo
from demo.load.store_credit import GIFT_CODE
from domain.cause import Cause
from domain.store_credit import redeem_gift_card
from edge.commands.ticket_days import count_tickets
from events.shop import Shop
from gateways.secrets import fingerprint_of
from gateways.totp import normalize_recovery_code
from models import (
    Account,
    Backorder,
    CashHandIn,
    CourierCashMovement,
    DeliveryRun,
    Event,
    GiftCard,
    Notice,
    NoticeKind,
    Order,
    Refund,
    Role,
    Shipment,
    ShipmentStatus,
    StoreCreditMovement,
    Ticket,
    TicketAgent,
    TicketDay,
    TicketStatus,
)
from tests.observe import assert_books_agree, run_until_idle
from tests.process import environment_of, open_shop_of


@pytest.fixture(params=["demo_sqlite_url", "demo_postgres_url"], ids=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return environment_of(request, tmp_path)


async def count_rows(shop: Shop) -> list[int | None]:
    async with shop.database.reads() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) for table in (Order, Ticket, Refund)
        ]


async def test_nobody_is_told_of_the_past_of_the_demo_shop(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        async with shop.database.reads() as session:
            assert await session.scalar(
                select(func.count()).select_from(Event).where(Event.relayed_at.is_(None))
            )
        await run_until_idle(shop)

        async with shop.database.reads() as session:
            kinds = set(await session.scalars(select(Notice.kind)))
    assert kinds <= {
        NoticeKind.REFUND_SUCCEEDED,
        NoticeKind.RETURN_ARRIVED,
        NoticeKind.TICKET_COMPLETED,
    }  # refunds follow once it is open, and what comes back arrives


async def test_loading_the_demo_shop_twice_adds_nothing(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        await run_until_idle(shop)
        before = await count_rows(shop)
        await load_demo(shop, Console(quiet=True))
        await run_until_idle(shop)

        assert await count_rows(shop) == before
        assert all(before)
        await assert_books_agree(shop)


async def test_the_demo_shop_has_what_waits_what_came_back_and_what_was_edited(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop, shop.database.reads() as session:
        orders = {order.number: order for order in await session.scalars(select(Order))}
        guest = await session.get_one(Account, orders["DEMO0016"].account_id)
        waiting = (await session.scalars(select(Backorder))).all()
        edits = (await session.scalars(select(Event).where(Event.name == "order.edited"))).all()
        back = (await session.scalars(select(Shipment).where(Shipment.waiting_since.is_not(None)))).all()

        assert (guest.role, guest.name) == (Role.GUEST_BUYER, "许安")
        assert [(each.order_id, each.quantity) for each in waiting] == [(orders["DEMO0017"].id, 1)]
        assert [each.subject_id for each in edits] == [orders["DEMO0018"].id]
        assert [(each.order_id, each.status) for each in back] == [
            (orders["DEMO0019"].id, ShipmentStatus.RETURNED)
        ]


async def test_customers_of_the_demo_shop_ask_about_no_order_and_one_is_answered(
    env: dict[str, str],
) -> None:
    async with open_shop_of(env) as shop, shop.database.reads() as session:
        is_open = Ticket.order_id.is_(None) & Ticket.closed_at.is_(None)
        found = await session.scalars(select(Ticket.status).where(is_open))
        statuses = sorted(found)

    assert statuses == [TicketStatus.ANSWERED, TicketStatus.APPLIED, TicketStatus.APPLIED]


async def test_agents_have_tickets_in_various_states_and_others_wait_for_somebody(
    env: dict[str, str],
) -> None:
    async with open_shop_of(env) as shop:
        async with shop.database.reads() as session:
            agents = (await session.scalars(select(TicketAgent).order_by(TicketAgent.account_id))).all()
            is_present = Ticket.opened_at > shop.clock() - timedelta(days=2)
            tickets = (await session.scalars(select(Ticket).where(is_present).order_by(Ticket.id))).all()
            waiting = select(Ticket.id).where(Ticket.attend_by.is_not(None), Ticket.assignee_id.is_(None))
            left = (await session.scalars(waiting)).all()
        held = {
            agent.account_id: Counter(each.status for each in tickets if each.assignee_id == agent.account_id)
            for agent in agents
        }
        urgent = [each.urgent_terms for each in tickets if each.urgent_terms]
        await run_until_idle(shop)
        async with shop.database.reads() as session:
            assert (await session.scalars(waiting)).all() == left

        assert [(each.open_limit, each.away_since is None) for each in agents] == [
            (4, True),
            (3, True),
            (2, False),
        ]
        assert list(held.values()) == [
            {
                TicketStatus.APPLIED: 1,
                TicketStatus.RETURN_SHIPPED: 3,
                TicketStatus.AWAITING_RETURN: 1,
                TicketStatus.RESHIPPING: 1,
                TicketStatus.REFUSED: 2,
                TicketStatus.ANSWERED: 2,
            },
            {TicketStatus.APPLIED: 3, TicketStatus.REFUNDING: 1, TicketStatus.REFUSED: 1},
            {},
        ]
        assert len(left) == 2
        assert urgent == [["尽快"]]
        await assert_books_agree(shop)


async def test_the_demo_shop_has_gift_cards_store_credit_and_cash_in_hand(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        await run_until_idle(shop)
        async with shop.database.reads() as session:
            cards = (await session.scalars(select(GiftCard).order_by(GiftCard.id))).all()
            credit = await session.scalar(select(func.sum(StoreCreditMovement.amount)))
            held = (
                await session.scalars(select(DeliveryRun).where(DeliveryRun.cash_held_since.is_not(None)))
            ).all()
            in_hand = await session.scalar(select(func.sum(CourierCashMovement.amount)))
            open_counts = (
                await session.scalars(select(CashHandIn).where(CashHandIn.resolved_at.is_(None)))
            ).all()
        async with shop.database.writes.begin() as session:
            customer = (await session.scalars(select(Account).where(Account.role == Role.CUSTOMER))).first()
            assert customer
            code_hash = fingerprint_of(normalize_recovery_code(GIFT_CODE))
            cause = Cause(shop.clock(), customer.id)
            redeemed = await redeem_gift_card(session, customer.id, code_hash, cause=cause)

        assert [card.status.value for card in cards] == ["ISSUED", "REDEEMED", "VOIDED"]
        assert (redeemed.id, redeemed.amount, credit) == (cards[0].id, 20_000, 8_800)
        assert len(held) == len(open_counts) == 1
        assert in_hand
        assert [each.difference.minor for each in open_counts] == [-1_000]
        await assert_books_agree(shop)


async def test_the_past_of_the_demo_shop_is_counted_by_day_and_its_books_agree(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        await count_tickets(shop)
        async with shop.database.reads() as session:
            days = (await session.scalars(select(TicketDay).where(TicketDay.opened > 0))).all()
            left = await session.scalar(select(func.count()).where(Ticket.recount_at.is_not(None)))

        assert sum(day.opened for day in days) == sum(day.resolved for day in days) == 20
        assert sum(day.reopened for day in days) == 3
        assert [sum(day.ratings[place] for day in days) for place in range(5)] == [0, 2, 3, 4, 8]
        assert {len(day.agents) for day in days} == {0, 1}
        assert left
        await assert_books_agree(shop)
