"""The agent's one screen: everything about a rich claim in at most twelve statements."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from edge.operations.documents import read_operations
from events.shop import Shop
from models import SIMULATED_CARRIER, Account, OrderStatus, PaymentMethod, Role
from resolvers.ids import global_id
from tests.api.aftersales.documents import command
from tests.api.aftersales.test_questions import ASK, question
from tests.api.aftersales.test_ticket_thread import SAY
from tests.clients import Client, Clients
from tests.factories.aftersales import create_media, create_ticket, order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.knowledge import create_article
from tests.factories.order import create_order, payments_of
from tests.factories.store_credit import give_credit
from tests.observe import count_statements
from tests.process import ROOT

SCREEN = next(
    each.text for each in read_operations(ROOT / "clients" / "staff") if each.name == "StaffTicketScreen"
)
STATEMENTS_LIMIT = 12
"""Statements of the whole screen, with the one that notes whose data was read."""


async def open_claim(session: AsyncSession, shop: Shop, customer: Account) -> dict[str, Any]:
    """A return of two lines, of an order with store credit and play money, beside other claims on it."""
    await give_credit(session, customer, 100_000)
    pot = await variant_of(session, await create_product(session, title="Teapot", stock={"MAIN": 50}))
    cup = await variant_of(session, await create_product(session, title="Cup", stock={"MAIN": 50}))
    order = await create_order(
        session,
        account=customer,
        status=OrderStatus.COMPLETED,
        lines=[(pot, 6), (cup, 4)],
        payments={PaymentMethod.STORE_CREDIT: 5_000, PaymentMethod.SANDBOX: None},
        now=shop.clock(),
    )
    assert len(await payments_of(session, order)) == 2
    lines = await order_lines_of(session, order)
    picture = await create_media(session, uploader_id=customer.id, now=shop.clock())
    terms: dict[str, Any] = {"order": order, "now": shop.clock()}
    claim = await create_ticket(
        session,
        lines=[(line, 1) for line in lines],
        description="My teapot leaks.",
        media_ids=[picture.id],
        **terms,
    )
    others = [
        await create_ticket(session, lines=[(line, 1)], key=f"{line.id}-{number}", **terms)
        for line in lines
        for number in range(2)
    ]
    return {"claim": claim, "others": others, "order": order}


async def read_screen(agent: Client, shop: Shop, ticket_id: int, account_id: int) -> Any:
    """What the page shows; how many statements it takes depends on when the search answers."""
    with count_statements(shop) as statements:
        shown = await agent.get(
            SCREEN, id=global_id("Ticket", ticket_id), customerId=global_id("Account", account_id)
        )
    assert statements.total <= STATEMENTS_LIMIT, statements.texts
    return shown


async def test_all_of_a_rich_claim_is_read_in_twelve_statements_however_much_there_is(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
    colleagues = [await clients.staff(Role.SUPPORT) for _ in range(2)]
    assert customer.account is not None
    await create_article(session, slug="leak", title="My teapot leaks", body="Tighten the lid.")
    found = await open_claim(session, shop, customer.account)
    await session.commit()
    claim, order = found["claim"], found["order"]
    await agent.get('{ articleSuggestions(query: "teapot") { id } }')  # the first search reads all articles
    await read_screen(agent, shop, claim.id, claim.account_id)

    ticket = global_id("Ticket", claim.id)
    for number in range(3):
        picture = await create_media(session, uploader_id=customer.account.id, now=shop.clock())
        await session.commit()
        await customer.do(SAY, id=ticket, body="Look.", mediaIds=[global_id("Media", picture.id)])
        mentioned = [global_id("Account", each.account.id) for each in colleagues if each.account]
        await colleagues[number % 2].do(SAY, id=ticket, body="?", internal=True, mentionIds=mentioned)
        await customer.do(ASK, **question(global_id("Order", order.id), idempotencyKey=f"q{number}"))
    agreed = [global_id("Ticket", each.id) for each in (claim, *found["others"])]
    for each in agreed:
        assert (await agent.do(command("ticketAgree"), id=each))["userErrors"] == []
    for each in agreed:
        payload = await customer.do(
            command("ticketReturnShip"),
            id=each,
            carrier=SIMULATED_CARRIER,
            trackingNumber=f"BACK{each[-4:].upper().replace('=', 'X')}{agreed.index(each)}",
        )
        assert payload["userErrors"] == []
    await read_screen(agent, shop, claim.id, claim.account_id)
    shown = await read_screen(agent, shop, claim.id, claim.account_id)

    shown_ticket = shown["ticket"]
    assert len(shown_ticket["lines"]) == 2
    assert len(shown_ticket["messages"]) == 6
    assert {each["method"] for each in shown_ticket["order"]["payments"]} == {"STORE_CREDIT", "SANDBOX"}
    assert [e["status"] for p in shown_ticket["order"]["shipments"] for e in p["events"]] == ["DELIVERED"]
    assert shown_ticket["proposedAnswer"]["quotes"] == ["Tighten the lid."]
    assert shown_ticket["returnTrackingNumber"]
    assert len(shown["customer"]["tickets"]) == 8
    assert shown["customer"]["figures"]["openTickets"] == 8
    assert shown["ticketRuleForecast"]["worth"]["amount"]
