"""The terms of claims through the API: clerks keep them, buyers confirm exclusions when they order."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order, OrderLine, OrderStatus, Product, ReplacementChoice, Role, Ticket
from resolvers.ids import global_id
from tests.api.aftersales.documents import OPEN, TicketCase, command, open_ticket, status_of
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_media, create_ticket, order_lines_of
from tests.factories.cart import create_cart
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.order import create_order
from tests.given import cny, codes, id_of, refusals
from tests.observe import run_until_idle

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


REFUSED = """query($input: TicketQuoteInput!) { ticketQuote(input: $input) {
  eligible refusal { code message } } }"""
REFUSED_REASONS = "{ claimPolicies { version refusedReasons category { name } } }"
ALL_QUOTES = """query($id: ID!) { ticketQuotes(orderId: $id, types: [REPAIR, RETURN_REFUND]) {
  reason refusal { code } } }"""

MINUTE = timedelta(minutes=1)
BY_LAW = ["QUALITY_FAULT", "WRONG_ITEM", "MISSING_ITEM", "DAMAGED", "NOT_AS_DESCRIBED", "NOT_RECEIVED"]


async def refusal_of(client: Client, claim: dict[str, Any]) -> str | None:
    refusal = (await client.get(REFUSED, input=claim))["ticketQuote"]["refusal"]
    return None if refusal is None else str(refusal["code"])


async def test_what_the_law_gives_cannot_be_refused_by_terms(clients: Clients, session: AsyncSession) -> None:
    clerk = await clients.staff(Role.CATALOGUE)
    tea = await create_category(session, name="Tea")
    await session.commit()
    named = SAVE.replace("code field", "message")

    refused = await save(clerk, categoryId=id_of(tea), refusedReasons=["NO_REASON", *BY_LAW, "QUESTION"])
    by_window = await save(
        clerk, categoryId=id_of(tea), windows=[{"reason": each, "days": 0} for each in ("NO_REASON", *BY_LAW)]
    )
    message = (await clerk.do(named, categoryId=id_of(tea), refusedReasons=["DAMAGED"]))["userErrors"]

    assert refusals(refused) == [("INVALID", f"refusedReasons.{index}") for index in range(1, 8)]
    assert refusals(by_window) == [("INVALID", f"windows.{index}.days") for index in range(1, 7)]
    assert message == [
        {"message": "The law lets customers claim for this reason: It was damaged when it arrived."}
    ]
    assert len((await clerk.get(REFUSED_REASONS))["claimPolicies"]) == 1


async def test_a_reason_that_the_terms_refuse_is_refused_to_customers_and_staff_and_nothing_is_opened(
    case: TicketCase, clients: Clients, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.MANAGER)
    product = global_id("Product", case.line.product_id)
    agreed = {"title": "All", "dailyAmounts": [cny("9999.00")], "dailyTickets": 9, "code": "all"}
    rule = """mutation ($input: AgreementRuleSaveInput!) { agreementRuleSave(input: $input) {
      userErrors { code } } }"""
    types = {"moment": "OPENED", "types": ["RETURN_REFUND"], "reasons": ["NO_REASON"]}
    assert (await clerk.do(rule, **agreed, **types))["userErrors"] == []
    unwanted = case.claim(reason="NO_REASON")
    before = await refusal_of(case.customer, unwanted)

    await save(clerk, productId=product, refusedReasons=["NO_REASON", "FAULT_IN_USE", "NO_REASON"])
    after = await refusal_of(case.customer, unwanted)
    faulty = await refusal_of(case.customer, case.claim())
    by_customer = await case.customer.do(OPEN, **case.application(reason="NO_REASON"))
    by_staff = await case.agent.do(OPEN, **case.application(reason="NO_REASON", channel="PHONE"))
    repair = await case.customer.do(OPEN, **case.application(type="REPAIR", reason="FAULT_IN_USE"))
    order_id = global_id("Order", case.order.id)
    quotes = (await case.customer.get(ALL_QUOTES, id=order_id))["ticketQuotes"]
    [message] = [each["message"] for each in by_customer["userErrors"]]

    assert (before, after, faulty) == (None, "REASON_REFUSED", None)
    assert message == "Teapot cannot be claimed for this reason."
    for reply in (by_customer, by_staff, repair):
        assert refusals(reply) == [("NOT_ELIGIBLE", "lines.0")]
    assert {each["reason"] for each in quotes if each["refusal"]} == {"NO_REASON", "FAULT_IN_USE"}
    async with case.customer.clients.shop.database.reads() as reading:
        assert (await reading.scalars(select(Ticket.id))).all() == []


async def test_the_nearest_terms_say_which_reasons_are_refused(
    clients: Clients, session: AsyncSession, clock: Clock
) -> None:
    clerk, customer = await clients.staff(Role.MANAGER), await clients.customer()
    food = await create_category(session, name="Food")
    tea = await create_category(session, name="Tea", parent=food)
    products = [await create_product(session, title=title, category=tea) for title in ("Green", "Black")]
    variants = [await variant_of(session, product) for product in products]
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.COMPLETED,
        lines=[(variant, 1) for variant in variants],
        now=clients.shop.clock(),
    )
    lines = await order_lines_of(session, order)
    await session.commit()

    async def refused() -> list[bool]:
        clock.tick(MINUTE)
        claims = [
            {
                "orderId": id_of(order),
                "type": "RETURN_REFUND",
                "reason": "NO_REASON",
                "lines": [{"orderLineId": id_of(line), "quantity": 1}],
            }
            for line in lines
        ]
        return [await refusal_of(customer, claim) == "REASON_REFUSED" for claim in claims]

    found = [await refused()]
    await save(clerk, categoryId=id_of(food), refusedReasons=["NO_REASON"])
    found.append(await refused())
    await save(clerk, productId=id_of(products[0]), refusedReasons=[])
    found.append(await refused())
    await save(clerk, categoryId=id_of(tea), refusedReasons=["FAULT_IN_USE"])
    found.append(await refused())
    await save(clerk, categoryId=id_of(tea), version=1, exclusion="NONE")
    found.append(await refused())

    assert found == [[False, False], [True, True], [False, True], [False, False], [False, True]]


async def test_a_ticket_keeps_the_reasons_of_the_terms_it_was_opened_under(
    case: TicketCase, clients: Clients, shop: Shop, clock: Clock
) -> None:
    clerk = await clients.staff(Role.MANAGER)
    product = global_id("Product", case.line.product_id)
    line = {"orderLineId": global_id("OrderLine", case.line.id), "quantity": 1}
    ticket = await open_ticket(case, quantity=2, reason="NO_REASON", idempotencyKey="1")
    faulty = await open_ticket(case, idempotencyKey="2")
    clock.tick(MINUTE)
    await save(clerk, productId=product, refusedReasons=["NO_REASON"])
    clock.tick(MINUTE)

    split = await case.agent.do(command("ticketSplit"), id=ticket, lines=[line], idempotencyKey="3")
    await case.agent.do(command("ticketRefuse"), id=ticket, reason="Used.")
    again = await case.customer.do(command("ticketReapply"), id=ticket, description="It was not used.")
    await case.agent.do(command("ticketRefuse"), id=faulty, reason="It is whole.")
    other = await case.customer.do(
        command("ticketReapply"), id=faulty, description="I do not want it.", reason="NO_REASON"
    )
    agreed = await case.agent.do(command("ticketAgree"), id=ticket)
    new = await case.customer.do(OPEN, **case.application(reason="NO_REASON", idempotencyKey="4"))

    assert [each["userErrors"] for each in (split, again, other, agreed)] == [[], [], [], []]
    assert "NOT_ELIGIBLE" in codes(new)
    await run_until_idle(shop)


async def test_what_was_asked_for_later_is_edited_by_the_terms_that_refuse_it(
    case: TicketCase, clients: Clients, clock: Clock
) -> None:
    clerk = await clients.staff(Role.MANAGER)
    product = global_id("Product", case.line.product_id)
    unwanted = await open_ticket(case, reason="NO_REASON", idempotencyKey="1")
    await save(clerk, productId=product, refusedReasons=["NO_REASON"])
    clock.tick(MINUTE)
    faulty = await open_ticket(case, idempotencyKey="2")
    await case.agent.do(command("ticketRefuse"), id=faulty, reason="It is whole.")

    changed = await case.customer.do(
        command("ticketReapply"), id=faulty, description="I do not want it.", reason="NO_REASON"
    )
    joined = await case.agent.do(command("ticketMerge"), id=unwanted, intoId=faulty, moveUnits=True)

    assert refusals(changed) == [("NOT_ELIGIBLE", "lines.0")]
    assert codes(joined) == ["WRONG_STATE"]
    assert [await status_of(case, each) for each in (unwanted, faulty)] == ["APPLIED", "REFUSED"]


async def test_what_was_not_packed_yet_can_be_given_up_whatever_reasons_are_refused(
    clients: Clients, session: AsyncSession
) -> None:
    clerk, customer = await clients.staff(Role.MANAGER), await clients.customer()
    variant = await variant_of(session, await create_product(session, title="Sock"))
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.CONFIRMED,
        lines=[(variant, 2)],
        now=clients.shop.clock(),
    )
    [line] = await order_lines_of(session, order)
    await session.commit()
    await save(clerk, productId=global_id("Product", variant.product_id), refusedReasons=["NO_REASON"])

    claim = {
        "orderId": id_of(order),
        "type": "REFUND_ONLY",
        "reason": "NO_REASON",
        "lines": [{"orderLineId": id_of(line), "quantity": 1}],
    }
    assert await refusal_of(customer, claim) is None
