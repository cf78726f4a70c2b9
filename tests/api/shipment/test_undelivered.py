"""Parcels that come back, over the API: inspected, ended by staff or by time, sent again, corrected."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order, OrderStatus, Role, Shipment
from tests.api.shipment.documents import Tick
from tests.clients import Client, Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.order import CASH, a_variant, create_order, dispatch
from tests.factories.payment import reload_order
from tests.given import id_of
from tests.observe import assert_books_agree, run_until_idle

WEEK = timedelta(days=7)
FIELDS = """
  shipment {
    status ending waitingSince cashDue { amount } lines { quantity restocked damaged }
    order { status displayStatus paymentStatus total { amount } }
  }
  userErrors { code message field }
"""
EVENT_ADD = f"mutation ($input: ShipmentEventAddInput!) {{ shipmentEventAdd(input: $input) {{ {FIELDS} }} }}"
INSPECT = f"mutation ($input: ShipmentInspectInput!) {{ shipmentInspect(input: $input) {{ {FIELDS} }} }}"
END = f"mutation ($input: ShipmentEndInput!) {{ shipmentEnd(input: $input) {{ {FIELDS} }} }}"
AGAIN = f"mutation ($input: ShipmentSendAgainInput!) {{ shipmentSendAgain(input: $input) {{ {FIELDS} }} }}"
CORRECT = f"mutation ($input: ShipmentCorrectInput!) {{ shipmentCorrect(input: $input) {{ {FIELDS} }} }}"
WAITING = "{ shipments(filter: {waiting: true}) { nodes { id } } }"


async def ship_for_cash(shop: Shop, session: AsyncSession) -> tuple[Order, Shipment, str]:
    """A parcel of two units to be paid at the door, on its way, and the id of its order line."""
    lines = [(await a_variant(session, stock={"MAIN": 10}), 2)]
    order = await create_order(session, lines=lines, payments={CASH: None}, now=shop.clock())
    [parcel] = await dispatch(session, order, now=shop.clock())
    [line] = await order_lines_of(session, order)
    await session.commit()
    return order, parcel, id_of(line)


async def report(clerk: Client, parcel: Shipment, status: str) -> Any:
    return await clerk.do(EVENT_ADD, id=id_of(parcel), status=status, description="Refused at the door.")


async def test_a_refused_parcel_is_inspected_and_ended_by_staff(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, parcel, line = await ship_for_cash(shop, session)
    under_way = await clerk.do(END, id=id_of(parcel))
    returned = await report(clerk, parcel, "RETURNED")
    waiting = await clerk.get(WAITING)
    early = await clerk.do(END, id=id_of(parcel))
    wrong = await clerk.do(INSPECT, id=id_of(parcel), lines=[{"orderLineId": line, "restocked": 3}])
    lines = [{"orderLineId": line, "restocked": 1, "damaged": 1}]
    inspected = await clerk.do(INSPECT, id=id_of(parcel), lines=lines)
    ended = await clerk.do(END, id=id_of(parcel))
    again = await clerk.do(END, id=id_of(parcel))
    await run_until_idle(shop)

    assert [each["userErrors"][0]["code"] for each in (under_way, early, again)] == 3 * ["WRONG_STATE"]
    assert returned["shipment"]["cashDue"] == {"amount": "198.00"}
    assert returned["shipment"]["order"]["displayStatus"] == "RETURNED"
    assert waiting["shipments"]["nodes"] == [{"id": id_of(parcel)}]
    assert [(error["code"], error["field"]) for error in wrong["userErrors"]] == [("INVALID", ["lines", "0"])]
    assert inspected["shipment"]["lines"] == [{"quantity": 2, "restocked": 1, "damaged": 1}]
    assert ended["shipment"] | {"order": None} == {
        "status": "RETURNED",
        "ending": "WITHDRAWN",
        "waitingSince": None,
        "cashDue": None,
        "lines": [{"quantity": 2, "restocked": 1, "damaged": 1}],
        "order": None,
    }
    assert ended["shipment"]["order"]["status"] == "CANCELLED"
    assert ended["shipment"]["order"]["total"] == {"amount": "0.00"}
    await assert_books_agree(shop)


async def test_a_lost_parcel_ends_by_itself_after_a_week(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order, parcel, _ = await ship_for_cash(shop, session)
    await report(clerk, parcel, "EXPIRED")
    tick(WEEK - timedelta(seconds=1))
    await run_until_idle(shop)
    waits = (await reload_order(shop, order)).status
    tick(timedelta(seconds=1))
    await run_until_idle(shop)

    assert [waits, (await reload_order(shop, order)).status] == [OrderStatus.CONFIRMED, OrderStatus.CANCELLED]
    await assert_books_agree(shop)


async def test_a_parcel_is_sent_again_and_a_mistake_corrected(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk, packer = await clients.staff(Role.SUPPORT), await clients.staff(Role.WAREHOUSE)
    _, parcel, _ = await ship_for_cash(shop, session)
    await report(packer, parcel, "DELIVERED")
    empty = await clerk.do(CORRECT, id=id_of(parcel), reason=" ")
    corrected = await clerk.do(CORRECT, id=id_of(parcel), reason="Another house.")
    tick(timedelta(minutes=1))
    await report(packer, parcel, "EXPIRED")
    sent = await clerk.do(AGAIN, id=id_of(parcel))
    await run_until_idle(shop)

    assert [error["field"] for error in empty["userErrors"]] == [["reason"]]
    assert (corrected["shipment"]["status"], corrected["userErrors"]) == ("PICKED_UP", [])
    assert (sent["shipment"]["ending"], sent["userErrors"]) == ("SENT_AGAIN", [])
    assert sent["shipment"]["order"]["displayStatus"] == "PREPARING"
    await assert_books_agree(shop)
