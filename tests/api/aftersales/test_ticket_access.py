"""Who sees and watches which tickets, and how many statements a page of them takes."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.ticket import order_id_of
from events.shop import Shop
from models import Role, Ticket, TicketReason, TicketStatus, TicketType
from resolvers.ids import global_id
from tests.api.aftersales.documents import OPEN, QUOTE, TICKET, TicketCase, command, open_ticket, status_of
from tests.clients import Clients
from tests.factories.aftersales import create_ticket
from tests.factories.knowledge import create_article
from tests.given import codes
from tests.observe import count_statements, run_until_idle

TICKETS = """query($filter: TicketFilter, $first: Int! = 20) { tickets(filter: $filter, first: $first) {
  totalCount nodes { number } } }"""
UPDATES = """subscription($id: ID!, $after: Int) { ticketUpdates(id: $id, after: $after) {
  version name status ticket { version } } }"""


async def test_an_internal_note_is_read_by_the_staff_only(case: TicketCase) -> None:
    ticket = await open_ticket(case)
    say = command("ticketMessageAdd")
    await case.agent.do(say, id=ticket, body="A regular.", internal=True)
    await case.agent.do(say, id=ticket, body="Please send a picture.")
    refused = await case.customer.do(say, id=ticket, body="Psst.", internal=True)

    customers = (await case.customer.get(TICKET, id=ticket))["ticket"]
    agents = (await case.agent.get(TICKET, id=ticket))["ticket"]

    assert codes(refused) == ["FORBIDDEN"]
    assert [(m["body"], m["fromStaff"]) for m in customers["messages"]] == [("Please send a picture.", True)]
    assert [m["body"] for m in agents["messages"]] == ["A regular.", "Please send a picture."]
    assert [event["name"] for event in customers["timeline"]] == ["ticket.opened", "ticket.message"]


async def test_a_foreign_ticket_answers_like_one_that_does_not_exist(
    case: TicketCase, clients: Clients
) -> None:
    ticket = await open_ticket(case)
    stranger = await clients.customer()
    nothing = global_id("Ticket", 999_999)

    assert (await stranger.get(TICKET, id=ticket))["ticket"] is None
    assert (await stranger.get("query($id: ID!) { node(id: $id) { id } }", id=ticket))["node"] is None
    for name, given in (
        ("ticketCancel", {}),
        ("ticketEscalate", {}),
        ("ticketReapply", {"description": "x"}),
        ("ticketRefundChoose", {"refundTo": "STORE_CREDIT"}),
        ("ticketReturnShip", {"carrier": "x", "trackingNumber": "x"}),
    ):
        foreign = await stranger.do(command(name), id=ticket, **given)
        missing = await stranger.do(command(name), id=nothing, **given)
        assert foreign == missing
        assert codes(foreign) == ["NOT_FOUND"]
    foreign = await stranger.do(command("ticketMessageAdd"), id=ticket, body="x")
    assert codes(foreign) == ["NOT_FOUND"]
    assert await status_of(case, ticket) == "APPLIED"


async def test_a_ticket_cannot_be_opened_for_a_foreign_order(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    stranger = await clients.customer()

    assert (await stranger.get(QUOTE, input=case.claim()))["ticketQuote"] is None
    assert codes(await stranger.do(OPEN, **case.application())) == ["NOT_FOUND"]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(Ticket))).all() == []


async def test_customers_list_their_own_tickets_and_agents_all(
    case: TicketCase, clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await open_ticket(case)
    other = await create_ticket(session, now=shop.clock())
    await session.commit()

    own = (await case.customer.get(TICKETS))["tickets"]
    everybodys = (await case.agent.get(TICKETS))["tickets"]
    exchanges = (await case.agent.get(TICKETS, filter={"type": ["EXCHANGE"]}))["tickets"]
    of_order = (await case.agent.get(TICKETS, filter={"orderId": global_id("Order", order_id_of(other))}))[
        "tickets"
    ]

    assert own["totalCount"] == 1
    assert everybodys["totalCount"] == 2
    assert everybodys["nodes"][0] == {"number": other.number}
    assert exchanges["totalCount"] == 0
    assert of_order["nodes"] == [{"number": other.number}]


@pytest.mark.parametrize("role", [Role.CATALOGUE, Role.COURIER])
async def test_other_staff_cannot_see_tickets(case: TicketCase, clients: Clients, role: Role) -> None:
    ticket = await open_ticket(case)
    clerk = await clients.staff(role)

    reply = await clerk.ask(TICKET, id=ticket)

    assert reply["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await clerk.get("query($id: ID!) { node(id: $id) { id } }", id=ticket))["node"] is None


async def test_an_agent_cannot_decide_an_escalated_ticket(case: TicketCase, clients: Clients) -> None:
    ticket = await open_ticket(case)
    await case.agent.do(command("ticketRefuse"), id=ticket, reason="Worn.")
    await case.customer.do(command("ticketEscalate"), id=ticket)
    decide = command("ticketDecide")

    refused = await case.agent.do(decide, id=ticket, agreed=False, reason="No.")
    assert codes(refused) == ["FORBIDDEN"]
    assert await status_of(case, ticket) == "ARBITRATION"

    manager = await clients.staff(Role.MANAGER)
    payload = await manager.do(decide, id=ticket, agreed=True, reason="Fair.")
    assert payload["ticket"]["status"] == "AWAITING_RETURN"


async def test_an_agent_sees_the_assignee_and_suggested_articles(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, title="My teapot leaks", body="Tighten the lid.")
    await create_article(session, title="Paying by card", body="Any card will do.")
    await session.commit()
    ticket = await open_ticket(case)
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
    case: TicketCase, shop: Shop
) -> None:
    ticket = await open_ticket(case)
    say = command("ticketMessageAdd")
    async with case.customer.watch(UPDATES, id=ticket, after=0) as watch:
        first = (await watch.next())["data"]["ticketUpdates"]
        await case.agent.do(say, id=ticket, body="Hello.")
        await run_until_idle(shop)
        second = (await watch.next())["data"]["ticketUpdates"]
    await case.agent.do(command("ticketAgree"), id=ticket)
    await run_until_idle(shop)
    async with case.customer.watch(UPDATES, id=ticket, after=second["version"]) as watch:
        third = (await watch.next())["data"]["ticketUpdates"]

    assert [(each["version"], each["name"], each["status"]) for each in (first, second, third)] == [
        (1, "ticket.opened", "APPLIED"),
        (2, "ticket.message", "APPLIED"),
        (3, "ticket.agreed", "AWAITING_RETURN"),
    ]


async def test_nobody_watches_a_foreign_ticket(case: TicketCase, clients: Clients) -> None:
    ticket = await open_ticket(case)
    stranger = await clients.customer()
    async with stranger.watch(UPDATES, id=ticket, after=0) as watch:
        reply = await watch.receive()

    assert "ticket.opened" not in str(reply)
    assert "NOT_FOUND" in str(reply)


MANY = """{ tickets(first: 50) { nodes { number lines { quantity orderLine { title } }
  messages { body author { name } fromStaff } media { url } timeline { version } order { number }
  customer { name } assignee { name } refunds { status } replacements { id lines { quantity } }
  suggestedArticles { title } } } }"""


async def test_a_page_of_tickets_costs_the_same_however_long_it_is(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    agent = await clients.staff(Role.SUPPORT)

    async def cost() -> int:
        with count_statements(shop) as counted:
            await agent.get(MANY)
        return counted.total

    await create_article(session, title="It leaks", body="Tighten the lid.")
    for _ in range(2):
        await create_ticket(
            session,
            type=TicketType.RESHIP,
            reason=TicketReason.WRONG_ITEM,
            status=TicketStatus.RESHIPPING,
        )
        await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)
    await session.commit()
    await shop.article_index.ready()
    shop.article_index.at_each_search = shop.synonyms.at_each_search = False
    await shop.synonyms.known()
    few = await cost()
    for _ in range(4):
        await create_ticket(
            session,
            type=TicketType.RESHIP,
            reason=TicketReason.WRONG_ITEM,
            status=TicketStatus.RESHIPPING,
        )
        await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)
    await session.commit()

    assert await cost() == few
    assert few <= 13
