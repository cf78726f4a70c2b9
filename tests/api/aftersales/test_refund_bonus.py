"""Refunds into store credit with a bonus over the API: quoted, promised, given, and shown."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import CurrencyCode, OrderStatus, Role
from resolvers.ids import global_id
from settings import Settings
from settings.refund_bonus import RefundBonusSettings
from tests.api.aftersales.documents import TicketCase, open_ticket
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.order import create_order
from tests.given import codes
from tests.observe import assert_books_agree, count_statements, read_all_rows, run_until_idle

QUOTE = """query($input: TicketQuoteInput!) { ticketQuote(input: $input) {
  refund { amount } legs { refund { amount } }
  storeCredit { total { amount } bonus { amount currencyCode } } } }"""
QUOTES = """query($orderId: ID!) { ticketQuotes(orderId: $orderId) {
  reason eligible refund { amount } storeCredit { bonus { amount } } } }"""
SEEN = "ticket { status refund { amount } bonus { amount } } userErrors { code field message }"
CHOOSE = f"mutation($input: TicketRefundChooseInput!) {{ ticketRefundChoose(input: $input) {{ {SEEN} }} }}"
AGREE = f"mutation($input: TicketAgreeInput!) {{ ticketAgree(input: $input) {{ {SEEN} }} }}"
TICKET = """query($id: ID!) { ticket(id: $id) {
  status bonus { amount } refunds { target total { amount } bonus { amount } } } }"""
CREDIT = """{ storeCredit { amount }
  storeCreditMovements { nodes { kind total { amount } order { number } } } }"""
REPORT = """query($from: Date!, $to: Date!) { ticketReport(from: $from, to: $to) {
  refundRates(by: REASON) { reason refunded amounts { amount } } } }"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    given = {"refund_bonus_basis_points": 500, "refund_bonus_caps": {CurrencyCode.CNY: 700}}
    return settings.model_copy(update={"refund_bonus": RefundBonusSettings.read(None, given)})


async def choose(case: TicketCase, ticket: str, to: str = "STORE_CREDIT") -> Any:
    return await case.customer.do(CHOOSE, id=ticket, refundTo=to)


REFUND_ONLY: dict[str, Any] = {"type": "REFUND_ONLY", "reason": "NOT_AS_DESCRIBED"}


async def test_the_bonus_is_quoted_promised_and_given(case: TicketCase, shop: Shop) -> None:
    quote = (await case.customer.get(QUOTE, input=case.claim(**REFUND_ONLY)))["ticketQuote"]
    assert quote == {
        "refund": {"amount": "99.00"},
        "legs": [{"refund": {"amount": "99.00"}}],
        "storeCredit": {
            "total": {"amount": "103.95"},
            "bonus": {"amount": "4.95", "currencyCode": "CNY"},
        },
    }
    ticket = await open_ticket(case, **REFUND_ONLY)
    chosen = await choose(case, ticket)
    assert chosen["ticket"] == {
        "status": "APPLIED",
        "refund": {"amount": "99.00"},
        "bonus": {"amount": "4.95"},
    }
    other = (await case.customer.get(QUOTE, input=case.claim(**REFUND_ONLY)))["ticketQuote"]
    assert other["storeCredit"]["bonus"]["amount"] == "2.05"  # what the cap leaves
    await case.agent.do(AGREE, id=ticket)
    await run_until_idle(shop)

    assert (await case.customer.get(TICKET, id=ticket))["ticket"] == {
        "status": "COMPLETED",
        "bonus": {"amount": "4.95"},
        "refunds": [{"target": "STORE_CREDIT", "total": {"amount": "99.00"}, "bonus": {"amount": "4.95"}}],
    }
    number = {"number": case.order.number}
    assert await case.customer.get(CREDIT) == {
        "storeCredit": [{"amount": "103.95"}],
        "storeCreditMovements": {
            "nodes": [
                {"kind": "BONUS", "total": {"amount": "4.95"}, "order": number},
                {"kind": "REFUNDED", "total": {"amount": "99.00"}, "order": number},
            ]
        },
    }
    await assert_books_agree(shop)


