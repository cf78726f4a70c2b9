"""Guests order with a cart and a contact; the secret of an order opens this order only."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Account, GuestAccount, Order, PromotionUse, Reading, Role, SignIn
from tests.api.aftersales.documents import OPEN
from tests.api.order.documents import ADDRESS, CANCEL, create_variant
from tests.api.test_account import sign_in
from tests.api.test_payment import START
from tests.clients import Client, Clients
from tests.factories.account import create_account
from tests.factories.cart import create_cart, create_coupon
from tests.factories.order import deliver
from tests.factories.token import new_cart_token
from tests.given import cny, codes, id_of, refusals
from tests.notices import CONFIRM, REGISTER, code_sent, send_notices
from tests.observe import run_until_idle

PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number status total { amount } payments { id } lines { id } customer { role name } }
  secret userErrors { code field message } } }"""
READ = """query ($id: ID!) { viewer { role } order(id: $id) { number status } node(id: $id) { id }
  orders(first: 10) { nodes { number } } }"""
WATCH = "subscription ($id: ID!) { orderUpdates(id: $id, after: 0) { version name order { number } } }"
RECEIPT = """mutation ($input: OrderReceiptConfirmInput!) { orderReceiptConfirm(input: $input) {
  order { status } userErrors { code field } } }"""
SEND_SECRET = """mutation ($input: OrderSecretRequestInput!) { orderSecretRequest(input: $input) {
  requestedAt userErrors { code field } } }"""
MAIL = "guest@example.com"


async def guest_with_cart(clients: Clients, session: AsyncSession, *, quantity: int = 1) -> Client:
    """A guest with a cart of one tea at 99.00."""
    tea = await create_variant(clients.shop, title="Tea")
    token = new_cart_token(clients.shop)
    await create_cart(session, token_hash=fingerprint_of(token), lines={tea: quantity})
    await session.commit()
    return clients.guest(**{"X-Cart-Token": token})


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "deliveries": [{"address": {"postal": ADDRESS}}],
        "payments": [{"method": "SANDBOX", "amount": cny("99.00")}],
        "contact": {"email": " Guest@Example.com "},
        "idempotencyKey": "first",
    } | changes


async def order_as_guest(
    clients: Clients, session: AsyncSession, **changes: Any
) -> tuple[Client, dict[str, Any]]:
    """A guest's order, and who has its secret."""
    guest = await guest_with_cart(clients, session)
    placed = await guest.do(PLACE, **terms(**changes))
    assert placed["userErrors"] == []
    return clients.guest(Authorization=f"Bearer {placed['secret']}"), placed["order"]


def claim_of(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "orderId": order["id"],
        "type": "RETURN_REFUND",
        "reason": "QUALITY_FAULT",
        "description": "Broken",
        "lines": [{"orderLineId": order["lines"][0]["id"], "quantity": 1}],
        "idempotencyKey": "claim",
    }


async def test_a_guest_orders_with_a_cart_and_a_contact(clients: Clients, session: AsyncSession) -> None:
    guest = await guest_with_cart(clients, session)

    placed = await guest.do(PLACE, **terms())
    again = await guest.do(PLACE, **terms())
    other = await guest.do(PLACE, **terms(contact={"email": "other@example.com"}))

    assert placed["order"]["customer"] == {"role": "GUEST_BUYER", "name": "林梅"}
    assert again["order"] == placed["order"]
    assert refusals(other) == [("KEY_REUSED", "idempotencyKey")]
    order = (await session.scalars(select(Order))).one()
    guest_account = (await session.scalars(select(GuestAccount))).one()
    assert (guest_account.account_id, guest_account.email, guest_account.phone) == (
        order.account_id,
        MAIL,
        None,
    )
    account = await session.get_one(Account, order.account_id)
    assert (account.email, account.phone, account.role) == (None, None, Role.GUEST_BUYER)
    assert await session.scalar(select(func.count()).select_from(SignIn)) == 1
    for secret in (placed["secret"], again["secret"]):
        holder = clients.guest(Authorization=f"Bearer {secret}")
        assert await holder.get(READ, id=placed["order"]["id"]) == {
            "viewer": {"role": "GUEST_BUYER"},
            "order": {"number": order.number, "status": "PENDING"},
            "node": {"id": placed["order"]["id"]},
            "orders": {"nodes": [{"number": order.number}]},
        }


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"contact": None}, ("INVALID", "contact")),
        ({"contact": {}}, ("INVALID", "contact")),
        ({"contact": {"email": "nobody"}}, ("INVALID", "contact.email")),
        ({"contact": {"phone": "123"}}, ("INVALID", "contact.phone")),
        ({"payments": [{"method": "SANDBOX", "amount": cny("98.00")}]}, ("AMOUNT_MISMATCH", "payments")),
        ({"idempotencyKey": ""}, ("INVALID", "idempotencyKey")),
    ],
)
async def test_a_refused_order_of_a_guest_leaves_nothing(
    clients: Clients, session: AsyncSession, changes: dict[str, Any], refused: tuple[str, str]
) -> None:
    guest = await guest_with_cart(clients, session)

    payload = await guest.do(PLACE, **terms(**changes))

    assert (refusals(payload), payload["order"], payload["secret"]) == ([refused], None, None)
    for table in (Account, GuestAccount, SignIn, Order):
        assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_without_a_cart_a_guest_orders_nothing(clients: Clients, shop: Shop) -> None:
    tea = await create_variant(shop)

    payload = await clients.guest().do(PLACE, **terms(lines=[{"variantId": id_of(tea), "quantity": 1}]))

    assert refusals(payload) == [("INVALID", "contact")]


