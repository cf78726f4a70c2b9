"""The staff find customers, see the page of each, and serve them."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Account, Address, Order, OrderStatus, Role
from tests.api.aftersales.documents import OPEN
from tests.api.order.documents import ADDRESS, create_variant
from tests.api.order.test_guests import order_as_guest
from tests.clients import Client, Clients
from tests.factories.account import create_account, create_address
from tests.factories.aftersales import create_ticket
from tests.factories.order import create_order
from tests.given import cny, id_of, refusals
from tests.observe import count_statements

FIND = """query ($query: String, $first: Int) { customers(query: $query, first: $first) {
  totalCount nodes { account { name role } email phone } pageInfo { hasNextPage endCursor } } }"""
PAGE = """query ($id: ID!) { customer(id: $id) { account { name addresses { city } } email
  figures { orders spent { amount currencyCode } refunded { amount } openTickets }
  orders { number timeline { name actor { name } } } tickets { number } } }"""
PAGES = """{ customers { nodes {
  account { name addresses { city } } email phone orders { number } tickets { number }
  figures { orders spent { amount } refunded { amount } openTickets } } } }"""
STAFF = "query ($role: Role) { staff(role: $role) { nodes { name role } } }"
PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number customer { id } timeline { name actor { name role } } } secret
  userErrors { code field } } }"""
SAVE = """mutation ($input: AddressSaveInput!) { addressSave(input: $input) {
  address { id line1 } userErrors { code field } } }"""
QUOTE = """query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) {
  total { amount } problems { code field } } }"""


@pytest.fixture
async def agent(clients: Clients, session: AsyncSession) -> Client:
    clerk = await create_account(session, role=Role.SUPPORT, name="Clerk")
    await session.commit()
    return await clients.staff(Role.SUPPORT, clerk)


async def create_people(session: AsyncSession) -> dict[str, Account]:
    """A customer with a phone number, one with an address and one order, and one who has only registered."""
    chen = await create_account(session, name="Chen Wei", phone="+8613912345678")
    mei = await create_account(session, name="Mei Lin", email="mei@example.com")
    await create_address(session, mei, postal_code="310099", phone="+8613700001111")
    await create_account(session, name="林晓雨", email="xiaoyu@example.com", phone=None)
    await create_account(session, name="Mei Zhou", email="zhou@example.com")
    await create_account(session, name="Mei Clerk", role=Role.WAREHOUSE)
    order = await create_order(session, account=mei)
    await session.commit()
    return {"chen": chen, "mei": mei, "order": order}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (None, ["Mei Zhou", "林晓雨", "Mei Lin", "Chen Wei"]),
        ("mei", ["Mei Zhou", "Mei Lin"]),
        (" MEI  l", ["Mei Lin"]),
        ("zho", ["Mei Zhou"]),
        ("晓雨", ["林晓雨"]),
        ("Mei@Example.com", ["Mei Lin"]),
        ("5678", ["Chen Wei"]),
        ("139 1234 5678", ["Chen Wei"]),
        ("00001111", ["Mei Lin"]),
        ("310099", ["Mei Lin"]),
        ("mei%", []),
        ("9999", []),
    ],
)
async def test_customers_are_found_by_what_they_say_of_themselves(
    agent: Client, session: AsyncSession, query: str | None, names: list[str]
) -> None:
    await create_people(session)

    found = await agent.get(FIND, query=query)

    assert [each["account"]["name"] for each in found["customers"]["nodes"]] == names


async def test_customers_are_found_by_the_number_of_an_order(agent: Client, session: AsyncSession) -> None:
    people = await create_people(session)
    number: str = people["order"].number  # type: ignore[attr-defined]

    found = await agent.get(FIND, query=number.lower())

    assert [each["account"]["name"] for each in found["customers"]["nodes"]] == ["Mei Lin"]


async def test_guests_are_found_by_the_contact_of_their_order(
    clients: Clients, agent: Client, session: AsyncSession
) -> None:
    _, order = await order_as_guest(clients, session)

    for query in ("guest@example.com", order["number"], "林"):
        found = await agent.get(FIND, query=query)
        assert found["customers"]["nodes"] == [
            {"account": {"name": "林梅", "role": "GUEST_BUYER"}, "email": "guest@example.com", "phone": None}
        ]


async def test_a_wrong_query_is_refused_by_name(agent: Client) -> None:
    for query in ("", "x" * 101, "nobody@"):
        reply = await agent.ask(FIND, query=query)
        assert reply["errors"][0]["extensions"] == {"code": "INVALID", "field": ["query"]}


async def test_the_page_of_a_customer_shows_orders_tickets_addresses_and_figures(
    agent: Client, session: AsyncSession
) -> None:
    mei = await create_account(session, name="Mei", email="mei@example.com")
    await create_address(session, mei)
    done = await create_order(session, account=mei, status=OrderStatus.COMPLETED)
    ticket = await create_ticket(session, order=done)
    fresh = await create_order(session, account=mei)
    await session.commit()

    page = (await agent.get(PAGE, id=id_of(mei)))["customer"]

    assert page["account"] == {"name": "Mei", "addresses": [{"city": "杭州市"}]}
    assert page["figures"] == {
        "orders": 2,
        "spent": [cny(f"{done.total.amount}")],
        "refunded": [],
        "openTickets": 1,
    }
    assert [each["number"] for each in page["orders"]] == [fresh.number, done.number]
    assert page["tickets"] == [{"number": ticket.number}]


