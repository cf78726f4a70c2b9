"""Cash that never comes for a parcel that has arrived: managers write it off, and the order ends."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import collect_cash
from events.shop import Shop
from models import CurrencyCode, LedgerAccount, LedgerEntry, Money, Order, Role, Shipment
from tests.api.order.documents import create_order_now
from tests.api.shipment.documents import Tick
from tests.clients import Client, Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    a_variant,
    arrive,
    deliver_to,
    dispatch,
    payments_of,
)
from tests.given import id_of
from tests.observe import assert_books_agree, run_until_idle

FIELDS = """
  shipment {
    status cashDue { amount } cashWrittenOffAt
    order { status paymentStatus total { amount } timeline { name message } }
  }
  userErrors { code message field }
"""
WRITE_OFF = f"mutation ($input: CashWriteOffInput!) {{ cashWriteOff(input: $input) {{ {FIELDS} }} }}"
CORRECT = f"mutation ($input: ShipmentCorrectInput!) {{ shipmentCorrect(input: $input) {{ {FIELDS} }} }}"
OPEN = """mutation ($input: TicketOpenInput!) {
  ticketOpen(input: $input) { ticket { id } userErrors { code message field } }
}"""
RECEIPT = """mutation ($input: OrderReceiptConfirmInput!) {
  orderReceiptConfirm(input: $input) { order { status } userErrors { code } }
}"""


async def arrived_unpaid(shop: Shop, session: AsyncSession, customer: Client) -> tuple[Order, Shipment]:
    """An order whose one parcel has arrived, its receipt confirmed, and the cash is still due."""
    order = await create_order_now(shop, customer.account, payments={CASH: None})
    [parcel] = await dispatch(session, order, now=shop.clock())
    await arrive(session, parcel, now=shop.clock())
    await session.commit()
    confirmed = await customer.do(RECEIPT, id=id_of(order))
    assert confirmed == {"order": {"status": "CONFIRMED"}, "userErrors": []}
    return order, parcel


async def written_off(session: AsyncSession, order: Order) -> list[int]:
    rows = select(LedgerEntry.amount).where(
        LedgerEntry.order_id == order.id, LedgerEntry.account == LedgerAccount.WRITE_OFF
    )
    return list(await session.scalars(rows))


async def give_up(client: Client, parcel: Shipment, reason: str = "Moved away.") -> Any:
    return await client.do(WRITE_OFF, id=id_of(parcel), reason=reason)


async def test_an_order_whose_cash_never_comes_completes_when_a_manager_writes_it_off(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer()
    order, parcel = await arrived_unpaid(shop, session, customer)

    empty = await give_up(manager, parcel, " ")
    done = await give_up(manager, parcel)
    again = await give_up(manager, parcel)
    corrected = await manager.do(CORRECT, id=id_of(parcel), reason="Another house.")
    await run_until_idle(shop)

    assert [(each["code"], each["field"]) for each in empty["userErrors"]] == [("INVALID", ["reason"])]
    assert done["userErrors"] == []
    assert done["shipment"] | {"order": None} == {
        "status": "DELIVERED",
        "cashDue": None,
        "cashWrittenOffAt": shop.clock().isoformat(),
        "order": None,
    }
    of_order = done["shipment"]["order"]
    assert (of_order["status"], of_order["paymentStatus"]) == ("COMPLETED", "UNPAID")
    assert of_order["total"] == {"amount": "99.00"}
    entry = {"name": "cash.written_off", "message": "Cash not expected any more"}
    assert entry in of_order["timeline"]
    assert [each["userErrors"][0]["code"] for each in (again, corrected)] == ["WRONG_STATE"] * 2
    assert await written_off(session, order) == [9_900]
    await assert_books_agree(shop)


async def test_of_two_parcels_the_cash_of_one_is_written_off(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer()
    cheap, dear = [await a_variant(session, prices={CurrencyCode.CNY: price}) for price in (10_001, 25_000)]
    await session.commit()
    order = await create_order_now(
        shop,
        customer.account,
        lines=[(cheap, 1), (dear, 1)],
        deliveries=[deliver_to(HANGZHOU, [(cheap, 1)]), deliver_to(CHENGDU, [(dear, 1)])],
        payments={CASH: None},
    )
    first, second = await dispatch(session, order, now=shop.clock())
    await arrive(session, first, now=shop.clock())
    await session.commit()
    early = await give_up(manager, second)
    done = await give_up(manager, first)
    await assert_books_agree(shop)
    await arrive(session, second, now=shop.clock())
    payment = (await payments_of(session, order))[0]
    cash = Money(25_000, CurrencyCode.CNY)
    await collect_cash(session, payment.id, cash, shipment_id=second.id, cause=Cause(shop.clock()))
    await session.commit()
    received = await customer.do(RECEIPT, id=id_of(order))

    assert [each["message"] for each in early["userErrors"]] == ["This shipment has not arrived."]
    assert done["userErrors"] == []
    assert done["shipment"]["order"]["status"] == "CONFIRMED"
    assert received == {"order": {"status": "COMPLETED"}, "userErrors": []}
    assert await written_off(session, order) == [10_001]
    await assert_books_agree(shop)


async def test_a_delivery_by_mistake_is_taken_back_with_its_receipt_while_the_cash_is_due(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer()
    order, parcel = await arrived_unpaid(shop, session, customer)

    corrected = await manager.do(CORRECT, id=id_of(parcel), reason="Another house.")
    tick(timedelta(minutes=1))
    await arrive(session, parcel, now=shop.clock())
    await session.commit()
    confirmed = await customer.do(RECEIPT, id=id_of(order))

    assert corrected["userErrors"] == []
    assert corrected["shipment"]["status"] == "PICKED_UP"
    assert corrected["shipment"]["cashDue"] == {"amount": "99.00"}
    assert confirmed == {"order": {"status": "CONFIRMED"}, "userErrors": []}
    await assert_books_agree(shop)


async def test_nobody_writes_off_their_own_cash_and_clerks_none(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, clerk = await clients.customer(), await clients.staff(Role.SUPPORT)
    _, parcel = await arrived_unpaid(shop, session, customer)
    assert customer.account is not None
    customer.account.role = Role.MANAGER
    await session.merge(customer.account)
    await session.commit()
    own = await clients.staff(Role.MANAGER, customer.account)

    refused = await give_up(own, parcel)
    forbidden = await clerk.ask(WRITE_OFF, input={"id": id_of(parcel), "reason": "x"})

    assert [each["message"] for each in refused["userErrors"]] == [
        "Somebody else must write off cash that is your own."
    ]
    assert "FORBIDDEN" in str(forbidden)
    await assert_books_agree(shop)


@pytest.mark.parametrize(
    ("type", "reason"),
    [("EXCHANGE", "WRONG_ITEM"), ("RESHIP", "MISSING_ITEM")],
)
async def test_nothing_is_sent_again_for_what_was_never_paid(
    clients: Clients, shop: Shop, session: AsyncSession, type: str, reason: str
) -> None:
    manager, customer = await clients.staff(Role.MANAGER), await clients.customer()
    order, parcel = await arrived_unpaid(shop, session, customer)
    [line] = await order_lines_of(session, order)
    await session.commit()
    claim = {
        "orderId": id_of(order),
        "type": type,
        "reason": reason,
        "description": "Not what I ordered.",
        "lines": [{"orderLineId": id_of(line), "quantity": 1}],
    }

    due = await customer.do(OPEN, **claim, idempotencyKey="due")
    await give_up(manager, parcel)
    given_up = await customer.do(OPEN, **claim, idempotencyKey="given up")

    for refused in (due, given_up):
        [error] = refused["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_ELIGIBLE", ["lines", "0", "quantity"])
        assert error["message"].endswith("has not been paid yet.")
    await assert_books_agree(shop)
