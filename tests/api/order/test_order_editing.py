"""What may be changed on an order after it was placed, and by whom."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import start_payment
from events.payment import begin_payment
from events.shop import Shop
from models import (
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    Role,
    StockLevel,
)
from resolvers.ids import global_id
from tests.api.order.editing_documents import (
    CANCEL_LINES,
    CHANGE_ADDRESS,
    HOLD,
    NINGBO,
    NOTE,
    RELEASE,
    VIEW,
    delivery_id,
    inputs,
    line_ids,
    owner_of_order,
    refusal,
    timeline_event,
)
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.factories.account import create_address
from tests.factories.order import dispatch, pack, payments_of
from tests.given import id_of, refusals
from tests.observe import assert_books_agree, count_statements, read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

MAY: Mapping[str, frozenset[Role]] = {
    CANCEL_LINES: frozenset({Role.CUSTOMER, Role.SUPPORT, Role.MANAGER, Role.ADMIN}),
    CHANGE_ADDRESS: frozenset({Role.CUSTOMER, Role.SUPPORT, Role.MANAGER, Role.ADMIN}),
    HOLD: frozenset({Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}),
    RELEASE: frozenset({Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}),
    NOTE: frozenset({Role.SUPPORT, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}),
}
NAMES = ["cancel lines", "change the address", "hold", "release", "write a note"]


@pytest.mark.parametrize("document", MAY, ids=NAMES)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GUEST_BUYER])
async def test_who_may_change_an_order(clients: Clients, shop: Shop, document: str, role: Role) -> None:
    customer, order = await owner_of_order(clients)
    arguments = await inputs(shop, order)
    if document == RELEASE:
        await (await clients.staff(Role.MANAGER)).do(HOLD, **arguments[HOLD])
    if role is Role.GUEST:
        asks = clients.guest()
    else:
        asks = customer if role is Role.CUSTOMER else await clients.staff(role)
    before = await read_all_rows(shop)

    payload = await asks.do(document, **arguments[document])

    if role in MAY[document]:
        assert payload["userErrors"] == []
    else:
        assert refusal(payload) == ("UNAUTHENTICATED" if role is Role.GUEST else "FORBIDDEN", "")
        assert await read_all_rows(shop) == before


@pytest.mark.parametrize(("document", "field"), [(CANCEL_LINES, "id"), (CHANGE_ADDRESS, "id")])
async def test_an_order_of_somebody_else_does_not_exist(
    clients: Clients, shop: Shop, document: str, field: str
) -> None:
    _, order = await owner_of_order(clients)
    stranger = await clients.customer()
    arguments = (await inputs(shop, order))[document]
    kind = "Order" if field == "id" else "Delivery"
    before = await read_all_rows(shop)

    foreign = await stranger.do(document, **arguments)
    missing = await stranger.do(document, **arguments | {field: global_id(kind, 987_654)})

    assert foreign == missing
    assert refusal(foreign) == ("NOT_FOUND", field)
    assert await read_all_rows(shop) == before


async def test_the_timeline_says_who_cancelled_lines_and_when(clients: Clients, shop: Shop) -> None:
    customer, order = await owner_of_order(clients)

    payload = await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES])

    assert payload["userErrors"] == []
    shown = payload["order"]
    assert (shown["status"], shown["lines"]) == ("CONFIRMED", [{"quantity": 3, "cancelled": 1}])
    assert shown["timeline"][-2:] == [
        timeline_event("order.lines_cancelled", "Partly cancelled", "Lin Mei"),
        timeline_event("refund.requested", "Refund on its way", "Lin Mei"),
    ]
    async with shop.database.reads() as session:
        assert await session.scalar(select(StockLevel.reserved)) == 2


async def test_less_is_due_of_an_order_that_is_partly_cancelled_before_it_is_paid(
    clients: Clients, shop: Shop
) -> None:
    customer, order = await owner_of_order(clients, status=OrderStatus.PENDING)

    shown = (await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES]))["order"]

    assert (shown["total"], shown["cancelled"]) == ({"amount": "198.00"}, {"amount": "99.00"})
    async with shop.database.reads() as session:
        assert [payment.amount for payment in await payments_of(session, order)] == [19_800]


async def test_lines_whose_cancellation_is_sent_again_are_cancelled_once(
    clients: Clients, shop: Shop
) -> None:
    customer, order = await owner_of_order(clients, quantities=(3, 1))
    given = (await inputs(shop, order))[CANCEL_LINES] | {"idempotencyKey": "one less"}
    first = await customer.do(CANCEL_LINES, **given)
    before = await read_all_rows(shop)

    again = await customer.do(CANCEL_LINES, **given)
    changed = await customer.do(CANCEL_LINES, **(given | {"reason": "Two are enough."}))

    assert again == first
    assert refusals(changed) == [("KEY_REUSED", "idempotencyKey")]
    assert await read_all_rows(shop) == before
    assert first["order"]["lines"][0] == {"quantity": 3, "cancelled": 1}
    without = {name: value for name, value in given.items() if name != "idempotencyKey"}
    assert (await customer.do(CANCEL_LINES, **without))["order"]["lines"][0]["cancelled"] == 2
    await run_until_idle(shop)


async def test_cancelling_all_lines_cancels_the_order(clients: Clients, shop: Shop) -> None:
    customer, order = await owner_of_order(clients, quantities=(2, 1))
    lines = [
        {"orderLineId": line, "quantity": units}
        for line, units in zip(await line_ids(shop, order), (2, 1), strict=True)
    ]

    shown = (await customer.do(CANCEL_LINES, id=id_of(order), lines=lines, reason="Never mind."))["order"]

    assert shown["status"] == "CANCELLED"
    assert shown["timeline"][-1] == timeline_event("order.cancelled", "Order cancelled", "Lin Mei")
    await run_until_idle(shop)


async def test_lines_are_not_cancelled_for_these_reasons_and_nothing_changes(
    clients: Clients, shop: Shop
) -> None:
    customer, order = await owner_of_order(clients, quantities=(3, 1))
    _, other = await owner_of_order(clients)
    first, second = await line_ids(shop, order)
    [foreign] = await line_ids(shop, other)
    before = await read_all_rows(shop)

    async def refused(units: list[tuple[str, int]], reason: str = "Too many.") -> tuple[str, str]:
        lines = [{"orderLineId": line, "quantity": quantity} for line, quantity in units]
        return refusal(await customer.do(CANCEL_LINES, id=id_of(order), lines=lines, reason=reason))

    assert await refused([(first, 4)]) == ("NOT_ELIGIBLE", "lines.0.quantity")
    assert await refused([(first, 0)]) == ("INVALID", "lines.0.quantity")
    assert await refused([(first, 1), (first, 1)]) == ("INVALID", "lines.1.orderLineId")
    assert await refused([(second, 1), (foreign, 1)]) == ("NOT_FOUND", "lines.1.orderLineId")
    assert await refused([("nonsense", 1)]) == ("NOT_FOUND", "lines.0.orderLineId")
    assert await refused([]) == ("EMPTY", "lines")
    assert await refused([(first, 1)], reason="  ") == ("INVALID", "reason")
    assert await refused([(first, 1)], reason="x" * 501) == ("INVALID", "reason")
    assert await read_all_rows(shop) == before


async def test_a_payment_that_was_begun_is_closed_when_lines_are_cancelled(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, order = await owner_of_order(clients, status=OrderStatus.PENDING)
    [payment] = await payments_of(session, order)
    await session.commit()
    started = await begin_payment(shop, payment.id, by=order.account_id)

    payload = await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES])

    assert payload["userErrors"] == []
    async with shop.database.reads() as reading:
        attempt = await reading.get_one(PaymentAttempt, started.attempt.id)
        left = await reading.get_one(Payment, payment.id)
    assert (attempt.status, left.amount < attempt.amount) == (PaymentAttemptStatus.CLOSED, True)
    await assert_books_agree(shop)


async def test_lines_are_not_cancelled_while_money_of_a_payment_is_on_its_way(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, order = await owner_of_order(clients, status=OrderStatus.PENDING)
    [payment] = await payments_of(session, order)
    attempt = await start_payment(session, payment.id, query_at=STARTED_AT, cause=Cause(STARTED_AT))
    attempt.status = PaymentAttemptStatus.PROCESSING
    await session.commit()
    before = await read_all_rows(shop)

    payload = await customer.do(CANCEL_LINES, **(await inputs(shop, order))[CANCEL_LINES])

    assert refusal(payload) == ("WRONG_STATE", "id")
    assert await read_all_rows(shop) == before


STAGES = ["packed", "sent", "completed", "cancelled"]


async def bring_to_stage(shop: Shop, order: Order, stage: str) -> None:
    async with shop.database.writes.begin() as session:
        if stage == "packed":
            await pack(session, order, now=STARTED_AT)
        elif stage == "sent":
            await dispatch(session, order, now=STARTED_AT)


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
        pytest.param(CHANGE_ADDRESS, dict.fromkeys(STAGES, ("WRONG_STATE", "id")), id="change the address"),
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
async def test_what_may_be_changed_in_each_state(
    clients: Clients, shop: Shop, document: str, refusals: Mapping[str, tuple[str, str] | None], stage: str
) -> None:
    _, order = await owner_of_order(clients, status=status_at(stage))
    await bring_to_stage(shop, order, stage)
    arguments = (await inputs(shop, order))[document]
    manager = await clients.staff(Role.MANAGER)
    before = await read_all_rows(shop)

    payload = await manager.do(document, **arguments)

    if expected := refusals[stage]:
        assert refusal(payload) == expected
        assert await read_all_rows(shop) == before
    else:
        assert payload["userErrors"] == []


async def test_an_address_is_changed_and_the_timeline_says_by_whom(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, order = await owner_of_order(clients)
    support = await clients.staff(Role.SUPPORT)
    assert customer.account
    entry = await create_address(session, customer.account, city="温州市", district="鹿城区")
    await session.commit()
    delivery = await delivery_id(shop, order)

    own = await customer.do(CHANGE_ADDRESS, id=delivery, address={"postal": NINGBO})
    theirs = await support.do(CHANGE_ADDRESS, id=delivery, address={"id": global_id("Address", entry.id)})

    assert own["delivery"]["address"] == {"city": "宁波市", "district": "鄞州区"}
    assert own["delivery"]["fee"] == {"amount": "0.00"}
    assert own["delivery"]["order"]["timeline"][-1] == timeline_event(
        "order.address_changed", "Address changed", "Lin Mei"
    )
    assert theirs["delivery"]["address"] == {"city": "温州市", "district": "鹿城区"}
    assert (await customer.get(VIEW, id=id_of(order)))["order"]["timeline"][-1]["actor"] is None
    assert (await support.get(VIEW, id=id_of(order)))["order"]["timeline"][-1]["actor"] == {"name": "Lin Mei"}


async def test_an_address_is_not_changed_for_these_reasons(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, order = await owner_of_order(clients)
    stranger = await clients.customer()
    assert stranger.account
    foreign = global_id("Address", (await create_address(session, stranger.account)).id)
    await session.commit()
    delivery = await delivery_id(shop, order)
    abroad = NINGBO | {"countryCode": "US", "province": "NY", "city": "New York", "phone": "212 555 0175"}
    before = await read_all_rows(shop)

    async def refused(**address: Any) -> tuple[str, str]:
        return refusal(await customer.do(CHANGE_ADDRESS, id=delivery, address=address))

    assert await refused() == ("INVALID", "address")
    assert await refused(id=foreign, postal=NINGBO) == ("INVALID", "address")
    assert await refused(id=foreign) == ("NOT_FOUND", "address.id")
    assert await refused(postal=NINGBO | {"phone": "1"}) == ("INVALID", "address.phone")
    assert await refused(postal=abroad | {"postalCode": "10004"}) == ("NOT_DELIVERABLE", "address")
    assert await read_all_rows(shop) == before


@pytest.mark.parametrize("document", MAY, ids=NAMES)
async def test_a_change_takes_as_many_statements_for_many_lines_as_for_few(
    clients: Clients, shop: Shop, document: str
) -> None:
    counts = []
    manager = await clients.staff(Role.MANAGER)
    for count in (2, 12):
        _, order = await owner_of_order(clients, quantities=(3,) * count)
        arguments = await inputs(shop, order)
        if document == RELEASE:
            await manager.do(HOLD, **arguments[HOLD])
        if document == CANCEL_LINES:
            lines = [{"orderLineId": line, "quantity": 1} for line in await line_ids(shop, order)]
            arguments[CANCEL_LINES]["lines"] = lines
        with count_statements(shop) as counted:
            assert (await manager.do(document, **arguments[document]))["userErrors"] == []
        counts.append(counted.total)

    assert counts[0] == counts[1]
