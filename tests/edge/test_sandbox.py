"""The pay page of the built-in provider."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import select

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import Wanted
from domain.order import cancel_order
from edge.sandbox import PAGE
from events.shop import Shop
from models import Order, OrderLine, OrderStatus, PaymentStatus
from tests.factories.order import RECEIPT_AFTER, a_variant, create_order
from tests.factories.payment import begun, names, order_now, payment_of, refunds_of, start
from tests.front import Front
from tests.observe import settle, sound

Tick = Callable[[timedelta], None]


async def choose(front: Front, page: str, **form: str) -> httpx.Response:
    return await front.http.post(page, data=form)


async def test_a_customer_pays_on_the_page_and_the_shop_hears_of_it(front: Front, shop: Shop) -> None:
    order, payment, page = await begun(shop, return_url="https://app.test/orders?a=1&b=<2>")

    shown = await front.http.get(page)
    assert (shown.status_code, "99.00 CNY" in shown.text, order.number in shown.text) == (200, True, True)
    assert "https://app.test/orders?a=1&b=<2>" in unescape(shown.text)
    assert "<2>" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in shown.text
    paid = await choose(front, page, choice="pay")

    assert paid.status_code == 303
    assert "Paid. The shop has been told." in (await front.http.get(paid.headers["location"])).text
    after = await order_now(shop, order)
    assert (after.status.value, after.payment_status.value) == ("CONFIRMED", "PAID")
    assert (await payment_of(shop, order)).captured_amount == payment.amount
    assert await names(shop, order) == [
        "order.placed",
        "payment.started",
        "payment.captured",
        "order.confirmed",
    ]
    await sound(shop)


async def test_money_that_takes_its_time_arrives_by_itself(front: Front, shop: Shop, tick: Tick) -> None:
    order, _, page = await begun(shop)

    await choose(front, page, choice="later", seconds="45")
    assert "On its way" in (await front.http.get(page)).text
    await settle(shop)
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED
    tick(timedelta(seconds=45))
    await settle(shop)

    assert (await order_now(shop, order)).status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("form", [{}, {"choice": "steal"}, {"choice": "later", "seconds": "-1"}])
async def test_the_page_takes_its_own_buttons_only(front: Front, shop: Shop, form: dict[str, str]) -> None:
    order, _, page = await begun(shop)

    answer = await choose(front, page, **form)

    assert answer.status_code == 400
    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_nobody_settles_a_payment_whose_address_they_do_not_know(front: Front, shop: Shop) -> None:
    order, payment, page = await begun(shop)
    _, _, other = await begun(shop)
    token = other.partition("token=")[2]
    wrong = [
        f"/sandbox/pay/{payment.reference}",
        f"/sandbox/pay/{payment.reference}?token={token}",
        f"/sandbox/pay/{payment.reference}?token=%E4%B8%AD",
        page + "&back=https://evil.test",
    ]

    for address in wrong:
        assert (await front.http.get(address)).status_code == 404
        assert (await choose(front, address, choice="pay")).status_code == 404

    assert (await payment_of(shop, order)).status is PaymentStatus.STARTED


async def test_a_cancelled_order_cannot_be_paid_any_more(front: Front, shop: Shop) -> None:
    order, _, page = await begun(shop)
    async with shop.database.writes.begin() as session:
        await cancel_order(session, order.id, reason="late", now=shop.clock())
    await settle(shop)

    await choose(front, page, choice="pay")

    assert "does not expect this payment" in (await front.http.get(page)).text
    assert (await payment_of(shop, order)).status is PaymentStatus.CLOSED
    assert await refunds_of(shop, order) == []


async def one_unit_less(shop: Shop, order: Order) -> None:
    async with shop.database.writes.begin() as session:
        line = await session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
        assert line
        await cancel_lines(
            session,
            order.id,
            [Wanted(line, 1)],
            reason="Too dear.",
            receipt_after=RECEIPT_AFTER,
            now=shop.clock(),
        )


async def test_what_is_left_of_an_order_is_paid_after_all_of_it_was_declined(
    front: Front, shop: Shop
) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, lines=[(await a_variant(session), 3)], now=shop.clock())
    await choose(front, await start(shop, await payment_of(shop, order)), choice="decline")
    await one_unit_less(shop, order)

    page = await start(shop, await payment_of(shop, order))
    assert "198.00 CNY" in (await front.http.get(page)).text
    await choose(front, page, choice="pay")

    assert (await payment_of(shop, order)).captured_amount == 19_800
    assert (await order_now(shop, order)).status is OrderStatus.CONFIRMED
    await sound(shop)


@pytest.mark.parametrize("form", [{"choice": "pay"}, {"choice": "later", "seconds": "0"}])
async def test_what_was_declined_cannot_be_paid_before_it_is_started_again(
    front: Front, shop: Shop, form: dict[str, str]
) -> None:
    order, _, page = await begun(shop)
    await choose(front, page, choice="decline")

    await choose(front, page, **form)
    await settle(shop)

    assert "Declined." in (await front.http.get(page)).text
    assert (await payment_of(shop, order)).status is PaymentStatus.FAILED
    assert (await order_now(shop, order)).status is OrderStatus.PENDING


def test_the_pay_page_is_one_self_contained_sheet() -> None:
    assert not re.search(r"(src|href)=", PAGE.template)
