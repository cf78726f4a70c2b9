"""Editing an order before it is packed: one step, the difference settled, all or nothing."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import CurrencyCode, OrderStatus, PromotionKind
from tests.api.order.edit_documents import (
    EDIT_CANCEL,
    VIEW_EDITED,
    WAITING_EDIT,
    capture_last,
    edit,
    lines_of,
    of_variant,
    owner_of,
    quote,
    set_price,
)
from tests.api.order.editing_documents import NINGBO
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.factories.order import CASH, a_variant
from tests.factories.promotion import create_full_reduction, create_promotion
from tests.factories.stock import reserved_units
from tests.given import id_of
from tests.observe import read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

CNY = CurrencyCode.CNY


async def test_an_edit_swaps_a_variant_and_gives_the_difference_back(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    dear, cheap = await a_variant(session), await a_variant(session, prices={CNY: 5_000})
    await session.commit()
    customer, order = await owner_of(clients, shop, [(dear, 2)])
    [line] = await lines_of(shop, order)
    change = {"orderLineId": id_of(line), "quantity": 2, "variantId": id_of(cheap)}

    quoted = await quote(customer, order, lines=[change])
    payload = await edit(customer, order, lines=[change])
    await run_until_idle(shop)

    assert (quoted["totalBefore"], quoted["total"], quoted["difference"]) == (
        {"amount": "198.00"},
        {"amount": "100.00"},
        {"amount": "-98.00"},
    )
    assert payload["userErrors"] == []
    shown = (await customer.get(VIEW_EDITED, id=id_of(order)))["order"]
    assert shown["total"] == quoted["total"]
    assert [(each["quantity"], each["cancelled"]) for each in shown["lines"]] == [(2, 2), (2, 0)]
    [payment] = shown["payments"]
    assert [refund["total"] for refund in payment["refunds"]] == [{"amount": "98.00"}]
    assert "Order changed" in [event["message"] for event in shown["timeline"]]
    async with shop.database.reads() as reading:
        assert [await reserved_units(reading, each) for each in (dear, cheap)] == [0, 2]


async def test_kept_units_keep_their_price_and_added_ones_take_todays(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)], status=OrderStatus.PENDING)
    [line] = await lines_of(shop, order)
    await set_price(shop, variant, 12_000)

    payload = await edit(customer, order, lines=[{"orderLineId": id_of(line), "quantity": 3}])

    assert payload["userErrors"] == []
    shown = payload["order"]
    assert [(each["quantity"], each["unitPrice"]["amount"]) for each in shown["lines"]] == [
        (1, "99.00"),
        (2, "120.00"),
    ]
    assert shown["total"] == {"amount": "339.00"}
    assert [each["amount"]["amount"] for each in shown["payments"]] == ["339.00"]


async def test_what_costs_more_is_paid_before_the_order_is_changed(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant, more = await a_variant(session), await a_variant(session, prices={CNY: 2_500})
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)])

    needed = await quote(customer, order, additions=[of_variant(more, 2)])
    refused = await edit(customer, order, additions=[of_variant(more, 2)])
    asked = await edit(customer, order, additions=[of_variant(more, 2)], method="SANDBOX")

    assert needed["paymentNeeded"] is True
    assert [error["field"] for error in refused["userErrors"]] == [["paymentMethod"]]
    assert asked["userErrors"] == []
    assert (asked["order"]["total"], len(asked["order"]["lines"])) == ({"amount": "99.00"}, 1)
    assert [each["amount"]["amount"] for each in asked["order"]["payments"]] == ["99.00", "50.00"]
    async with shop.database.reads() as reading:
        assert await reserved_units(reading, more) == 2

    await capture_last(shop, order)
    await run_until_idle(shop)

    shown = (await customer.get(VIEW_EDITED, id=id_of(order)))["order"]
    assert (shown["total"], shown["paymentStatus"]) == ({"amount": "149.00"}, "PAID")
    assert [each["quantity"] for each in shown["lines"]] == [1, 2]
    async with shop.database.reads() as reading:
        assert await reserved_units(reading, more) == 2


async def test_an_edit_that_waits_for_its_payment_is_shown_and_given_up(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant, more = await a_variant(session), await a_variant(session, prices={CNY: 2_500})
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)])
    none = (await customer.get(WAITING_EDIT, id=id_of(order)))["order"]["waitingEdit"]
    await edit(customer, order, additions=[of_variant(more, 2)], method="SANDBOX")

    shown = (await customer.get(WAITING_EDIT, id=id_of(order)))["order"]["waitingEdit"]
    dropped = await customer.do(EDIT_CANCEL, id=id_of(order))
    again = await customer.do(EDIT_CANCEL, id=id_of(order))

    assert none is None
    assert shown["lines"] == [
        {"variant": {"id": id_of(more)}, "quantityBefore": 0, "quantity": 2, "after": {"amount": "50.00"}}
    ]
    assert (shown["difference"], shown["payment"]) == ({"amount": "50.00"}, {"status": "PENDING"})
    assert shown["paymentDueAt"] > STARTED_AT.isoformat()
    assert dropped["userErrors"] == []
    assert (dropped["order"]["waitingEdit"], dropped["order"]["paymentStatus"]) == (None, "PAID")
    assert [each["status"] for each in dropped["order"]["payments"]] == ["CAPTURED", "CLOSED"]
    assert [error["code"] for error in again["userErrors"]] == ["WRONG_STATE"]
    async with shop.database.reads() as reading:
        assert await reserved_units(reading, more) == 0


async def test_promotions_are_computed_anew_by_the_rules_of_the_day_it_was_placed(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    promotion = await create_full_reduction(session, (30_000, 4_000))
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 3)], status=OrderStatus.PENDING)
    [line] = await lines_of(shop, order)
    async with shop.database.writes.begin() as writing:
        row = await writing.get_one(type(promotion), promotion.id)
        row.tiers = [{"minimum": 30_000, "amount": 10_000}]

    more = await edit(customer, order, lines=[{"orderLineId": id_of(line), "quantity": 4}])
    less = await edit(customer, order, lines=[{"orderLineId": id_of(line), "quantity": 1}], key="edit-2")

    assert (more["userErrors"], more["order"]["total"]) == ([], {"amount": "356.00"})
    assert (less["userErrors"], less["order"]["total"]) == ([], {"amount": "198.00"})


async def test_a_gift_loses_its_discount_where_its_set_is_edited_away(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    first, second = await a_variant(session), await a_variant(session)
    await create_promotion(session, PromotionKind.BUY_N_GET_M, title="1 + 1", buy=1, get=1)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(first, 1), (second, 1)])
    [line, _] = await lines_of(shop, order)

    payload = await edit(customer, order, lines=[{"orderLineId": id_of(line), "quantity": 0}])

    assert (payload["userErrors"], payload["order"]["total"]) == ([], {"amount": "99.00"})


async def test_an_address_that_costs_more_is_paid_at_the_door_where_all_is(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)], payments={CASH: None})
    [delivery] = (await customer.get(VIEW_EDITED, id=id_of(order)))["order"]["deliveries"]
    change = {"deliveryId": delivery["id"], "address": {"postal": NINGBO}}

    payload = await edit(customer, order, addresses=[change], additions=[of_variant(variant, 1)])

    assert payload["userErrors"] == []
    shown = payload["order"]
    assert (shown["total"], shown["payments"][0]["amount"]) == ({"amount": "198.00"}, {"amount": "198.00"})
    assert shown["deliveries"][0]["address"] == {"city": "宁波市"}


async def test_what_is_sold_out_changes_nothing(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    variant, rare = await a_variant(session), await a_variant(session, stock={"HZ": 1})
    await session.commit()
    customer, order = await owner_of(clients, shop, [(variant, 1)], status=OrderStatus.PENDING)
    [line] = await lines_of(shop, order)
    before = await read_all_rows(shop)
    changes: dict[str, Any] = {
        "lines": [{"orderLineId": id_of(line), "quantity": 0}],
        "additions": [of_variant(rare, 2)],
    }

    quoted = await quote(customer, order, **changes)
    payload = await edit(customer, order, total="198.00", **changes)

    assert [problem["code"] for problem in quoted["problems"]] == ["OUT_OF_STOCK"]
    assert [error["field"] for error in payload["userErrors"]] == [["changes", "additions", "0", "variantId"]]
    assert await read_all_rows(shop) == before