async def test_the_secret_pays_watches_cancels_and_nothing_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    holder, order = await order_as_guest(clients, session)

    paid = await holder.do(START, id=order["payments"][0]["id"])
    assert (paid["userErrors"], paid["payment"]["status"]) == ([], "STARTED")
    async with holder.watch(WATCH, id=order["id"]) as watch:
        assert (await watch.next())["data"]["orderUpdates"]["order"] == {"number": order["number"]}
    cancelled = await holder.do(CANCEL, id=order["id"], reason="Wrong size")
    assert cancelled["order"]["status"] == "CANCELLED"

    refused = await holder.ask("{ cart { id } }")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert codes(await holder.do(PLACE, **terms(idempotencyKey="second"))) == ["FORBIDDEN"]
    for document in (
        'mutation { accountExport(input: {password: "x"}) { userErrors { code } } }',
        'mutation { accountErase(input: {password: "x"}) { userErrors { code } } }',
        "mutation { otherSignInsEnd { userErrors { code } } }",
    ):
        payload = next(iter((await holder.get(document)).values()))
        assert codes(payload) == ["FORBIDDEN"]


async def test_the_secret_of_one_order_opens_no_other(clients: Clients, session: AsyncSession) -> None:
    holder, _ = await order_as_guest(clients, session)
    _, other = await order_as_guest(clients, session, contact={"phone": "13800138000"})
    missing = await holder.ask(READ, id="T3JkZXI6OTk5OTk5")

    read = await holder.ask(READ, id=other["id"])
    assert (read["data"]["order"], read["data"]["node"]) == (None, None)
    assert read == missing
    assert refusals(await holder.do(START, id=other["payments"][0]["id"])) == [("NOT_FOUND", "id")]
    assert refusals(await holder.do(CANCEL, id=other["id"], reason="Mine")) == [("NOT_FOUND", "id")]
    assert refusals(await holder.do(OPEN, **claim_of(other))) == [("NOT_FOUND", "orderId")]
    async with holder.watch(WATCH, id=other["id"]) as watch:
        assert (await watch.answer())["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    stream = await clients.http.post(
        "/graphql",
        json={"query": WATCH, "variables": {"id": other["id"]}},
        headers={**holder.headers, "Accept": "text/event-stream"},
    )
    [data] = [line for line in stream.text.splitlines() if line.startswith("data: {")]
    assert json.loads(data.removeprefix("data: "))["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_guessed_secret_opens_nothing(clients: Clients, session: AsyncSession) -> None:
    holder, order = await order_as_guest(clients, session)
    head, body, signature = holder.headers["Authorization"].split(".")
    forged = clients.guest(Authorization=f"{head}.{body}.{signature[::-1]}")

    reply = await forged.post(READ, id=order["id"])

    assert reply.status_code == 401


async def test_a_guest_claims_after_receipt_and_is_told_at_the_contact(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    cash = [{"method": "CASH_ON_DELIVERY", "amount": cny("99.00")}]
    holder, placed = await order_as_guest(clients, session, payments=cash)
    order = (await session.scalars(select(Order))).one()
    await deliver(session, order, now=shop.clock())
    await session.commit()

    received = await holder.do(RECEIPT, id=placed["id"])
    opened = await holder.do(OPEN, **claim_of(placed))
    await run_until_idle(shop)

    assert received["order"] == {"status": "COMPLETED"}
    assert opened["userErrors"] == []
    notices = await send_notices(shop)
    assert {each.recipient for each in notices} == {MAIL}
    assert {"ORDER_CONFIRMED", "ORDER_COMPLETED", "TICKET_OPENED"} <= {each.kind.value for each in notices}


async def test_what_is_limited_per_customer_is_not_for_guests(
    clients: Clients, session: AsyncSession
) -> None:
    guest = await guest_with_cart(clients, session)
    coupon = await create_coupon(session, amount=1_000, usage_limit_per_buyer=1)
    await session.commit()

    payload = await guest.do(PLACE, **terms(couponCodes=[coupon.code]))

    assert refusals(payload) == [("COUPON_REFUSED", "couponCodes.0")]
    assert "Sign in" in payload["userErrors"][0]["message"]
    assert await session.scalar(select(func.count()).select_from(Order)) == 0


async def test_orders_of_guests_are_bounded_for_each_address(clients: Clients, session: AsyncSession) -> None:
    guest = await guest_with_cart(clients, session)
    shop = clients.shop
    few = shop.settings.rates.model_copy(update={"guest_orders": 1})
    shop.settings = shop.settings.model_copy(update={"rates": few})

    first = await guest.do(PLACE, **terms(payments=[]))
    second = await guest.do(PLACE, **terms())

    assert (codes(first), codes(second)) == (["AMOUNT_MISMATCH"], ["LIMIT_REACHED"])


async def register(clients: Clients, shop: Shop) -> Client:
    """Somebody who has registered with the guest's e-mail address and verified it."""
    started = await clients.guest().do(REGISTER, name="Mei", password="a long password", email=MAIL)
    code = await code_sent(shop, MAIL)
    token = started["verification"]["token"]
    confirmed = await clients.guest().do(CONFIRM, token=token, code=code)
    return clients.guest(Authorization=f"Bearer {confirmed['session']['accessToken']}")


async def test_a_verified_account_takes_the_orders_over_and_the_secret_ends(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    coupon = await create_coupon(session, amount=1_000)
    await session.commit()
    reduced = {"couponCodes": [coupon.code], "payments": [{"method": "SANDBOX", "amount": cny("89.00")}]}
    holder, order = await order_as_guest(clients, session, **reduced)
    await (await clients.staff(Role.SUPPORT)).get(
        "query ($id: ID!) { order(id: $id) { note } }", id=order["id"]
    )

    customer = await register(clients, shop)

    assert (await holder.post(READ, id=order["id"])).status_code == 401
    answer = await customer.get(READ, id=order["id"])
    assert answer["orders"] == {"nodes": [{"number": order["number"]}]}
    owner = await session.scalar(select(Account.id).where(Account.email == MAIL))
    assert await session.scalar(select(Order.account_id)) == owner
    assert await session.scalar(select(PromotionUse.account_id)) == owner
    assert (await session.scalars(select(Reading.account_id).distinct())).all() == [owner]
    guest = (await session.scalars(select(GuestAccount))).one()
    assert (guest.email, guest.closed_at) == (None, shop.clock())
    await session.commit()
    cancelled = await customer.do(CANCEL, id=order["id"], reason="Mine now")
    assert cancelled["order"]["status"] == "CANCELLED"


async def test_an_order_that_was_taken_over_is_not_placed_again(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    guest = await guest_with_cart(clients, session)
    assert (await guest.do(PLACE, **terms()))["userErrors"] == []
    await register(clients, shop)

    again = await guest.do(PLACE, **terms())

    assert (codes(again), again["order"], again["secret"]) == (["WRONG_STATE"], None, None)
    assert await session.scalar(select(func.count()).select_from(Order)) == 1


async def test_an_account_that_has_verified_nothing_takes_nothing_over(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_account(session, email=MAIL)
    await session.commit()
    holder, order = await order_as_guest(clients, session)

    await sign_in(clients, MAIL)

    assert (await holder.get(READ, id=order["id"]))["order"]["number"] == order["number"]


async def test_an_order_placed_after_the_verification_is_taken_over_at_the_next_sign_in(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session, email=MAIL)
    account.email_verified_at = shop.clock()
    await session.commit()
    await order_as_guest(clients, session)

    await sign_in(clients, MAIL)

    assert await session.scalar(select(Order.account_id)) == account.id


async def test_the_phone_decides_about_a_takeover_only_where_no_email_was_given(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session, email="other@example.com", phone="+8613912345678")
    account.phone_verified_at = account.email_verified_at = shop.clock()
    await session.commit()
    phone = {"phone": "+8613912345678"}
    holder, kept = await order_as_guest(clients, session, contact={"email": MAIL, **phone})
    _, taken = await order_as_guest(clients, session, contact=phone, idempotencyKey="second")

    await sign_in(clients, "other@example.com")

    assert (await holder.get(READ, id=kept["id"]))["order"]["number"] == kept["number"]
    owned = select(Order.number).where(Order.account_id == account.id)
    assert (await session.scalars(owned)).all() == [taken["number"]]


async def test_the_secret_is_sent_to_the_contact_of_the_order_and_to_nobody_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    _, order = await order_as_guest(clients, session)
    await run_until_idle(shop)
    await send_notices(shop)

    answers = [
        await clients.guest().do(SEND_SECRET, number=number, contact=contact)
        for number, contact in (
            (order["number"], MAIL),
            (order["number"], "stranger@example.com"),
            ("O26030199999999", MAIL),
        )
    ]
    notices = await send_notices(shop)

    assert answers == [{"requestedAt": shop.clock().isoformat(), "userErrors": []}] * 3
    assert [(each.recipient, each.kind.value) for each in notices] == [(MAIL, "ORDER_SECRET")]
    secret = max(notices[0].body.split(), key=len)
    holder = clients.guest(Authorization=f"Bearer {secret}")
    assert (await holder.get(READ, id=order["id"]))["order"]["number"] == order["number"]
