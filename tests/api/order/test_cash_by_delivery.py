"""What each delivery of an order still costs at the door: together the cash of the order, at every moment."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import collect_cash
from events.shop import Shop
from models import CurrencyCode, Money, OrderStatus, Role
from tests.api.order.documents import create_order_now
from tests.clients import Client, Clients
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
from tests.given import cny, id_of, refusals
from tests.observe import assert_books_agree, count_statements, run_until_idle

DUE = """query ($id: ID!) { order(id: $id) { deliveries { cashDue { amount } } } }"""
MINE = "{ orders(first: 20) { nodes { deliveries { cashDue { amount } } } } }"

COLLECT = """mutation ($input: CashCollectInput!) {
  cashCollect(input: $input) { payment { captured { amount } } userErrors { code field } }
}"""
CASH_PAYMENTS = "{ orders(first: 20) { nodes { cashPayments { status total { amount } } } } }"


async def due_of(client: Client, order_id: str) -> list[str | None]:
    deliveries = (await client.get(DUE, id=order_id))["order"]["deliveries"]
    return [each["cashDue"] and each["cashDue"]["amount"] for each in deliveries]


async def test_deliveries_share_the_cash_of_their_order_before_and_after_they_leave(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    cheap, dear = [await a_variant(session, prices={CurrencyCode.CNY: price}) for price in (10_001, 25_000)]
    await session.commit()
    order = await create_order_now(
        shop,
        customer.account,
        lines=[(cheap, 1), (dear, 1)],
        deliveries=[deliver_to(HANGZHOU, [(cheap, 1)]), deliver_to(CHENGDU, [(dear, 1)])],
        payments={CASH: None},
        status=OrderStatus.CONFIRMED,
    )
    number = id_of(order)
    assert order.total_amount == 35_001

    assert await due_of(customer, number) == ["100.01", "250.00"]
    first, second = await dispatch(session, order, now=shop.clock())
    await session.commit()
    assert await due_of(customer, number) == ["100.01", "250.00"]

    await arrive(session, first, now=shop.clock())
    [payment] = await payments_of(session, order)
    cash = Money(10_001, CurrencyCode.CNY)
    await collect_cash(session, payment.id, cash, shipment_id=first.id, cause=Cause(shop.clock()))
    await session.commit()
    assert await due_of(customer, number) == [None, "250.00"]

    await arrive(session, second, now=shop.clock())
    cash = Money(25_000, CurrencyCode.CNY)
    await collect_cash(session, payment.id, cash, shipment_id=second.id, cause=Cause(shop.clock()))
    await session.commit()
    assert await due_of(customer, number) == [None, None]


async def test_what_is_paid_in_advance_is_not_due_and_many_orders_cost_as_many_statements_as_one(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    await create_order_now(shop, customer.account)
    with count_statements(shop) as one:
        [paid] = (await customer.get(MINE))["orders"]["nodes"]
    for _ in range(3):
        await create_order_now(shop, customer.account, payments={CASH: None})

    with count_statements(shop) as four:
        found = (await customer.get(MINE))["orders"]["nodes"]

    assert paid["deliveries"] == [{"cashDue": None}]
    assert [each["deliveries"][0]["cashDue"] for each in found] == [{"amount": "99.00"}] * 3 + [None]
    assert four.total == one.total


async def test_cash_that_is_not_collected_any_more_is_not_shown(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    await create_order_now(shop, customer.account, payments={CASH: None})
    await create_order_now(shop, customer.account, payments={CASH: None}, status=OrderStatus.CANCELLED)
    await run_until_idle(shop)

    [cancelled, open_one] = (await customer.get(CASH_PAYMENTS))["orders"]["nodes"]

    assert cancelled == {"cashPayments": []}
    assert open_one == {"cashPayments": [{"status": "PENDING", "total": {"amount": "99.00"}}]}


async def test_cash_whose_collection_is_sent_again_is_collected_once_also_when_more_has_arrived(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    things = [await a_variant(session) for _ in range(2)]
    await session.commit()
    order = await create_order_now(
        shop,
        lines=[(thing, 1) for thing in things],
        deliveries=[
            deliver_to(place, [(thing, 1)]) for place, thing in zip((HANGZHOU, CHENGDU), things, strict=True)
        ],
        payments={CASH: None},
        status=OrderStatus.CONFIRMED,
    )
    first, second = await dispatch(session, order, now=shop.clock())
    await arrive(session, first, now=shop.clock())
    [payment] = await payments_of(session, order)
    await session.commit()
    given = {"id": id_of(payment), "amount": cny("99.00"), "idempotencyKey": "at the door"}

    collected = await clerk.do(COLLECT, **given)
    await arrive(session, second, now=shop.clock())
    await session.commit()
    again = await clerk.do(COLLECT, **given)
    changed = await clerk.do(COLLECT, **(given | {"amount": cny("98.00")}))
    rest = await clerk.do(COLLECT, **(given | {"idempotencyKey": "at the other door"}))

    assert collected == again == {"payment": {"captured": {"amount": "99.00"}}, "userErrors": []}
    assert refusals(changed) == [("KEY_REUSED", "idempotencyKey")]
    assert rest["payment"] == {"captured": {"amount": "198.00"}}
    await assert_books_agree(shop)
