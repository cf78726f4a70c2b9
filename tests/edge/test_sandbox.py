"""The pay page of the sandbox provider."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.order import cancel_order
from edge.sandbox import PAGE
from events.shop import Shop
from models import Order, OrderLine, OrderStatus, PaymentStatus
from tests.clients import Clients
from tests.factories.order import RECEIPT_AFTER, a_variant, create_order
from tests.factories.payment import (
    event_names_of,
    payment_of,
    refunds_of,
    reload_order,
    start_new_payment,
    start_payment_at_provider,
)
from tests.observe import assert_books_agree, run_until_idle

Tick = Callable[[timedelta], None]


async def choose(clients: Clients, page: str, **form: str) -> httpx.Response:
    return await clients.http.post(page, data=form)


async def test_a_customer_pays_on_the_page_and_the_shop_is_notified(clients: Clients, shop: Shop) -> None:
    order, payment, page = await start_new_payment(shop, return_url="https://app.test/orders?a=1&b=<2>")

    shown = await clients.http.get(page)
    assert (shown.status_code, "99.00 CNY" in shown.text, order.number in shown.text) == (200, True, True)
    assert "https://app.test/orders?a=1&b=<2>" in unescape(shown.text)
    assert "<2>" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in shown.text
    paid = await choose(clients, page, choice="pay")

    assert paid.status_code == 303
    assert "Paid. The shop has been told." in (await clients.http.get(paid.headers["location"])).text
    after = await reload_order(shop, order)
    assert (after.status.value, after.payment_status.value) == ("CONFIRMED", "PAID")
    assert (await payment_of(shop, order)).captured_amount == payment.amount
    assert await event_names_of(shop, order) == [
        "order.placed",
        "payment.started",
        "payment.captured",
        "order.confirmed",
    ]
    await assert_books_agree(shop)


async def test_a_delayed_payment_is_captured_when_its_time_has_come(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    order, _, page = await start_new_payment(shop)

    await choose(clients, page, choice="later", seconds="45")
    assert "On its way" in (await clients.http.get(page)).text
    await run_until_idle(shop)
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    tick(timedelta(seconds=45))
    await run_until_idle(shop)

    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("form", [{}, {"choice": "steal"}, {"choice": "later", "seconds": "-1"}])
async def test_a_choice_the_page_does_not_offer_is_refused(
    clients: Clients, shop: Shop, form: dict[str, str]
) -> None:
    order, _, page = await start_new_payment(shop)

    answer = await choose(clients, page, **form)

    assert answer.status_code == 400
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_a_payment_can_be_settled_only_with_its_own_token(clients: Clients, shop: Shop) -> None:
    order, payment, page = await start_new_payment(shop)
    _, _, other = await start_new_payment(shop)
    token = other.partition("token=")[2]
    wrong = [
        f"/sandbox/pay/{payment.reference}",
        f"/sandbox/pay/{payment.reference}?token={token}",
        f"/sandbox/pay/{payment.reference}?token=%E4%B8%AD",
        page + "&back=https://evil.test",
    ]

    for address in wrong:
        assert (await clients.http.get(address)).status_code == 404
        assert (await choose(clients, address, choice="pay")).status_code == 404

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_a_cancelled_order_cannot_be_paid_any_more(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    order, _, page = await start_new_payment(shop)
    await cancel_order(session, order.id, reason="late", cause=Cause(shop.clock()))
    await session.commit()
    await run_until_idle(shop)

    await choose(clients, page, choice="pay")

    assert "does not expect this payment" in (await clients.http.get(page)).text
    assert (await payment_of(shop, order)).status is PaymentStatus.CLOSED
    assert await refunds_of(shop, order) == []


async def cancel_one_unit(shop: Shop, order: Order) -> None:
    async with shop.database.writes.begin() as session:
        line = await session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
        assert line
        await cancel_lines(
            session,
            order.id,
            [ClaimedUnits(line, 1)],
            reason="Too dear.",
            receipt_after=RECEIPT_AFTER,
            cause=Cause(shop.clock()),
        )


async def test_the_rest_of_an_order_can_be_paid_after_the_whole_was_declined(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, lines=[(await a_variant(session), 3)], now=shop.clock())
    await session.commit()
    await choose(
        clients, await start_payment_at_provider(shop, await payment_of(shop, order)), choice="decline"
    )
    await cancel_one_unit(shop, order)

    page = await start_payment_at_provider(shop, await payment_of(shop, order))
    assert "198.00 CNY" in (await clients.http.get(page)).text
    await choose(clients, page, choice="pay")

    assert (await payment_of(shop, order)).captured_amount == 19_800
    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED
    await assert_books_agree(shop)


@pytest.mark.parametrize("form", [{"choice": "pay"}, {"choice": "later", "seconds": "0"}])
async def test_a_declined_payment_cannot_be_paid_before_it_is_started_again(
    clients: Clients, shop: Shop, form: dict[str, str]
) -> None:
    order, _, page = await start_new_payment(shop)
    await choose(clients, page, choice="decline")

    await choose(clients, page, **form)
    await run_until_idle(shop)

    assert "Declined." in (await clients.http.get(page)).text
    assert (await payment_of(shop, order)).status is PaymentStatus.FAILED
    assert (await reload_order(shop, order)).status is OrderStatus.PENDING


def test_the_pay_page_loads_nothing_else() -> None:
    assert not re.search(r"(src|href)=", PAGE.template)
