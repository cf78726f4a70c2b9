"""Tickets through the front door."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from events.shop import Shop
from models import (
    Order,
    OrderLine,
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
from tests.conftest import Clock
from tests.factories.aftersales import create_media, create_ticket, lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.knowledge import create_article
from tests.factories.order import arrive, create_order, dispatch, payments_of
from tests.front import Client, Front
from tests.observe import settle, statements

DAY = timedelta(days=1)

QUOTE = """query($input: TicketQuoteInput!) { ticketQuote(input: $input) {
  eligible refusal { code message } deadline
  lines { line { title } quantity left refund { amount } }
  shipping { amount } refund { amount currencyCode } legs { payment { method } refund { amount } } } }"""
SEEN = """ticket { id number status version refund { amount } refusal messages { body internal fromStaff } }
  userErrors { code field message }"""
OPEN = f"mutation($input: TicketOpenInput!) {{ ticketOpen(input: $input) {{ {SEEN} }} }}"
TICKET = """query($id: ID, $number: String) { ticket(id: $id, number: $number) {
  id status number description customer { name } assignee { name } dueAt
  messages { body internal fromStaff author { name } } media { url } timeline { version name status }
  lines { quantity refund { amount } orderLine { title } } refunds { total { amount } status }
  order { number } replacements { lines { quantity } } suggestedArticles { title } } }"""
TICKETS = """query($filter: TicketFilter, $first: Int! = 20) { tickets(filter: $filter, first: $first) {
  totalCount nodes { number } } }"""
UPDATES = """subscription($id: ID!, $after: Int) { ticketUpdates(id: $id, after: $after) {
  version name status ticket { version } } }"""


def command(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}"
    return f"mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {SEEN} }} }}"


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


@dataclass
class Case:
    """A customer with a received order of three teapots, paid with play money."""

    customer: Client
    agent: Client
    order: Order
    line: OrderLine

    def asked(self, quantity: int = 1, **more: Any) -> dict[str, Any]:
        return {
            "orderId": global_id("Order", self.order.id),
            "type": "RETURN_REFUND",
            "reason": "QUALITY_FAULT",
            "lines": [{"lineId": global_id("OrderLine", self.line.id), "quantity": quantity}],
        } | more

    def application(self, quantity: int = 1, **more: Any) -> dict[str, Any]:
        words = {"description": "It leaks.", "idempotencyKey": f"key-{quantity}"}
        return self.asked(quantity, **(words | more))


@pytest.fixture
async def case(front: Front, shop: Shop) -> Case:
    customer, agent = await front.customer(), await front.staff(Role.SUPPORT)
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, title="Teapot"))
        order = await create_order(
            session,
            account=customer.account,
            status=OrderStatus.COMPLETED,
            lines=[(variant, 3)],
            now=shop.clock(),
        )
        for payment in await payments_of(session, order):
            session.add(
                SandboxCharge(
                    reference=payment.reference,
                    order_number=order.number,
                    currency=payment.currency,
                    amount=payment.amount,
                    refunded_amount=0,
                    status=PaymentStatus.CAPTURED,
                )
            )
        line = (await lines_of(session, order))[0]
    await settle(shop)
    return Case(customer, agent, order, line)


async def opened(case: Case, **more: Any) -> str:
    payload = await case.customer.do(OPEN, **case.application(**more))
    assert payload["userErrors"] == []
    found: str = payload["ticket"]["id"]
    return found


async def status_of(case: Case, ticket_id: str) -> str:
    found: str = (await case.agent.get(TICKET, id=ticket_id))["ticket"]["status"]
    return found


async def test_a_customer_sees_the_exact_refund_before_asking(case: Case, shop: Shop, clock: Clock) -> None:
    quote = (await case.customer.get(QUOTE, input=case.asked(2)))["ticketQuote"]

    assert quote == {
        "eligible": True,
        "refusal": None,
        "deadline": (clock() + 15 * DAY).isoformat(),
        "lines": [{"line": {"title": "Teapot"}, "quantity": 2, "left": 3, "refund": {"amount": "198.00"}}],
        "shipping": {"amount": "0.00"},
        "refund": {"amount": "198.00", "currencyCode": "CNY"},
        "legs": [{"payment": {"method": "SANDBOX"}, "refund": {"amount": "198.00"}}],
    }


async def test_a_customer_sees_why_not_before_asking(case: Case, front: Front, clock: Clock) -> None:
    clock.tick(8 * DAY)
    customer = await front.customer(case.customer.account)

    quote = (await customer.get(QUOTE, input=case.asked(reason="NO_REASON")))["ticketQuote"]
    payload = await customer.do(OPEN, **case.application(reason="NO_REASON"))

    assert quote["eligible"] is False
    assert quote["refusal"]["code"] == "WINDOW_CLOSED"
    assert quote["refund"]["amount"] == "0.00"
    assert codes(payload) == ["NOT_ELIGIBLE"]
    assert payload["userErrors"][0]["message"] == quote["refusal"]["message"]


async def test_a_return_goes_all_the_way_to_the_money(case: Case, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        picture = await create_media(session, uploader_id=case.order.account_id)
    clerk = await case.customer.front.staff(Role.WAREHOUSE)
    ticket = await opened(case, mediaIds=[global_id("Media", picture.id)])

    steps: Sequence[tuple[Client, str, dict[str, Any]]] = [
        (case.agent, "ticketAgree", {}),
        (case.customer, "ticketReturnShip", {"carrier": "SF Express", "trackingNumber": "SF1"}),
        (clerk, "ticketReturnReceive", {"accepted": True, "damaged": True}),
    ]
    statuses = []
    for who, name, given in steps:
        payload = await who.do(command(name), id=ticket, **given)
        statuses.append(payload["ticket"]["status"])
    await settle(shop)

    found = (await case.customer.get(TICKET, id=ticket))["ticket"]
    assert statuses == ["AWAITING_RETURN", "RETURN_SHIPPED", "REFUNDING"]
    assert found["status"] == "COMPLETED"
    assert found["media"] == [{"url": picture.url}]
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
    async with shop.database.reads() as session:
        level = (await session.scalars(select(StockLevel))).one()
        assert (level.on_hand, level.reserved, level.damaged) == (7, 0, 1)


async def test_a_refund_the_provider_refuses_is_shown_and_tried_again(case: Case, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        charge = (await session.scalars(select(SandboxCharge))).one()
        charge.status = PaymentStatus.CLOSED
    ticket = await opened(case, type="REFUND_ONLY")
    await case.agent.do(command("ticketAgree"), id=ticket)
    await settle(shop)
    assert await status_of(case, ticket) == "REFUND_FAILED"

    async with shop.database.writes.begin() as session:
        (await session.scalars(select(SandboxCharge))).one().status = PaymentStatus.CAPTURED
    await case.agent.do(command("ticketRefundRetry"), id=ticket)
    await settle(shop)

    assert await status_of(case, ticket) == "COMPLETED"


async def test_a_replacement_is_packed_sent_and_ends_the_ticket(case: Case, shop: Shop) -> None:
    ticket = await opened(case, type="RESHIP", reason="WRONG_ITEM", quantity=2)
    await case.agent.do(command("ticketAgree"), id=ticket)
    assert await status_of(case, ticket) == "RESHIPPING"

    async with shop.database.writes.begin() as session:
        order = await session.get_one(Order, case.order.id)
        for shipment in await dispatch(session, order, now=shop.clock()):
            await arrive(session, shipment, now=shop.clock())
    await settle(shop)

    found = (await case.customer.get(TICKET, id=ticket))["ticket"]
    assert found["status"] == "COMPLETED"
    assert found["replacements"] == [{"lines": [{"quantity": 2}]}]


async def test_an_unanswered_ticket_is_agreed_by_itself(case: Case, shop: Shop, clock: Clock) -> None:
    ticket = await opened(case)
    clock.tick(2 * DAY)
    await settle(shop)

    async with shop.database.reads() as session:
        row = (await session.scalars(select(Ticket))).one()
        assert row.status is TicketStatus.AWAITING_RETURN
        assert global_id("Ticket", row.id) == ticket


async def test_an_open_ticket_ends_with_its_order(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    async with shop.database.writes.begin() as session:
        first, second = [await variant_of(session, await create_product(session)) for _ in "ab"]
        order = await create_order(
            session,
            account=customer.account,
            status=OrderStatus.CONFIRMED,
            lines=[(first, 1), (second, 1)],
            now=shop.clock(),
        )
        line = (await lines_of(session, order))[0]
        ticket = await create_ticket(
            session,
            order=order,
            lines=[(line, 1)],
            type=TicketType.REFUND_ONLY,
            reason=TicketReason.NO_REASON,
            now=shop.clock(),
        )
    cancel = "mutation($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code } } }"
    assert codes(await customer.do(cancel, id=global_id("Order", order.id), reason="All of it.")) == []
    await settle(shop)

    async with shop.database.reads() as session:
        assert (await session.get_one(Ticket, ticket.id)).status is TicketStatus.CANCELLED


# --- who sees what


async def test_an_internal_note_is_read_by_the_staff_only(case: Case) -> None:
    ticket = await opened(case)
    say = command("ticketMessageAdd")
    await case.agent.do(say, ticketId=ticket, body="A regular.", internal=True)
    await case.agent.do(say, ticketId=ticket, body="Please send a picture.")
    refused = await case.customer.do(say, ticketId=ticket, body="Psst.", internal=True)

    customers = (await case.customer.get(TICKET, id=ticket))["ticket"]
    agents = (await case.agent.get(TICKET, id=ticket))["ticket"]

    assert codes(refused) == ["FORBIDDEN"]
    assert [(m["body"], m["fromStaff"]) for m in customers["messages"]] == [("Please send a picture.", True)]
    assert [m["body"] for m in agents["messages"]] == ["A regular.", "Please send a picture."]
    assert [event["name"] for event in customers["timeline"]] == ["ticket.opened", "ticket.message"]


async def test_a_foreign_ticket_answers_like_one_that_does_not_exist(case: Case, front: Front) -> None:
    ticket = await opened(case)
    stranger = await front.customer()
    nothing = global_id("Ticket", 999_999)

    assert (await stranger.get(TICKET, id=ticket))["ticket"] is None
    assert (await stranger.get("query($id: ID!) { node(id: $id) { id } }", id=ticket))["node"] is None
    for name, given in (
        ("ticketCancel", {}),
        ("ticketEscalate", {}),
        ("ticketReapply", {"description": "x"}),
        ("ticketReturnShip", {"carrier": "x", "trackingNumber": "x"}),
    ):
        foreign = await stranger.do(command(name), id=ticket, **given)
        missing = await stranger.do(command(name), id=nothing, **given)
        assert foreign == missing
        assert codes(foreign) == ["NOT_FOUND"]
    foreign = await stranger.do(command("ticketMessageAdd"), ticketId=ticket, body="x")
    assert codes(foreign) == ["NOT_FOUND"]
    assert await status_of(case, ticket) == "APPLIED"


async def test_a_foreign_order_cannot_be_asked_about(case: Case, front: Front, shop: Shop) -> None:
    stranger = await front.customer()

    assert (await stranger.get(QUOTE, input=case.asked()))["ticketQuote"] is None
    assert codes(await stranger.do(OPEN, **case.application())) == ["NOT_FOUND"]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(Ticket))).all() == []


async def test_customers_list_their_own_tickets_and_agents_all(case: Case, front: Front, shop: Shop) -> None:
    await opened(case)
    async with shop.database.writes.begin() as session:
        other = await create_ticket(session, now=shop.clock())

    own = (await case.customer.get(TICKETS))["tickets"]
    everybodys = (await case.agent.get(TICKETS))["tickets"]
    exchanges = (await case.agent.get(TICKETS, filter={"type": ["EXCHANGE"]}))["tickets"]
    of_order = (await case.agent.get(TICKETS, filter={"orderId": global_id("Order", other.order_id)}))[
        "tickets"
    ]

    assert own["totalCount"] == 1
    assert everybodys["totalCount"] == 2
    assert everybodys["nodes"][0] == {"number": other.number}
    assert exchanges["totalCount"] == 0
    assert of_order["nodes"] == [{"number": other.number}]


@pytest.mark.parametrize("role", [Role.CATALOGUE, Role.COURIER])
async def test_tickets_are_no_business_of_other_staff(case: Case, front: Front, role: Role) -> None:
    ticket = await opened(case)
    clerk = await front.staff(role)

    reply = await clerk.ask(TICKET, id=ticket)

    assert reply["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await clerk.get("query($id: ID!) { node(id: $id) { id } }", id=ticket))["node"] is None


async def test_an_agent_does_not_decide_what_a_manager_decides(case: Case, front: Front) -> None:
    ticket = await opened(case)
    await case.agent.do(command("ticketRefuse"), id=ticket, reason="Worn.")
    await case.customer.do(command("ticketEscalate"), id=ticket)
    decide = command("ticketDecide")

    refused = await case.agent.do(decide, id=ticket, agreed=False, reason="No.")
    assert codes(refused) == ["FORBIDDEN"]
    assert await status_of(case, ticket) == "ARBITRATION"

    boss = await front.staff(Role.MANAGER)
    payload = await boss.do(decide, id=ticket, agreed=True, reason="Fair.")
    assert payload["ticket"]["status"] == "AWAITING_RETURN"


async def test_an_agent_sees_who_has_a_ticket_and_what_may_answer_it(case: Case, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_article(session, title="My teapot leaks", body="Tighten the lid.")
        await create_article(session, title="Paying by card", body="Any card will do.")
    ticket = await opened(case)
    assert case.agent.account is not None
    agent = global_id("Account", case.agent.account.id)
    await case.agent.do(command("ticketAssign"), id=ticket, assigneeId=agent)

    agents = (await case.agent.get(TICKET, id=ticket))["ticket"]
    customers = (await case.customer.get(TICKET, id=ticket))["ticket"]

    assert agents["assignee"] == {"name": case.agent.account.name}
    assert agents["suggestedArticles"] == [{"title": "My teapot leaks"}]
    assert customers["assignee"] is None
    assert customers["suggestedArticles"] == []


async def test_two_agents_who_agree_at_once_refund_once(case: Case, front: Front, shop: Shop) -> None:
    ticket = await opened(case, type="REFUND_ONLY")
    agents = [case.agent, await front.staff(Role.SUPPORT)]

    replies = await asyncio.gather(*(agent.do(command("ticketAgree"), id=ticket) for agent in agents))

    assert sorted(codes(reply) for reply in replies) == [[], ["WRONG_STATE"]]
    found = (await case.agent.get(TICKET, id=ticket))["ticket"]
    assert [refund["total"]["amount"] for refund in found["refunds"]] == ["99.00"]


# --- live


async def test_a_watcher_sees_every_version_once_and_in_order_from_where_they_left(
    case: Case, shop: Shop
) -> None:
    ticket = await opened(case)
    say = command("ticketMessageAdd")
    async with case.customer.watch(UPDATES, id=ticket, after=0) as watch:
        first = (await watch.next())["data"]["ticketUpdates"]
        await case.agent.do(say, ticketId=ticket, body="Hello.")
        await settle(shop)
        second = (await watch.next())["data"]["ticketUpdates"]
    await case.agent.do(command("ticketAgree"), id=ticket)
    await settle(shop)
    async with case.customer.watch(UPDATES, id=ticket, after=second["version"]) as watch:
        third = (await watch.next())["data"]["ticketUpdates"]

    assert [(each["version"], each["name"], each["status"]) for each in (first, second, third)] == [
        (1, "ticket.opened", "APPLIED"),
        (2, "ticket.message", "APPLIED"),
        (3, "ticket.agreed", "AWAITING_RETURN"),
    ]


async def test_nobody_watches_a_foreign_ticket(case: Case, front: Front) -> None:
    ticket = await opened(case)
    stranger = await front.customer()
    async with stranger.watch(UPDATES, id=ticket, after=0) as watch:
        reply = await watch.receive()

    assert "ticket.opened" not in str(reply)
    assert "NOT_FOUND" in str(reply)


# --- what it costs


MANY = """{ tickets(first: 50) { nodes { number lines { quantity orderLine { title } }
  messages { body author { name } fromStaff } media { url } timeline { version } order { number }
  customer { name } assignee { name } refunds { status } replacements { id lines { quantity } }
  suggestedArticles { title } } } }"""


async def test_a_page_of_tickets_costs_the_same_however_long_it_is(front: Front, shop: Shop) -> None:
    agent = await front.staff(Role.SUPPORT)

    async def cost() -> int:
        with statements(shop) as counted:
            await agent.get(MANY)
        return counted.total

    async with shop.database.writes.begin() as session:
        await create_article(session, title="It leaks", body="Tighten the lid.")
        for _ in range(2):
            await create_ticket(
                session,
                type=TicketType.RESHIP,
                reason=TicketReason.WRONG_ITEM,
                status=TicketStatus.RESHIPPING,
            )
            await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)
    few = await cost()
    async with shop.database.writes.begin() as session:
        for _ in range(4):
            await create_ticket(
                session,
                type=TicketType.RESHIP,
                reason=TicketReason.WRONG_ITEM,
                status=TicketStatus.RESHIPPING,
            )
            await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)

    assert await cost() == few
    assert few <= 13
