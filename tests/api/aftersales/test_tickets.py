"""Tickets over the API, from the quote to the end."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import last_moment
from events.shop import Shop
from models import (
    Order,
    OrderStatus,
    PaymentStatus,
    Role,
    SandboxCharge,
    StockLevel,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from resolvers.ids import global_id
from tests.api.aftersales.documents import OPEN, QUOTE, TICKET, TicketCase, command, open_ticket, status_of
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_media, create_ticket, order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import arrive, create_order, dispatch
from tests.given import codes
from tests.observe import run_until_idle

DAY = timedelta(days=1)


async def test_a_customer_sees_the_exact_refund_before_opening_a_ticket(
    case: TicketCase, shop: Shop, clock: Clock
) -> None:
    quote = (await case.customer.get(QUOTE, input=case.claim(2)))["ticketQuote"]

    assert quote == {
        "eligible": True,
        "refusal": None,
        "deadline": last_moment(clock(), 15, shop.settings.locale.zone).isoformat(),
        "lines": [{"line": {"title": "Teapot"}, "quantity": 2, "left": 3, "refund": {"amount": "198.00"}}],
        "shipping": {"amount": "0.00"},
        "refund": {"amount": "198.00", "currencyCode": "CNY"},
        "legs": [{"payment": {"method": "SANDBOX"}, "refund": {"amount": "198.00"}}],
    }


async def test_a_customer_sees_the_refusal_before_opening_a_ticket(
    case: TicketCase, clients: Clients, clock: Clock
) -> None:
    clock.tick(8 * DAY)
    customer = await clients.customer(case.customer.account)

    quote = (await customer.get(QUOTE, input=case.claim(reason="NO_REASON")))["ticketQuote"]
    payload = await customer.do(OPEN, **case.application(reason="NO_REASON"))

    assert quote["eligible"] is False
    assert quote["refusal"]["code"] == "WINDOW_CLOSED"
    assert quote["refund"]["amount"] == "0.00"
    assert codes(payload) == ["NOT_ELIGIBLE"]
    assert payload["userErrors"][0]["message"] == quote["refusal"]["message"]


async def test_a_return_ends_with_its_refund(case: TicketCase, shop: Shop, session: AsyncSession) -> None:
    picture = await create_media(session, uploader_id=case.order.account_id)
    await session.commit()
    clerk = await case.customer.clients.staff(Role.WAREHOUSE)
    ticket = await open_ticket(case, mediaIds=[global_id("Media", picture.id)])

    steps: Sequence[tuple[Client, str, dict[str, Any]]] = [
        (case.agent, "ticketAgree", {}),
        (case.customer, "ticketReturnShip", {"carrier": "SIMULATED", "trackingNumber": "SIM-77 1"}),
        (clerk, "ticketReturnReceive", {"units": [case.came_back("DAMAGED", accepted=True)]}),
    ]
    statuses = []
    for who, name, given in steps:
        payload = await who.do(command(name), id=ticket, **given)
        statuses.append(payload["ticket"]["status"])
    await run_until_idle(shop)

    found = (await case.customer.get(TICKET, id=ticket))["ticket"]
    assert statuses == ["AWAITING_RETURN", "RETURN_SHIPPED", "REFUNDING"]
    assert found["status"] == "COMPLETED"
    assert found["media"] == [{"url": f"http://shop.test{picture.url}"}]
    assert found["lines"] == [
        {"quantity": 1, "refund": {"amount": "99.00"}, "orderLine": {"title": "Teapot"}}
    ]
    assert found["refunds"] == [{"total": {"amount": "99.00"}, "status": "SUCCEEDED"}]
    assert [(event["version"], event["name"], event["status"]) for event in found["timeline"]] == [
        (1, "ticket.opened", "APPLIED"),
        (2, "ticket.agreed", "AWAITING_RETURN"),
        (3, "ticket.return_shipped", "RETURN_SHIPPED"),
        (4, "ticket.return_accepted", "REFUNDING"),
        (5, "ticket.completed", "COMPLETED"),
    ]
    level = (await session.scalars(select(StockLevel))).one()
    assert (level.on_hand, level.reserved, level.damaged) == (7, 0, 1)
    await session.commit()


async def test_a_refund_the_provider_refuses_is_shown_and_tried_again(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    charge = (await session.scalars(select(SandboxCharge))).one()
    charge.status = PaymentStatus.CLOSED
    await session.commit()
    ticket = await open_ticket(case, type="REFUND_ONLY")
    await case.agent.do(command("ticketAgree"), id=ticket)
    await run_until_idle(shop)
    assert await status_of(case, ticket) == "REFUND_FAILED"

    (await session.scalars(select(SandboxCharge))).one().status = PaymentStatus.CAPTURED
    await session.commit()
    await case.agent.do(command("ticketRefundRetry"), id=ticket)
    await run_until_idle(shop)

    assert await status_of(case, ticket) == "COMPLETED"


async def test_a_replacement_is_packed_sent_and_ends_the_ticket(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    ticket = await open_ticket(case, type="RESHIP", reason="WRONG_ITEM", quantity=2)
    await case.agent.do(command("ticketAgree"), id=ticket)
    assert await status_of(case, ticket) == "RESHIPPING"

    order = await session.get_one(Order, case.order.id)
    for shipment in await dispatch(session, order, now=shop.clock()):
        await arrive(session, shipment, now=shop.clock())
    await session.commit()
    await run_until_idle(shop)

    found = (await case.customer.get(TICKET, id=ticket))["ticket"]
    assert found["status"] == "COMPLETED"
    assert found["replacements"] == [{"lines": [{"quantity": 2}]}]


async def test_an_unanswered_ticket_is_agreed_by_itself(case: TicketCase, shop: Shop, clock: Clock) -> None:
    ticket = await open_ticket(case)
    clock.tick(2 * DAY)
    await run_until_idle(shop)

    async with shop.database.reads() as session:
        row = (await session.scalars(select(Ticket))).one()
        assert row.status is TicketStatus.AWAITING_RETURN
        assert global_id("Ticket", row.id) == ticket


async def test_an_open_ticket_ends_with_its_order(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    first, second = [await variant_of(session, await create_product(session)) for _ in "ab"]
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.CONFIRMED,
        lines=[(first, 1), (second, 1)],
        now=shop.clock(),
    )
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(
        session,
        order=order,
        lines=[(line, 1)],
        type=TicketType.REFUND_ONLY,
        reason=TicketReason.NO_REASON,
        now=shop.clock(),
    )
    await session.commit()
    cancel = "mutation($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code } } }"
    assert codes(await customer.do(cancel, id=global_id("Order", order.id), reason="All of it.")) == []
    await run_until_idle(shop)

    assert (await session.get_one(Ticket, ticket.id)).status is TicketStatus.CANCELLED
    await session.commit()


async def test_two_agents_who_agree_at_once_refund_once(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    ticket = await open_ticket(case, type="REFUND_ONLY")
    agents = [case.agent, await clients.staff(Role.SUPPORT)]

    replies = await asyncio.gather(*(agent.do(command("ticketAgree"), id=ticket) for agent in agents))

    assert sorted(codes(reply) for reply in replies) == [[], ["WRONG_STATE"]]
    found = (await case.agent.get(TICKET, id=ticket))["ticket"]
    assert [refund["total"]["amount"] for refund in found["refunds"]] == ["99.00"]


async def test_a_customer_chooses_store_credit_for_a_refund_until_it_is_requested(
    case: TicketCase, shop: Shop
) -> None:
    ticket = await open_ticket(case, type="REFUND_ONLY")
    choose, target = command("ticketRefundChoose"), "query($id: ID!) { ticket(id: $id) { refundTarget } }"
    before = (await case.customer.get(target, id=ticket))["ticket"]
    chosen = await case.customer.do(choose, id=ticket, refundTo="STORE_CREDIT")
    await case.agent.do(command("ticketAgree"), id=ticket)
    late = await case.customer.do(choose, id=ticket, refundTo="ORIGINAL")
    await run_until_idle(shop)
    credit = await case.customer.get("{ storeCredit { amount } }")

    assert (before["refundTarget"], chosen["userErrors"]) == ("ORIGINAL", [])
    assert codes(late) == ["WRONG_STATE"]
    assert (await case.customer.get(target, id=ticket))["ticket"]["refundTarget"] == "STORE_CREDIT"
    assert credit["storeCredit"] == [{"amount": "99.00"}]
