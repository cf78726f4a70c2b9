"""Who sees what of a ticket, who watches it, and what a page of them costs."""

import pytest
from sqlalchemy import select

from events.shop import Shop
from models import Role, Ticket, TicketReason, TicketStatus, TicketType
from resolvers.ids import global_id
from tests.api.aftersales.asking import OPEN, QUOTE, TICKET, Case, codes, command, opened, status_of
from tests.factories.aftersales import create_ticket
from tests.factories.knowledge import create_article
from tests.front import Front
from tests.observe import settle, statements

TICKETS = """query($filter: TicketFilter, $first: Int! = 20) { tickets(filter: $filter, first: $first) {
  totalCount nodes { number } } }"""
UPDATES = """subscription($id: ID!, $after: Int) { ticketUpdates(id: $id, after: $after) {
  version name status ticket { version } } }"""


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
