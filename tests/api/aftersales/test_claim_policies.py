"""The terms of claims through the API: clerks keep them, buyers confirm exclusions when they order."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order, OrderLine, Product, ReplacementChoice, Role
from resolvers.ids import global_id
from tests.api.aftersales.documents import OPEN, TicketCase, command
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Client, Clients
from tests.factories.aftersales import create_media, create_ticket
from tests.factories.cart import create_cart
from tests.factories.catalog import create_category, create_product, variant_of
from tests.given import cny, id_of, refusals

SAVE = """mutation ($input: ClaimPolicySaveInput!) { claimPolicySave(input: $input) {
  claimPolicy { version windows { reason days } exclusion category { id } product { id } }
  userErrors { code field } } }"""
POLICIES = """query ($history: Boolean! = false) { claimPolicies(history: $history) {
  version windows { reason days } exclusion category { name } product { title } } }"""
EXCLUSIONS = """query ($slug: String!, $lines: [OrderLineInput!]!) {
  product(slug: $slug) { exclusion }
  cart { lines { exclusion } }
  checkoutQuote(input: { lines: $lines }) { lines { exclusion } problems { code } } }"""
CONFIRMED = """query ($id: ID!) { order(id: $id) { lines { exclusion exclusionConfirmedAt } } }"""
CHOOSE = """mutation ($input: TicketReplacementChooseInput!) { ticketReplacementChoose(input: $input) {
  ticket { status } userErrors { code field } } }"""


async def save(clerk: Client, **given: Any) -> dict[str, Any]:
    return await clerk.do(SAVE, **given)


async def test_clerks_add_versions_and_earlier_ones_stay(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    tea = await create_category(session, name="Tea")
    await session.commit()
    days = [{"reason": "NO_REASON", "days": 14}]

    first = await save(clerk, categoryId=id_of(tea), windows=days)
    stale = await save(clerk, categoryId=id_of(tea), windows=[])
    second = await save(clerk, categoryId=id_of(tea), version=1, exclusion="OPENED_HYGIENE")
    both = await save(clerk, categoryId=id_of(tea), productId=id_of(tea))
    twice = await save(clerk, categoryId=id_of(tea), version=2, windows=days * 2)
    now = (await clerk.get(POLICIES))["claimPolicies"]
    ever = (await clerk.get(POLICIES, history=True))["claimPolicies"]

    assert first["claimPolicy"]["windows"] == days
    assert second["claimPolicy"]["version"] == 2
    assert refusals(stale) == [("CONFLICT", "version")]
    assert [error["code"] for error in both["userErrors"]] == ["INVALID", "NOT_FOUND"]
    assert refusals(twice) == [("INVALID", "windows.1.reason")]
    assert [(each["version"], each["exclusion"]) for each in now] == [(1, None), (2, "OPENED_HYGIENE")]
    assert [each["version"] for each in ever] == [2, 1, 1]


async def test_a_buyer_confirms_what_cannot_be_returned_without_a_reason(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, customer = await clients.staff(Role.MANAGER), await clients.customer()
    jewel = await create_variant(shop, title="Ring")
    product = await session.get_one(Product, jewel.product_id)
    assert customer.account
    await create_cart(session, customer.account, lines={jewel: 1})
    await session.commit()
    lines = [{"variantId": id_of(jewel), "quantity": 1}]
    made = await save(clerk, productId=id_of(product), exclusion="MADE_TO_ORDER")
    assert made["userErrors"] == []
    request = {
        "lines": lines,
        "deliveries": [{"address": {"postal": ADDRESS}}],
        "payments": [{"method": "SANDBOX", "amount": cny("99.00")}],
    }

    shown = await customer.get(EXCLUSIONS, slug=product.slug, lines=lines)
    unconfirmed = await customer.do(PLACE, idempotencyKey="1", **request)
    wrong = [{"variantId": id_of(jewel), "exclusion": "OPENED_HYGIENE"}]
    mistaken = await customer.do(PLACE, idempotencyKey="1", confirmedExclusions=wrong, **request)
    async with shop.database.reads() as reading:
        orders = (await reading.scalars(select(Order.id))).all()
    right = [{"variantId": id_of(jewel), "exclusion": "MADE_TO_ORDER"}]
    placed = await customer.do(PLACE, idempotencyKey="1", confirmedExclusions=right, **request)
    again = await customer.do(PLACE, idempotencyKey="1", confirmedExclusions=right, **request)

    assert shown["product"] == {"exclusion": "MADE_TO_ORDER"}
    assert shown["cart"]["lines"] == [{"exclusion": "MADE_TO_ORDER"}]
    assert shown["checkoutQuote"] == {"lines": [{"exclusion": "MADE_TO_ORDER"}], "problems": []}
    assert refusals(unconfirmed) == refusals(mistaken) == [("CONFIRMATION_REQUIRED", "confirmedExclusions")]
    assert orders == []
    assert placed["userErrors"] == []
    assert again["order"]["id"] == placed["order"]["id"]
    [line] = (await customer.get(CONFIRMED, id=placed["order"]["id"]))["order"]["lines"]
    assert line == {"exclusion": "MADE_TO_ORDER", "exclusionConfirmedAt": shop.clock().isoformat()}


async def test_what_sells_without_an_exclusion_needs_no_confirmation(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, customer = await clients.staff(Role.MANAGER), await clients.customer()
    food = await create_category(session, name="Food")
    product = await create_product(session, category=food)
    variant = await variant_of(session, product)
    await session.commit()
    await save(clerk, categoryId=id_of(food), exclusion="OPENED_HYGIENE")
    await save(clerk, productId=id_of(product), exclusion="NONE")

    placed = await customer.do(
        PLACE,
        idempotencyKey="1",
        lines=[{"variantId": id_of(variant), "quantity": 1}],
        deliveries=[{"address": {"postal": ADDRESS}}],
        payments=[{"method": "SANDBOX", "amount": cny("99.00")}],
    )

    assert placed["userErrors"] == []
    async with shop.database.reads() as reading:
        line = (await reading.scalars(select(OrderLine))).one()
    assert (line.exclusion, line.exclusion_confirmed_at) == (None, None)


@pytest.mark.parametrize("choice", ReplacementChoice)
async def test_there_is_nothing_to_choose_while_a_ticket_waits_for_an_answer(
    clients: Clients, shop: Shop, session: AsyncSession, choice: ReplacementChoice
) -> None:
    ticket = await create_ticket(session, now=shop.clock())
    await session.commit()
    agent = await clients.staff(Role.SUPPORT)

    payload = await agent.do(CHOOSE, id=id_of(ticket), choice=choice.value)

    assert refusals(payload) == [("WRONG_STATE", "id")]


async def test_a_claim_needs_a_picture_where_the_terms_say_so(
    case: TicketCase, session: AsyncSession
) -> None:
    clerk = await case.customer.clients.staff(Role.MANAGER)
    product = global_id("Product", case.line.product_id)
    picture = await create_media(session, uploader_id=case.order.account_id)
    await session.commit()
    wrong = await save(clerk, productId=product, evidence=["QUESTION"])
    await save(clerk, productId=product, evidence=["QUALITY_FAULT"])
    needs = "query($input: TicketQuoteInput!) { ticketQuote(input: $input) { eligible needsPicture } }"

    quotes = [
        (await case.customer.get(needs, input=case.claim(reason=reason)))["ticketQuote"]
        for reason in ("QUALITY_FAULT", "NO_REASON")
    ]
    unseen = await case.customer.do(OPEN, **case.application())
    seen = await case.customer.do(OPEN, **case.application(mediaIds=[global_id("Media", picture.id)]))
    by_phone = await case.agent.do(OPEN, **case.application(channel="PHONE"))
    number = seen["ticket"]["id"]
    await case.agent.do(command("ticketRefuse"), id=number, reason="Blurred.")
    again = command("ticketReapply")
    bare = await case.customer.do(again, id=number, description="Look.", mediaIds=[])
    kept = await case.customer.do(again, id=number, description="Look.")

    assert refusals(wrong) == [("INVALID", "evidence")]
    assert [each["needsPicture"] for each in quotes] == [True, False]
    assert refusals(unseen) == refusals(bare) == [("INVALID", "mediaIds")]
    assert [each["userErrors"] for each in (seen, by_phone, kept)] == [[], [], []]
