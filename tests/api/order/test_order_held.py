"""Orders that wait, what colleagues note, and the story both sides read."""

from typing import Any

import pytest

from events.shop import Shop
from models import FulfilmentStatus, Order, OrderStatus, Role
from tests.api.order.changing import (
    CANCEL_LINES,
    HOLD,
    LOOK,
    MOVE,
    NOTE,
    NOW,
    RELEASE,
    id_of,
    inputs,
    owner_of_order,
    refusal,
    told,
)
from tests.conftest import OPENING
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
from tests.front import Front
from tests.observe import everything

pytestmark = pytest.mark.usefixtures("audited")


async def test_an_order_is_held_and_goes_on_and_its_customer_reads_friendly_words(
    front: Front, shop: Shop
) -> None:
    customer, order = await owner_of_order(front)
    keeper, support = await front.staff(Role.WAREHOUSE), await front.staff(Role.SUPPORT)
    given = await inputs(shop, order)

    held = (await keeper.do(HOLD, **given[HOLD]))["order"]
    seen = (await customer.get(LOOK, id=id_of(order)))["order"]
    again = await support.do(HOLD, **given[HOLD])
    released = (await support.do(RELEASE, **given[RELEASE]))["order"]
    twice = await support.do(RELEASE, **given[RELEASE])

    assert (held["status"], held["heldAt"], held["hold"]) == ("CONFIRMED", NOW, "Looks odd.")
    assert held["timeline"][-1] == told("order.held", "Being checked by us", "Lin Mei")
    assert seen["hold"].startswith("We are checking something about this order")
    assert (seen["timeline"][-1]["actor"], seen["staffNotes"]) == (None, None)
    assert refusal(again) == ("WRONG_STATE", "id")
    assert (released["heldAt"], released["hold"]) == (None, None)
    assert released["timeline"][-1] == told("order.released", "Checked, goes on", "Lin Mei")
    assert refusal(twice) == ("WRONG_STATE", "id")


async def test_a_hold_says_why(front: Front, shop: Shop) -> None:
    _, order = await owner_of_order(front)
    keeper = await front.staff(Role.WAREHOUSE)
    before = await everything(shop)

    for reason in ("  ", "x" * 501):
        payload = await keeper.do(HOLD, id=id_of(order), reason=reason)
        assert refusal(payload) == ("INVALID", "reason")
    assert await everything(shop) == before


async def test_notes_are_for_colleagues_and_no_part_of_the_story(front: Front, shop: Shop) -> None:
    customer, order = await owner_of_order(front)
    courier = await front.staff(Role.COURIER)
    story = names(await customer.get(LOOK, id=id_of(order)))

    payload = await courier.do(NOTE, id=id_of(order), text=" Called twice. ")
    before = await everything(shop)
    wrong = [refusal(await courier.do(NOTE, id=id_of(order), text=text)) for text in (" ", "x" * 2_001)]

    written = {"text": "Called twice.", "author": {"name": "Lin Mei"}}
    assert payload["orderNote"] == written | {"createdAt": NOW}
    assert wrong == [("INVALID", "text")] * 2
    assert await everything(shop) == before
    assert (await courier.get(LOOK, id=id_of(order)))["order"]["staffNotes"] == [written]
    shown = await customer.get(LOOK, id=id_of(order))
    assert (names(shown), shown["order"]["staffNotes"]) == (story, None)


async def test_the_story_of_an_order_from_two_sides(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    assert customer.account
    async with shop.database.writes.begin() as session:
        first, second = await a_variant(session), await a_variant(session)
        order = await create_order(
            session,
            account=customer.account,
            lines=[(first, 2), (second, 1)],
            payments={SANDBOX: None, CASH: 5_000},
            deliveries=[deliver_to(HANGZHOU, [(first, 2)]), deliver_to(CHENGDU, [(second, 1)])],
            status=OrderStatus.CONFIRMED,
            now=OPENING,
        )
    support = await front.staff(Role.SUPPORT)
    given = await inputs(shop, order)
    await support.do(HOLD, **given[HOLD])
    await support.do(RELEASE, **given[RELEASE])
    await customer.do(MOVE, **given[MOVE])
    await customer.do(CANCEL_LINES, **given[CANCEL_LINES])
    async with shop.database.writes.begin() as session:
        await dispatch(session, order, now=OPENING)

    seen = (await customer.get(LOOK, id=id_of(order)))["order"]["timeline"]

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
    async with shop.database.reads() as session:
        found = await session.get_one(Order, order.id)
        assert found.fulfilment_status is FulfilmentStatus.SHIPPED


def names(data: dict[str, Any]) -> list[str]:
    return [event["name"] for event in data["order"]["timeline"]]
