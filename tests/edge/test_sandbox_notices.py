"""The payer of the sandbox chooses how the shop is told; whatever the choice, one outcome follows."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from events.shop import Shop
from models import Order, OrderStatus, PaymentNotification, PaymentStatus
from tests.clients import Clients
from tests.factories.payment import (
    attempt_of,
    event_names_of,
    payment_of,
    refunds_of,
    reload_order,
    start_new_payment,
)
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]
Page = tuple[Order, str]


@pytest.fixture
async def page(shop: Shop) -> Page:
    """An order that waits for its payment, and the address of the pay page."""
    order, _, page = await start_new_payment(shop)
    return order, page


async def choose(clients: Clients, page: Page, **form: str) -> list[int]:
    """Send the form of the pay page; how the shop answered the notices."""
    with capture_logs() as logs:
        assert (await clients.http.post(page[1], data=form)).status_code == 303
    return [line["status"] for line in logs if line["event"] == "sandbox.notification_sent"]


async def assert_paid_once(shop: Shop, order: Order) -> None:
    await run_until_idle(shop)
    assert (await reload_order(shop, order)).status is OrderStatus.CONFIRMED
    assert (await event_names_of(shop, order)).count("payment.captured") == 1
    assert await refunds_of(shop, order) == []


async def test_a_notice_that_comes_twice_counts_once(clients: Clients, shop: Shop, page: Page) -> None:
    assert await choose(clients, page, choice="pay", notices="TWICE") == [200, 200]

    await assert_paid_once(shop, page[0])
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotification)) == 1


async def test_a_late_notice_confirms_the_order_when_it_comes(
    clients: Clients, shop: Shop, page: Page, tick: Tick
) -> None:
    assert await choose(clients, page, choice="pay", notices="LATE", seconds="45") == []

    assert "told later" in (await clients.http.get(page[1])).text
    tick(timedelta(seconds=44))
    await run_until_idle(shop)
    assert (await reload_order(shop, page[0])).status is OrderStatus.PENDING
    tick(timedelta(seconds=1))
    await assert_paid_once(shop, page[0])
    assert "Paid. The shop has been told." in (await clients.http.get(page[1])).text


async def test_a_query_finds_the_money_before_a_notice_that_is_late_and_counts_once(
    clients: Clients, shop: Shop, page: Page, tick: Tick
) -> None:
    await choose(clients, page, choice="pay", notices="LATE", seconds="3600")

    tick(shop.settings.payments.query_interval)
    await assert_paid_once(shop, page[0])
    tick(timedelta(hours=1))
    await assert_paid_once(shop, page[0])


async def test_an_older_notice_that_comes_later_changes_nothing(
    clients: Clients, shop: Shop, page: Page
) -> None:
    assert await choose(clients, page, choice="pay", notices="OUT_OF_ORDER") == [200, 200]

    await assert_paid_once(shop, page[0])
    assert (await attempt_of(shop, await payment_of(shop, page[0]))).status.value == "CAPTURED"


async def test_a_payment_that_was_declined_stays_so_when_an_older_notice_comes(
    clients: Clients, shop: Shop, page: Page
) -> None:
    assert await choose(clients, page, choice="decline", notices="OUT_OF_ORDER") == [200, 200]

    assert (await payment_of(shop, page[0])).status is PaymentStatus.FAILED
    assert (await reload_order(shop, page[0])).status is OrderStatus.PENDING


async def test_a_notice_with_a_wrong_amount_is_refused_and_a_query_finds_the_money(
    clients: Clients, shop: Shop, page: Page, tick: Tick
) -> None:
    assert await choose(clients, page, choice="pay", notices="WRONG_AMOUNT") == [400]

    await run_until_idle(shop)
    assert (await payment_of(shop, page[0])).status is PaymentStatus.STARTED
    tick(shop.settings.payments.query_interval)
    await assert_paid_once(shop, page[0])


@pytest.mark.parametrize("form", [{"notices": "NEVER"}, {"seconds": "soon"}, {"seconds": "١"}])
async def test_what_the_page_does_not_offer_is_refused(
    clients: Clients, shop: Shop, page: Page, form: dict[str, str]
) -> None:
    answer = await clients.http.post(page[1], data={"choice": "pay"} | form)

    assert answer.status_code == 400
    assert (await payment_of(shop, page[0])).status is PaymentStatus.STARTED
