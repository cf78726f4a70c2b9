"""Calls to carriers as the staff see them on orders; customers, couriers and strangers do not."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.personal_data.erasure import erase_rows
from domain.personal_data.inventory import PERSONAL_TABLES
from events.shipment.polling import poll_parcels
from events.shop import Shop
from gateways.carrier.protocol import BookedWaybill
from models import SIMULATED_CARRIER, CarrierCall, Order, Role, Shipment
from tests.api.shipment.test_carrier_rules import BOOK
from tests.clients import Client, Clients
from tests.factories.carrier import ScriptedCarrier, connect_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.given import id_of
from tests.observe import count_statements

Tick = Callable[[timedelta], None]
CALLS = """
carrierCalls {
  carrier kind outcome statusCode answer reason body calledAt lastCalledAt times actor { name }
  waybill { number } shipment { number }
}
"""
ONE = f"query ($id: ID!) {{ order(id: $id) {{ number {CALLS} }} }}"
MANY = f"{{ orders {{ nodes {{ number {CALLS} }} }} }}"


async def book_and_ask(
    shop: Shop, session: AsyncSession, clerk: Client, customer: Client, number: str
) -> tuple[Order, Shipment]:
    """A parcel that a clerk has booked, that left, and of which its carrier says nothing."""
    now = shop.clock()
    order = await confirmed_order(session, account=customer.account, now=now)
    [shipment] = await pack(session, order, now=now)
    await session.commit()
    connect_carrier(shop, ScriptedCarrier([BookedWaybill(number)]))
    await clerk.do(BOOK, id=id_of(shipment), carrier="SIMULATED")
    await send(session, shipment, carrier=SIMULATED_CARRIER, tracking_number=number, poll_at=now, now=now)
    await session.commit()
    await poll_parcels(SIMULATED_CARRIER, shop, [shipment.id])
    return order, shipment


async def test_the_staff_read_who_asked_a_carrier_when_and_what_it_said(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk, support, customer = [
        await clients.staff(Role.WAREHOUSE),
        await clients.staff(Role.SUPPORT),
        await clients.customer(),
    ]
    assert clerk.account is not None
    began = shop.clock().isoformat()
    order, shipment = await book_and_ask(shop, session, clerk, customer, "N1")
    tick(timedelta(minutes=1))
    await poll_parcels(SIMULATED_CARRIER, shop, [shipment.id])

    shown = (await support.get(ONE, id=id_of(order)))["order"]["carrierCalls"]

    about = {"carrier": "SIMULATED", "statusCode": None, "body": None, "calledAt": began}
    track = {"kind": "TRACK", "outcome": "NO_ANSWER", "answer": None, "reason": "no answer", "times": 2}
    book = {"kind": "BOOK", "outcome": "ANSWERED", "answer": "N1", "reason": None, "times": 1}
    parcel = {"waybill": None, "shipment": {"number": shipment.number}, "actor": None}
    waybill = {"waybill": {"number": "N1"}, "shipment": None, "actor": {"name": clerk.account.name}}
    assert shown == [
        about | track | parcel | {"lastCalledAt": shop.clock().isoformat()},
        about | book | waybill | {"lastCalledAt": began},
    ]


async def test_neither_customers_nor_couriers_nor_strangers_see_calls(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    order, _ = await book_and_ask(shop, session, await clients.staff(Role.WAREHOUSE), customer, "N1")

    seen = (await customer.get(ONE, id=id_of(order)))["order"]
    assert seen == {"number": order.number, "carrierCalls": None}
    assert (await stranger.get(ONE, id=id_of(order)))["order"] is None
    courier = await clients.staff(Role.COURIER)
    assert ((await courier.ask(ONE, id=id_of(order)))["data"] or {}).get("order") is None


async def test_the_calls_of_many_orders_take_as_many_statements_as_those_of_one(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, customer = await clients.staff(Role.WAREHOUSE), await clients.customer()
    await book_and_ask(shop, session, clerk, customer, "N0")
    await clerk.get(MANY)
    with count_statements(shop) as of_one:
        await clerk.get(MANY)
    for number in range(1, 5):
        await book_and_ask(shop, session, clerk, customer, f"N{number}")
    with count_statements(shop) as of_many:
        shown = (await clerk.get(MANY))["orders"]["nodes"]

    assert [len(each["carrierCalls"]) for each in shown] == [2] * 5
    assert of_one.total == of_many.total


async def test_erasing_an_account_empties_reasons_and_answers(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    assert customer.account is not None
    order, _ = await book_and_ask(shop, session, await clients.staff(Role.WAREHOUSE), customer, "N1")

    async with shop.database.writes.begin() as write:
        await erase_rows(write, CarrierCall, PERSONAL_TABLES[CarrierCall], customer.account.id)

    async with shop.database.reads() as read:
        calls = select(CarrierCall).where(CarrierCall.order_id == order.id).order_by(CarrierCall.id)
        rows = await read.scalars(calls)
        assert [(row.kind.value, row.answer, row.reason, row.body) for row in rows.all()] == [
            ("BOOK", "N1", None, None),
            ("TRACK", None, None, None),
        ]