async def test_the_report_of_tickets_shows_refunds_without_their_bonus(
    case: TicketCase, shop: Shop, clients: Clients, clock: Clock
) -> None:
    ticket = await open_ticket(case, **REFUND_ONLY)
    await choose(case, ticket)
    await case.agent.do(AGREE, id=ticket)
    await run_until_idle(shop)
    today = clock().date().isoformat()
    manager = await clients.staff(Role.MANAGER)
    report = (await manager.get(REPORT, **{"from": today, "to": today}))["ticketReport"]

    [row] = [each for each in report["refundRates"] if each["amounts"]]
    assert row == {"reason": "NOT_AS_DESCRIBED", "refunded": 1, "amounts": [{"amount": "99.00"}]}


async def test_a_choice_that_is_repeated_after_the_settings_changed_keeps_its_promise(
    case: TicketCase, shop: Shop
) -> None:
    ticket = await open_ticket(case, **REFUND_ONLY)
    await choose(case, ticket)
    shop.settings = shop.settings.model_copy(update={"refund_bonus": RefundBonusSettings.read(None, {})})
    again = await choose(case, ticket)
    quote = (await case.customer.get(QUOTE, input=case.claim(**REFUND_ONLY)))["ticketQuote"]
    assert again["ticket"]["bonus"]["amount"] == "4.95"
    assert quote["storeCredit"] == {
        "total": {"amount": "99.00"},
        "bonus": {"amount": "0.00", "currencyCode": "CNY"},
    }
    await choose(case, ticket, "ORIGINAL")
    back = await choose(case, ticket)

    assert back["ticket"]["bonus"]["amount"] == "0.00"


async def test_a_guest_is_quoted_no_store_credit_and_refused_by_name(
    case: TicketCase, shop: Shop, session: AsyncSession
) -> None:
    guest = await create_account(session, role=Role.GUEST, now=shop.clock())
    order = await create_order(session, account=guest, status=OrderStatus.COMPLETED, now=shop.clock())
    ticket = global_id("Ticket", (await create_ticket(session, order=order, now=shop.clock())).id)
    await session.commit()
    quotes = (await case.agent.get(QUOTES, orderId=global_id("Order", order.id)))["ticketQuotes"]
    before = await read_all_rows(shop)
    payload = await case.agent.do(CHOOSE, id=ticket, refundTo="STORE_CREDIT")

    assert {each["storeCredit"] is None for each in quotes} == {True}
    assert codes(payload) == ["INVALID"]
    assert payload["userErrors"][0]["message"] == "Only customers with an account have store credit."
    assert await read_all_rows(shop) == before


async def test_the_ticket_of_somebody_else_is_not_found(
    case: TicketCase, clients: Clients, shop: Shop
) -> None:
    ticket = await open_ticket(case, **REFUND_ONLY)
    stranger = await clients.customer()
    before = await read_all_rows(shop)
    payload = await stranger.do(CHOOSE, id=ticket, refundTo="STORE_CREDIT")

    assert codes(payload) == ["NOT_FOUND"]
    assert await read_all_rows(shop) == before


async def test_quotes_of_many_claims_are_priced_with_as_many_statements_as_one(
    case: TicketCase, shop: Shop
) -> None:
    without = QUOTES.replace("storeCredit { bonus { amount } }", "")
    order = global_id("Order", case.order.id)
    counts, quotes = [], []
    for document in (without, QUOTES):
        with count_statements(shop) as statements:
            quotes = (await case.customer.get(document, orderId=order))["ticketQuotes"]
        counts.append(statements.total)

    assert len(quotes) > 5
    assert counts[1] - counts[0] == 2
    bonuses = {each["storeCredit"]["bonus"]["amount"] for each in quotes if each["storeCredit"]}
    assert bonuses == {"7.00"}  # of three units, capped
