"""What is known of notices is forgotten after a while; then they are refused for their age."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from structlog.testing import capture_logs

from domain.payment.provider_reports import NOTIFICATION_RETENTION
from models import PaymentNotification, ProviderCall
from tests.gateways.payment.shop.counter import Counter
from tests.gateways.payment.shop.test_notices import reasons_of
from tests.gateways.payment.shop.tills import Till
from tests.observe import assert_books_agree, read_all_rows, run_until_idle


async def count_known(counter: Counter) -> int:
    async with counter.shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(PaymentNotification)) or 0


def let_time_pass(counter: Counter, age: timedelta) -> None:
    counter.shop.clock = lambda: datetime.now(UTC) + age


async def test_a_notice_is_known_for_thirty_days_and_refused_for_its_age_after_them(
    counter: Counter, till: Till
) -> None:
    purchase = await counter.buy()
    notice = await till.notice(await counter.start_and_pay(purchase))
    assert await counter.post(notice) == till.taken
    known = await count_known(counter)
    assert known > 0

    let_time_pass(counter, NOTIFICATION_RETENTION - timedelta(minutes=1))
    await run_until_idle(counter.shop)
    assert await count_known(counter) == known
    let_time_pass(counter, NOTIFICATION_RETENTION + timedelta(minutes=1))
    await run_until_idle(counter.shop)
    assert await count_known(counter) == 0

    before = await read_all_rows(counter.shop, without=[ProviderCall])
    with capture_logs() as logs:
        answer = await counter.post(notice)

    assert answer == till.refused
    assert reasons_of(logs) == ["not fresh"]
    assert await read_all_rows(counter.shop, without=[ProviderCall]) == before
    await assert_books_agree(counter.shop)
