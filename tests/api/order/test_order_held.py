"""Held orders, notes of the staff, and the timeline."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import FulfilmentStatus, Order, OrderStatus, Role
from tests.api.order.editing_documents import (
    CANCEL_LINES,
    CHANGE_ADDRESS,
    HOLD,
    NOTE,
    NOW,
    RELEASE,
    VIEW,
    inputs,
    owner_of_order,
    refusal,
    timeline_event,
)
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    dispatch,
)
from tests.given import id_of
from tests.observe import read_all_rows

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def test_an_order_is_held_and_released_and_its_customer_reads_a_general_message(
    clients: Clients, shop: Shop
) -> None:
    customer, order = await owner_of_order(clients)
    keeper, support = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.SUPPORT)
    arguments = await inputs(shop, order)

    held = (await keeper.do(HOLD, **arguments[HOLD]))["order"]
    seen = (await customer.get(VIEW, id=id_of(order)))["order"]
    again = await support.do(HOLD, **arguments[HOLD])
    released = (await support.do(RELEASE, **arguments[RELEASE]))["order"]
    twice = await support.do(RELEASE, **arguments[RELEASE])

    assert (held["status"], held["heldAt"], held["hold"]) == ("CONFIRMED", NOW, "Looks odd.")
    assert held["timeline"][-1] == timeline_event("order.held", "Being checked by us", "Lin Mei")
    assert seen["hold"].startswith("We are checking something about this order")
    assert (seen["timeline"][-1]["actor"], seen["staffNotes"]) == (None, None)
    assert refusal(again) == ("WRONG_STATE", "id")
    assert (released["heldAt"], released["hold"]) == (None, None)
    assert released["timeline"][-1] == timeline_event("order.released", "Checked, goes on", "Lin Mei")
    assert refusal(twice) == ("WRONG_STATE", "id")


async def test_a_hold_needs_a_reason(clients: Clients, shop: Shop) -> None:
    _, order = await owner_of_order(clients)
    keeper = await clients.staff(Role.WAREHOUSE)
    before = await read_all_rows(shop)

    for reason in ("  ", "x" * 501):
        payload = await keeper.do(HOLD, id=id_of(order), reason=reason)
        assert refusal(payload) == ("INVALID", "reason")
    assert await read_all_rows(shop) == before


async def test_notes_are_for_the_staff_and_not_in_the_timeline(clients: Clients, shop: Shop) -> None:
    customer, order = await owner_of_order(clients)
    keeper = await clients.staff(Role.WAREHOUSE)
    timeline = names(await customer.get(VIEW, id=id_of(order)))

    payload = await keeper.do(NOTE, id=id_of(order), text=" Called twice. ")
    before = await read_all_rows(shop)
    wrong = [refusal(await keeper.do(NOTE, id=id_of(order), text=text)) for text in (" ", "x" * 2_001)]

    written = {"text": "Called twice.", "author": {"name": "Lin Mei"}}
    assert payload["orderNote"] == written | {"createdAt": NOW}
    assert wrong == [("INVALID", "text")] * 2
    assert await read_all_rows(shop) == before
    assert (await keeper.get(VIEW, id=id_of(order)))["order"]["staffNotes"] == [written]
    shown = await customer.get(VIEW, id=id_of(order))
    assert (names(shown), shown["order"]["staffNotes"]) == (timeline, None)


async def test_the_timeline_of_an_order_as_customer_and_staff_see_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    assert customer.account
    first, second = await a_variant(session), await a_variant(session)
    order = await create_order(
        session,
        account=customer.account,
        lines=[(first, 2), (second, 1)],
        payments={SANDBOX: None, CASH: 5_000},
        deliveries=[deliver_to(HANGZHOU, [(first, 2)]), deliver_to(CHENGDU, [(second, 1)])],
        status=OrderStatus.CONFIRMED,
        now=STARTED_AT,
    )
    await session.commit()
    support = await clients.staff(Role.SUPPORT)
    arguments = await inputs(shop, order)
    await support.do(HOLD, **arguments[HOLD])
    await support.do(RELEASE, **arguments[RELEASE])
    await customer.do(CHANGE_ADDRESS, **arguments[CHANGE_ADDRESS])
    await customer.do(CANCEL_LINES, **arguments[CANCEL_LINES])
    await dispatch(session, order, now=STARTED_AT)
    await session.commit()

    seen = (await customer.get(VIEW, id=id_of(order)))["order"]["timeline"]

    assert [(event["name"], event["actor"] is not None) for event in seen] == [
        ("order.placed", True),
        ("payment.started", False),
        ("payment.captured", False),
        ("order.confirmed", False),
        ("order.held", False),
        ("order.released", False),
        ("order.address_changed", True),
        ("order.lines_cancelled", True),
        ("refund.requested", True),
        ("order.packing", False),
        ("order.partially_shipped", False),
        ("order.shipped", False),
    ]
    found = await session.get_one(Order, order.id)
    assert found.fulfilment_status is FulfilmentStatus.SHIPPED
    await session.commit()


def names(data: dict[str, Any]) -> list[str]:
    return [event["name"] for event in data["order"]["timeline"]]
