"""Questions over the API: by customers, guests, and by staff for them."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Event, Order, OrderStatus, Ticket
from resolvers.ids import global_id
from tests.api.aftersales.documents import QUOTE, TicketCase, command
from tests.api.order.test_guests import order_as_guest
from tests.clients import Clients
from tests.given import codes, refusals
from tests.observe import assert_books_agree, run_until_idle

ASK = """mutation($input: TicketOpenInput!) { ticketOpen(input: $input) {
  ticket { id type status channel lines { quantity } refund { amount } } userErrors { code field } } }"""


def question(order_id: str, **more: Any) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "type": "QUESTION",
        "reason": "QUESTION",
        "description": "Is it dishwasher safe?",
        "idempotencyKey": "question",
    } | more


async def test_a_customer_asks_is_answered_asks_on_and_the_question_is_closed(
    case: TicketCase, shop: Shop
) -> None:
    order_id = global_id("Order", case.order.id)
    quote = (await case.customer.get(QUOTE, input=case.claim(type="QUESTION", reason="QUESTION", lines=[])))[
        "ticketQuote"
    ]
    opened = await case.customer.do(ASK, **question(order_id))
    again = await case.customer.do(ASK, **question(order_id))
    ticket = opened["ticket"]["id"]
    say, close = command("ticketMessageAdd"), command("ticketClose")

    too_early = await case.customer.do(close, id=ticket)
    statuses = [
        (await who.do(say, id=ticket, body="Hm."))["ticket"]["status"]
        for who in (case.agent, case.customer, case.agent)
    ]
    closed = await case.customer.do(close, id=ticket)
    late = await case.customer.do(say, id=ticket, body="And the lid?")
    await run_until_idle(shop)

    assert (quote["eligible"], quote["refund"]["amount"], quote["lines"]) == (True, "0.00", [])
    assert opened["ticket"] == {
        "id": ticket,
        "type": "QUESTION",
        "status": "APPLIED",
        "channel": "ONLINE",
        "lines": [],
        "refund": {"amount": "0.00"},
    }
    assert again["ticket"]["id"] == ticket
    assert codes(too_early) == ["WRONG_STATE"]
    assert statuses == ["ANSWERED", "APPLIED", "ANSWERED"]
    assert closed["ticket"]["status"] == "COMPLETED"
    assert codes(late) == ["WRONG_STATE"]
    async with shop.database.reads() as session:
        order = await session.get_one(Order, case.order.id)
        reopened = select(func.count(Event.id)).where(Event.name == "order.reopened")
        assert (order.status, await session.scalar(reopened)) == (OrderStatus.COMPLETED, 0)
    await assert_books_agree(shop)


async def test_a_question_names_no_lines_and_a_claim_is_none(case: TicketCase, shop: Shop) -> None:
    order_id = global_id("Order", case.order.id)
    lines = case.claim()["lines"]

    answers = [
        await case.customer.do(ASK, **question(order_id, **wrong))
        for wrong in (
            {"lines": lines},
            {"reason": "DAMAGED"},
            {"type": "RETURN_REFUND", "lines": lines},
            {"type": "RETURN_REFUND", "reason": "DAMAGED"},
            {"description": " "},
            {"description": "x" * 2_001},
        )
    ]

    assert [refusals(each) for each in answers] == [
        [("INVALID", "lines")],
        [("NOT_ELIGIBLE", "reason")],
        [("NOT_ELIGIBLE", "reason")],
        [("EMPTY", "lines")],
        [("INVALID", "description")],
        [("INVALID", "description")],
    ]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(Ticket))).all() == []


async def test_staff_open_a_ticket_for_who_calls_and_say_how_they_asked(case: TicketCase) -> None:
    order_id = global_id("Order", case.order.id)

    called = await case.agent.do(ASK, **question(order_id, channel="PHONE"))
    unsaid = await case.agent.do(ASK, **question(order_id, idempotencyKey="2"))
    claimed = await case.agent.do(ASK, **case.application(channel="MAIL"))
    forged = await case.customer.do(ASK, **question(order_id, channel="PHONE"))
    seen = await case.customer.get("query { tickets(first: 9) { nodes { channel } } }")

    assert called["ticket"]["channel"] == "PHONE"
    assert unsaid["ticket"]["channel"] == "OTHER"
    assert claimed["ticket"]["channel"] == "MAIL"
    assert codes(forged) == ["FORBIDDEN"]
    assert [each["channel"] for each in seen["tickets"]["nodes"]] == ["MAIL", "OTHER", "PHONE"]


@pytest.mark.settings(guests_ask="false")
async def test_a_guest_asks_about_their_order_only_where_the_shop_lets_them(
    clients: Clients, session: AsyncSession
) -> None:
    holder, placed = await order_as_guest(clients, session)

    assert codes(await holder.do(ASK, **question(placed["id"]))) == ["FORBIDDEN"]


async def test_a_question_is_answered_and_not_agreed_or_refused(case: TicketCase) -> None:
    opened = await case.customer.do(ASK, **question(global_id("Order", case.order.id)))
    ticket = opened["ticket"]["id"]

    answers = [
        await case.agent.do(command("ticketAgree"), id=ticket),
        await case.agent.do(command("ticketRefuse"), id=ticket, reason="No."),
        await case.customer.do(command("ticketRefundChoose"), id=ticket, refundTo="STORE_CREDIT"),
        await case.customer.do(command("ticketReapply"), id=ticket, description="Please."),
    ]

    assert [codes(each) for each in answers] == [["WRONG_STATE"]] * 4


async def test_a_guest_cancels_an_order_and_their_question_about_it_stays(
    clients: Clients, session: AsyncSession
) -> None:
    holder, placed = await order_as_guest(clients, session)
    opened = await holder.do(ASK, **question(placed["id"]))
    cancel = "mutation($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code } } }"
    cancelled = await holder.do(cancel, id=placed["id"], reason="Never mind.")
    await run_until_idle(clients.shop)

    found = await holder.get("query($id: ID!) { ticket(id: $id) { status } }", id=opened["ticket"]["id"])

    assert (codes(cancelled), found["ticket"]["status"]) == ([], "APPLIED")
    await assert_books_agree(clients.shop)
