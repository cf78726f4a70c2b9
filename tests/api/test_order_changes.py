"""What customers and staff change about an order, through the front door: who may, and what is told."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import select

from events.shop import Shop
from models import (
    Account,
    Delivery,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Role,
    StockLevel,
)
from resolvers.ids import global_id
from tests.conftest import OPENING
from tests.factories.account import create_address
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    SANDBOX,
    Lines,
    a_variant,
    create_order,
    deliver_to,
    dispatch,
    pack,
    payments_of,
)
from tests.front import Client, Front
from tests.observe import everything, settle, statements

pytestmark = pytest.mark.usefixtures("audited")

TIMELINE = "timeline { name words occurredAt actor { name } }"
ORDER = f"status total {{ amount }} cancelled {{ amount }} heldAt hold {TIMELINE}"


def change(name: str, shown: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input!"
    return f"mutation($input: {kind}) {{ {name}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"


CANCEL_LINES = change("orderLinesCancel", f"order {{ {ORDER} lines {{ quantity cancelled }} }}")
MOVE = change(
    "orderAddressChange",
    f"delivery {{ address {{ city district }} fee {{ amount }} order {{ {TIMELINE} }} }}",
)
HOLD = change("orderHold", f"order {{ {ORDER} }}")
RELEASE = change("orderRelease", f"order {{ {ORDER} }}")
NOTE = change("orderNoteAdd", "orderNote { text createdAt author { name } }")
LOOK = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} staffNotes {{ text author {{ name }} }} }} }}"
NOW = OPENING.isoformat()
CHENGDU_GIVEN = {
    "".join(word.capitalize() if at else word for at, word in enumerate(name.split("_"))): text
    for name, text in asdict(CHENGDU).items()
}
NINGBO = CHENGDU_GIVEN | {
    "province": "浙江省",
    "city": "宁波市",
    "district": "鄞州区",
    "postalCode": "315100",
}


async def ordered(
    shop: Shop,
    account: Account,
    *,
    status: OrderStatus = OrderStatus.CONFIRMED,
    quantities: tuple[int, ...] = (3,),
    payments: Mapping[Any, int | None] | None = None,
) -> Order:
    """An order of so many of each of several things, for 99.00 each."""
    async with shop.database.writes.begin() as session:
        lines: Lines = [(await a_variant(session), quantity) for quantity in quantities]
        return await create_order(
            session, account=account, status=status, lines=lines, payments=payments, now=OPENING
        )


async def owner_of_order(front: Front, **given: Any) -> tuple[Client, Order]:
    customer = await front.customer()
    assert customer.account
    return customer, await ordered(front.shop, customer.account, **given)


def id_of(order: Order) -> str:
    return global_id("Order", order.id)


async def line_ids(shop: Shop, order: Order) -> list[str]:
    async with shop.database.reads() as session:
        found = select(OrderLine.id).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        return [global_id("OrderLine", id) for id in await session.scalars(found)]


async def delivery_id(shop: Shop, order: Order) -> str:
    async with shop.database.reads() as session:
        found = select(Delivery.id).where(Delivery.order_id == order.id).order_by(Delivery.position)
        return global_id("Delivery", (await session.scalars(found)).all()[0])


async def inputs(shop: Shop, order: Order) -> dict[str, dict[str, Any]]:
    """Each change with what it needs, for a paid order of which nothing is packed."""
    [line, *_] = await line_ids(shop, order)
    return {
        CANCEL_LINES: {
            "id": id_of(order),
            "lines": [{"lineId": line, "quantity": 1}],
            "reason": "One is enough.",
        },
        MOVE: {"deliveryId": await delivery_id(shop, order), "address": {"postal": NINGBO}},
        HOLD: {"id": id_of(order), "reason": "Looks odd."},
        RELEASE: {"id": id_of(order)},
        NOTE: {"id": id_of(order), "text": "Called twice."},
    }


def refusal(payload: dict[str, Any]) -> tuple[str, str]:
    *things, (error,) = payload.values()
    assert things == [None] * len(things)
    return error["code"], ".".join(error["field"] or ())


MAY: Mapping[str, frozenset[Role]] = {
    CANCEL_LINES: frozenset({Role.CUSTOMER, Role.SUPPORT, Role.MANAGER, Role.ADMIN}),
    MOVE: frozenset({Role.CUSTOMER, Role.SUPPORT, Role.MANAGER, Role.ADMIN}),
    HOLD: frozenset({Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}),
    RELEASE: frozenset({Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}),
    NOTE: frozenset(Role) - {Role.GUEST, Role.CUSTOMER},
}
NAMES = ["cancel lines", "change the address", "hold", "release", "write a note"]


@pytest.mark.parametrize("document", MAY, ids=NAMES)
@pytest.mark.parametrize("role", Role)
async def test_who_may_change_an_order(front: Front, shop: Shop, document: str, role: Role) -> None:
    customer, order = await owner_of_order(front)
    given = await inputs(shop, order)
    if document == RELEASE:
        await (await front.staff(Role.MANAGER)).do(HOLD, **given[HOLD])
    if role is Role.GUEST:
        asks = front.guest()
    else:
        asks = customer if role is Role.CUSTOMER else await front.staff(role)
    before = await everything(shop)

    payload = await asks.do(document, **given[document])

    if role in MAY[document]:
        assert payload["userErrors"] == []
    else:
        assert refusal(payload) == ("UNAUTHENTICATED" if role is Role.GUEST else "FORBIDDEN", "")
        assert await everything(shop) == before


@pytest.mark.parametrize(("document", "field"), [(CANCEL_LINES, "id"), (MOVE, "deliveryId")])
async def test_an_order_of_somebody_else_is_one_that_does_not_exist(
    front: Front, shop: Shop, document: str, field: str
) -> None:
    _, order = await owner_of_order(front)
    stranger = await front.customer()
    given = (await inputs(shop, order))[document]
    kind = "Order" if field == "id" else "Delivery"
    before = await everything(shop)

    foreign = await stranger.do(document, **given)
    missing = await stranger.do(document, **given | {field: global_id(kind, 987_654)})

    assert foreign == missing
    assert refusal(foreign) == ("NOT_FOUND", field)
    assert await everything(shop) == before


async def test_what_is_cancelled_of_an_order_is_told_with_who_and_when(front: Front, shop: Shop) -> None:
    customer, order = await owner_of_order(front)

    payload = await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES])

    assert payload["userErrors"] == []
    shown = payload["order"]
    assert (shown["status"], shown["lines"]) == ("CONFIRMED", [{"quantity": 3, "cancelled": 1}])
    assert shown["timeline"][-2:] == [
        told("order.lines_cancelled", "Partly cancelled", "Lin Mei"),
        told("refund.requested", "Refund on its way", "Lin Mei"),
    ]
    async with shop.database.reads() as session:
        assert await session.scalar(select(StockLevel.reserved)) == 2


async def test_less_is_due_of_an_order_that_is_partly_cancelled_before_it_is_paid(
    front: Front, shop: Shop
) -> None:
    customer, order = await owner_of_order(front, status=OrderStatus.PENDING)

    shown = (await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES]))["order"]

    assert (shown["total"], shown["cancelled"]) == ({"amount": "198.00"}, {"amount": "99.00"})
    async with shop.database.reads() as session:
        assert [payment.amount for payment in await payments_of(session, order)] == [19_800]


async def test_cancelling_all_lines_cancels_the_order(front: Front, shop: Shop) -> None:
    customer, order = await owner_of_order(front, quantities=(2, 1))
    lines = [
        {"lineId": line, "quantity": units}
        for line, units in zip(await line_ids(shop, order), (2, 1), strict=True)
    ]

    shown = (await customer.do(CANCEL_LINES, id=id_of(order), lines=lines, reason="Never mind."))["order"]

    assert shown["status"] == "CANCELLED"
    assert shown["timeline"][-1] == told("order.cancelled", "Order cancelled", "Lin Mei")
    await settle(shop)


async def test_lines_are_not_cancelled_for_these_reasons_and_then_nothing_has_changed(
    front: Front, shop: Shop
) -> None:
    customer, order = await owner_of_order(front, quantities=(3, 1))
    _, other = await owner_of_order(front)
    first, second = await line_ids(shop, order)
    [foreign] = await line_ids(shop, other)
    before = await everything(shop)

    async def refused(lines: list[tuple[str, int]], reason: str = "Too many.") -> tuple[str, str]:
        wanted = [{"lineId": line, "quantity": quantity} for line, quantity in lines]
        return refusal(await customer.do(CANCEL_LINES, id=id_of(order), lines=wanted, reason=reason))

    assert await refused([(first, 4)]) == ("NOT_ELIGIBLE", "lines.0.quantity")
    assert await refused([(first, 0)]) == ("INVALID", "lines.0.quantity")
    assert await refused([(first, 1), (first, 1)]) == ("INVALID", "lines.1.lineId")
    assert await refused([(second, 1), (foreign, 1)]) == ("NOT_FOUND", "lines.1.lineId")
    assert await refused([("nonsense", 1)]) == ("NOT_FOUND", "lines.0.lineId")
    assert await refused([]) == ("EMPTY", "lines")
    assert await refused([(first, 1)], reason="  ") == ("INVALID", "reason")
    assert await refused([(first, 1)], reason="x" * 501) == ("INVALID", "reason")
    assert await everything(shop) == before


async def test_lines_are_not_cancelled_while_a_payment_is_being_made(front: Front, shop: Shop) -> None:
    customer, order = await owner_of_order(front, status=OrderStatus.PENDING)
    async with shop.database.writes.begin() as session:
        [payment] = await payments_of(session, order)
        payment.status = PaymentStatus.STARTED
    before = await everything(shop)

    payload = await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES])

    assert refusal(payload) == ("WRONG_STATE", "id")
    assert await everything(shop) == before


STAGES = ["packed", "sent", "completed", "cancelled"]


async def brought(shop: Shop, order: Order, stage: str) -> None:
    async with shop.database.writes.begin() as session:
        if stage == "packed":
            await pack(session, order, now=OPENING)
        elif stage == "sent":
            await dispatch(session, order, now=OPENING)


def status_at(stage: str) -> OrderStatus:
    ends = {"completed": OrderStatus.COMPLETED, "cancelled": OrderStatus.CANCELLED}
    return ends.get(stage, OrderStatus.CONFIRMED)


@pytest.mark.parametrize(
    ("document", "refusals"),
    [
        pytest.param(
            CANCEL_LINES,
            {
                "packed": ("NOT_ELIGIBLE", "lines.0.quantity"),
                "sent": ("NOT_ELIGIBLE", "lines.0.quantity"),
                "completed": ("WRONG_STATE", "id"),
                "cancelled": ("WRONG_STATE", "id"),
            },
            id="cancel lines",
        ),
        pytest.param(MOVE, dict.fromkeys(STAGES, ("WRONG_STATE", "deliveryId")), id="change the address"),
        pytest.param(
            HOLD,
            {"packed": None} | dict.fromkeys(STAGES[1:], ("WRONG_STATE", "id")),
            id="hold",
        ),
        pytest.param(RELEASE, dict.fromkeys(STAGES, ("WRONG_STATE", "id")), id="release"),
        pytest.param(NOTE, dict.fromkeys(STAGES), id="write a note"),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
async def test_what_may_still_change_when_an_order_is_further(
    front: Front, shop: Shop, document: str, refusals: Mapping[str, tuple[str, str] | None], stage: str
) -> None:
    _, order = await owner_of_order(front, status=status_at(stage))
    await brought(shop, order, stage)
    given = (await inputs(shop, order))[document]
    manager = await front.staff(Role.MANAGER)
    before = await everything(shop)

    payload = await manager.do(document, **given)

    if expected := refusals[stage]:
        assert refusal(payload) == expected
        assert await everything(shop) == before
    else:
        assert payload["userErrors"] == []


async def test_a_delivery_goes_elsewhere_and_its_story_says_who_sent_it_there(
    front: Front, shop: Shop
) -> None:
    customer, order = await owner_of_order(front)
    support = await front.staff(Role.SUPPORT)
    assert customer.account
    async with shop.database.writes.begin() as session:
        entry = await create_address(session, customer.account, city="温州市", district="鹿城区")
    delivery = await delivery_id(shop, order)

    own = await customer.do(MOVE, deliveryId=delivery, address={"postal": NINGBO})
    theirs = await support.do(MOVE, deliveryId=delivery, address={"id": global_id("Address", entry.id)})

    assert own["delivery"]["address"] == {"city": "宁波市", "district": "鄞州区"}
    assert own["delivery"]["fee"] == {"amount": "0.00"}
    assert own["delivery"]["order"]["timeline"][-1] == told(
        "order.address_changed", "Address changed", "Lin Mei"
    )
    assert theirs["delivery"]["address"] == {"city": "温州市", "district": "鹿城区"}
    assert (await customer.get(LOOK, id=id_of(order)))["order"]["timeline"][-1]["actor"] is None
    assert (await support.get(LOOK, id=id_of(order)))["order"]["timeline"][-1]["actor"] == {"name": "Lin Mei"}


async def test_a_delivery_goes_nowhere_else_for_these_reasons(front: Front, shop: Shop) -> None:
    customer, order = await owner_of_order(front)
    stranger = await front.customer()
    assert stranger.account
    async with shop.database.writes.begin() as session:
        foreign = global_id("Address", (await create_address(session, stranger.account)).id)
    delivery = await delivery_id(shop, order)
    abroad = NINGBO | {"countryCode": "US", "province": "NY", "city": "New York", "phone": "212 555 0175"}
    before = await everything(shop)

    async def refused(**address: Any) -> tuple[str, str]:
        return refusal(await customer.do(MOVE, deliveryId=delivery, address=address))

    assert await refused() == ("INVALID", "address")
    assert await refused(id=foreign, postal=NINGBO) == ("INVALID", "address")
    assert await refused(id=foreign) == ("NOT_FOUND", "address.id")
    assert await refused(postal=NINGBO | {"phone": "1"}) == ("INVALID", "address.phone")
    assert await refused(postal=abroad | {"postalCode": "10004"}) == ("NOT_DELIVERABLE", "address")
    assert await everything(shop) == before


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


@pytest.mark.parametrize("document", MAY, ids=NAMES)
async def test_a_change_takes_as_many_statements_for_many_lines_as_for_few(
    front: Front, shop: Shop, document: str
) -> None:
    counts = []
    manager = await front.staff(Role.MANAGER)
    for lines in (2, 12):
        _, order = await owner_of_order(front, quantities=(3,) * lines)
        given = await inputs(shop, order)
        if document == RELEASE:
            await manager.do(HOLD, **given[HOLD])
        if document == CANCEL_LINES:
            wanted = [{"lineId": line, "quantity": 1} for line in await line_ids(shop, order)]
            given[CANCEL_LINES]["lines"] = wanted
        with statements(shop) as counted:
            assert (await manager.do(document, **given[document]))["userErrors"] == []
        counts.append(counted.total)

    assert counts[0] == counts[1]


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


def told(name: str, words: str, actor: str | None) -> dict[str, Any]:
    return {"name": name, "words": words, "occurredAt": NOW, "actor": actor and {"name": actor}}


def names(data: dict[str, Any]) -> list[str]:
    return [event["name"] for event in data["order"]["timeline"]]
