"""Who edits an order, with which coupons, and what becomes of an edit that is paid for."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import CurrencyCode, Order, OrderEdit, OrderEditStatus, OrderStatus, Role
from tests.api.order.edit_documents import (
    CHANGE_PAYMENTS,
    VIEW_EDITED,
    capture_last,
    edit,
    lines_of,
    of_variant,
    owner_of,
    quote,
)
from tests.api.order.editing_documents import HOLD
from tests.api.order.test_guests import order_as_guest
from tests.api.test_payment import START
from tests.clients import Clients
from tests.conftest import STARTED_AT, Clock
from tests.factories.cart import create_coupon
from tests.factories.order import CASH, a_variant, create_order
from tests.factories.shipment import pack
from tests.given import cny, id_of
from tests.observe import read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def test_what_is_limited_per_customer_is_not_for_guests_who_edit_either(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    own = await create_coupon(session, code="ONCE", amount=1_000, usage_limit_per_buyer=1)
    free = await create_coupon(session, code="FREELY", amount=500)
    await session.commit()
    holder, _ = await order_as_guest(clients, session)
    order = (await session.scalars(select(Order))).one()
    await session.commit()
    before = await read_all_rows(shop)

    refused = await quote(holder, order, addCouponCodes=[own.code])
    payload = await edit(holder, order, total="89.00", addCouponCodes=[own.code])
    unchanged = await read_all_rows(shop)
    allowed = await edit(holder, order, key="edit-2", addCouponCodes=[free.code])

    assert [each["code"] for each in refused["problems"]] == ["COUPON_REFUSED"]
    assert [each["field"] for each in payload["userErrors"]] == [["changes", "addCouponCodes", "0"]]
    assert unchanged == before
    assert (allowed["userErrors"], allowed["order"]["total"]) == ([], {"amount": "94.00"})


async def test_staff_edit_for_a_customer_and_the_timeline_says_who(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 2)], payments={CASH: None})
    [line] = await lines_of(shop, order)
    support = await clients.staff(Role.SUPPORT)

    payload = await edit(support, order, lines=[{"orderLineId": id_of(line), "quantity": 1}])

    assert payload["userErrors"] == []
    edited = payload["order"]["timeline"][-1]
    assert (edited["name"], edited["actor"]) == ("order.edited", {"name": "Lin Mei"})
    shown = (await customer.get(VIEW_EDITED, id=id_of(order)))["order"]
    assert (shown["total"], shown["timeline"][-1]["actor"]) == ({"amount": "99.00"}, None)


async def test_a_held_order_is_edited_and_stays_held(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 2)])
    [line] = await lines_of(shop, order)
    await (await clients.staff(Role.SUPPORT)).do(HOLD, id=id_of(order), reason="Looks odd.")

    payload = await edit(customer, order, lines=[{"orderLineId": id_of(line), "quantity": 1}])
    await run_until_idle(shop)

    assert payload["userErrors"] == []
    async with shop.database.reads() as reading:
        found = await reading.get_one(Order, order.id)
    assert (found.status, found.held_at) == (OrderStatus.CONFIRMED, STARTED_AT)
    assert found.total.minor == 9_900


async def test_one_coupon_takes_the_place_of_another(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    small = await create_coupon(session, code="SMALL", amount=500, usage_limit=9)
    large = await create_coupon(session, code="LARGE", amount=1_000, usage_limit=9)
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(
        clients, shop, [(variant, 1)], status=OrderStatus.PENDING, coupon_code="SMALL"
    )

    payload = await edit(customer, order, addCouponCodes=["large"], removeCouponCodes=["SMALL"])

    assert payload["userErrors"] == []
    shown = payload["order"]
    assert (shown["total"], shown["discount"]) == ({"amount": "89.00"}, {"amount": "10.00"})
    async with shop.database.reads() as reading:
        used = [(await reading.get_one(type(each), each.id)).used for each in (small, large)]
    assert used == [0, 1]


@pytest.mark.parametrize("change", ["addCouponCodes", "removeCouponCodes"])
async def test_the_coupons_of_an_order_stay_once_part_of_it_is_packed(
    clients: Clients, shop: Shop, session: AsyncSession, change: str
) -> None:
    await create_coupon(session, code="HALF", amount=500, usage_limit=9)
    await create_coupon(session, code="WHOLE", amount=9_900, usage_limit=9)
    first, second = await a_variant(session), await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(first, 1), (second, 1)], coupon_code="HALF")
    async with shop.database.writes.begin() as writing:
        await pack(writing, order)
    before = await read_all_rows(shop)

    code = "WHOLE" if change == "addCouponCodes" else "HALF"
    changes: dict[str, Any] = {change: [code]}
    payload = await edit(customer, order, total="1.00", **changes)

    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [
        ("WRONG_STATE", ["changes", change])
    ]
    assert await read_all_rows(shop) == before


async def paid_order_with_waiting_edit(
    clients: Clients, shop: Shop, session: AsyncSession, **changes: Any
) -> tuple[Any, Order, dict[str, Any]]:
    """A paid order for 99.00, to which one unit at 25.00 is added when that is paid."""
    variant, more = await a_variant(session), await a_variant(session, prices={CurrencyCode.CNY: 2_500})
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)])
    payload = await edit(customer, order, additions=[of_variant(more, 1)], method="SANDBOX", **changes)
    assert payload["userErrors"] == []
    return customer, order, payload["order"]


async def test_an_edit_that_is_paid_and_not_possible_any_more_gives_the_money_back(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_coupon(session, code="LAST", amount=500, usage_limit=1)
    customer, order, _ = await paid_order_with_waiting_edit(clients, shop, session, addCouponCodes=["LAST"])
    async with shop.database.writes.begin() as writing:
        await create_order(writing, coupon_code="LAST", now=STARTED_AT)

    await capture_last(shop, order)
    await run_until_idle(shop)

    shown = (await customer.get(VIEW_EDITED, id=id_of(order)))["order"]
    assert (shown["total"], shown["discount"], len(shown["lines"])) == (
        {"amount": "99.00"},
        {"amount": "0.00"},
        1,
    )
    refunded = [[each["total"]["amount"] for each in payment["refunds"]] for payment in shown["payments"]]
    assert refunded == [[], ["20.00"]]
    async with shop.database.reads() as reading:
        [waiting] = await reading.scalars(select(OrderEdit))
    assert waiting.status is OrderEditStatus.DROPPED


async def test_what_is_paid_for_an_edit_is_asked_for_no_longer_than_the_edit_waits(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, _, asked = await paid_order_with_waiting_edit(clients, shop, session)

    started = await customer.do(START, id=asked["payments"][-1]["id"])

    async with shop.database.reads() as reading:
        [waiting] = await reading.scalars(select(OrderEdit))
    assert started["userErrors"] == []
    assert datetime.fromisoformat(started["nextAction"]["expiresAt"]) == waiting.due_at


async def test_cash_is_paid_in_advance_until_a_deadline_and_is_cash_again_after_it(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)], payments={CASH: None})
    parts = [{"method": "SANDBOX", "amount": cny("99.00")}]

    changed = await customer.do(CHANGE_PAYMENTS, id=id_of(order), payments=parts)
    started = await customer.do(START, id=changed["order"]["payments"][-1]["id"])
    again = await customer.do(CHANGE_PAYMENTS, id=id_of(order), payments=parts)
    async with shop.database.reads() as reading:
        due_at = (await reading.get_one(Order, order.id)).payment_due_at
    assert due_at
    clock.now = due_at
    await run_until_idle(shop)

    assert changed["userErrors"] == started["userErrors"] == again["userErrors"] == []
    assert datetime.fromisoformat(started["nextAction"]["expiresAt"]) == due_at
    support = await clients.staff(Role.SUPPORT)
    shown = (await support.get(VIEW_EDITED, id=id_of(order)))["order"]
    assert [(each["method"], each["status"], each["amount"]["amount"]) for each in shown["payments"]] == [
        ("CASH_ON_DELIVERY", "CLOSED", "0.00"),
        ("SANDBOX", "CLOSED", "99.00"),
        ("CASH_ON_DELIVERY", "PENDING", "99.00"),
    ]
    assert (shown["status"], shown["total"]) == ("CONFIRMED", {"amount": "99.00"})