async def test_pages_of_many_customers_take_as_many_statements_as_of_one(
    shop: Shop, agent: Client, session: AsyncSession
) -> None:
    await create_people(session)
    await agent.get(PAGES)

    with count_statements(shop) as few:
        await agent.get(PAGES)
    await create_people_more(session)
    with count_statements(shop) as many:
        await agent.get(PAGES)

    assert len(many.texts) == len(few.texts)


async def create_people_more(session: AsyncSession) -> None:
    for _ in range(3):
        account = await create_account(session)
        await create_address(session, account)
        await create_order(session, account=account)
    await session.commit()


async def test_a_clerk_orders_for_a_customer_and_stands_in_the_timeline(
    clients: Clients, agent: Client, shop: Shop, session: AsyncSession
) -> None:
    tea = await create_variant(shop, title="Tea")
    customer = await clients.customer()
    assert customer.account
    requested = {
        "customerId": id_of(customer.account),
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
    }
    paid = {"payments": [{"method": "CASH_ON_DELIVERY", "amount": cny("99.00")}], "idempotencyKey": "call"}

    quote = await agent.get(QUOTE, input=requested)
    placed = await agent.do(PLACE, **requested, **paid)

    assert quote["checkoutQuote"] == {"total": {"amount": "99.00"}, "problems": []}
    assert (placed["userErrors"], placed["secret"]) == ([], None)
    assert placed["order"]["customer"] == {"id": id_of(customer.account)}
    first = placed["order"]["timeline"][0]
    assert first == {"name": "order.placed", "actor": {"name": "Clerk", "role": "SUPPORT"}}
    own = await customer.get("{ orders { nodes { number timeline { name actor { name } } } } }")
    assert own["orders"]["nodes"][0]["timeline"][0] == {"name": "order.placed", "actor": None}


async def test_a_clerk_says_for_whom_and_nobody_else_may(
    clients: Clients, agent: Client, shop: Shop, session: AsyncSession
) -> None:
    tea = await create_variant(shop, title="Tea")
    customer, other = await clients.customer(), await clients.customer()
    assert customer.account
    terms = {
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
        "payments": [{"method": "SANDBOX", "amount": cny("99.00")}],
        "idempotencyKey": "call",
    }
    for_customer = terms | {"customerId": id_of(customer.account)}

    assert refusals(await agent.do(PLACE, **terms)) == [("INVALID", "customerId")]
    assert refusals(await other.do(PLACE, **for_customer)) == [("NOT_FOUND", "customerId")]
    assert refusals(await clients.guest().do(PLACE, **for_customer)) == [("NOT_FOUND", "customerId")]
    for_themselves = terms | {"customerId": id_of(agent.account)}
    assert refusals(await agent.do(PLACE, **for_themselves)) == [("NOT_FOUND", "customerId")]
    assert refusals(await other.do(SAVE, address=ADDRESS, customerId=id_of(customer.account))) == [
        ("NOT_FOUND", "customerId")
    ]
    assert await session.scalar(select(Order.id)) is None


async def test_a_clerk_changes_the_address_of_a_customer(
    clients: Clients, agent: Client, session: AsyncSession
) -> None:
    customer = await clients.customer()
    assert customer.account

    saved = await agent.do(SAVE, address=ADDRESS, customerId=id_of(customer.account))

    assert saved["userErrors"] == []
    assert await session.scalar(select(Address.account_id)) == customer.account.id


async def test_a_clerk_opens_a_ticket_for_a_customer(
    clients: Clients, agent: Client, session: AsyncSession, shop: Shop
) -> None:
    customer = await clients.customer()
    order = await create_order(
        session, account=customer.account, status=OrderStatus.COMPLETED, now=shop.clock()
    )
    await session.commit()
    lines = (await customer.get("{ orders { nodes { lines { id } } } }"))["orders"]["nodes"][0]["lines"]

    opened = await agent.do(
        OPEN,
        orderId=id_of(order),
        type="RETURN_REFUND",
        reason="QUALITY_FAULT",
        lines=[{"orderLineId": lines[0]["id"], "quantity": 1}],
        description="Said on the phone that it is broken",
        idempotencyKey="call",
    )
    shown = """query ($id: ID!) { ticket(id: $id) { customer { id } timeline { name actor { name } } } }"""

    assert opened["userErrors"] == []
    for_staff = (await agent.get(shown, id=opened["ticket"]["id"]))["ticket"]
    assert customer.account
    assert for_staff["customer"] == {"id": id_of(customer.account)}
    assert for_staff["timeline"][0]["actor"] == {"name": "Clerk"}


async def test_the_staff_are_listed_by_role(clients: Clients, session: AsyncSession) -> None:
    for role, name in ((Role.COURIER, "Kai"), (Role.COURIER, "Lan"), (Role.SUPPORT, "Ann")):
        await create_account(session, role=role, name=name)
    await create_account(session, role=Role.COURIER, name="Gone", disabled=True)
    await session.commit()
    warehouse = await clients.staff(Role.WAREHOUSE)

    assert (await warehouse.get(STAFF, role="COURIER"))["staff"]["nodes"] == [
        {"name": "Lan", "role": "COURIER"},
        {"name": "Kai", "role": "COURIER"},
    ]
    reply: dict[str, Any] = await warehouse.ask(STAFF, role="CUSTOMER")
    assert reply["errors"][0]["extensions"] == {"code": "INVALID", "field": ["role"]}
