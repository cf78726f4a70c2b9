"""What is called at one provider waits for no other one, and nothing else waits for it."""

import asyncio
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import lock_order
from domain.payment import request_refund, settle_attempt, start_payment
from events.jobs.schedule import PARTNERS, SCHEDULE
from events.jobs.scheduler import Scheduler
from events.relay import Relay
from events.shop import Shop
from gateways.circuit import FAILURES_LIMIT
from gateways.payment.provider import ProviderError, RefundStart
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Money,
    Order,
    PaymentMethod,
    RefundReport,
    RefundStatus,
)
from tests.factories.order import create_order, payments_of
from tests.factories.payment import ScriptedProvider, connect_provider, refunds_of

HANGING, OTHER = PaymentMethod.ALIPAY, PaymentMethod.CARD


@dataclass
class HangingProvider(ScriptedProvider):
    """Answers no refund until it is let go."""

    method: PaymentMethod = HANGING
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def refund(self, refund: RefundStart) -> RefundReport:
        self.asked.set()
        await self.go.wait()
        return await super().refund(refund)


async def request_one(session: AsyncSession, shop: Shop, method: PaymentMethod) -> Order:
    """An order paid by a method, of which one yuan is to be given back."""
    order, cause = await create_order(session, payments={method: None}, now=shop.clock()), Cause(shop.clock())
    [payment] = await payments_of(session, order)
    attempt = await start_payment(session, payment.id, query_at=shop.clock(), cause=cause)
    report = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, attempt.total)
    await settle_attempt(session, method=method, report=report, cause=cause)
    amount = Money(100, CurrencyCode.CNY)
    await request_refund(session, await lock_order(session, order.id), amount, reason="x", cause=cause)
    return order


async def statuses_of(shop: Shop, order: Order) -> list[RefundStatus]:
    return [refund.status for refund in await refunds_of(shop, order)]


async def test_a_provider_that_hangs_delays_neither_events_nor_other_providers(shop: Shop) -> None:
    hanging, other = HangingProvider(), ScriptedProvider(method=OTHER)
    connect_provider(shop, hanging)
    connect_provider(shop, other)
    async with shop.database.writes.begin() as session:
        first = await request_one(session, shop, HANGING)
        second = await request_one(session, shop, OTHER)

    waiting = asyncio.create_task(Scheduler(shop, SCHEDULE, HANGING.value).run_once())
    await hanging.asked.wait()
    while await Relay(shop).run_once():
        pass
    for partner in (None, *(each for each in PARTNERS if each != HANGING.value)):
        await Scheduler(shop, SCHEDULE, partner).run_once()

    assert await statuses_of(shop, second) == [RefundStatus.SUCCEEDED]
    assert (waiting.done(), await statuses_of(shop, first)) == (False, [RefundStatus.PENDING])
    hanging.go.set()
    await waiting
    assert await statuses_of(shop, first) == [RefundStatus.SUCCEEDED]
    shop.on_commit.clear()


async def test_a_provider_that_does_not_answer_is_left_alone_and_what_is_due_stays_due(
    shop: Shop,
) -> None:
    provider = ScriptedProvider(method=HANGING, errors=[ProviderError("down")] * FAILURES_LIMIT)
    connect_provider(shop, provider)
    async with shop.database.writes.begin() as session:
        orders = [await request_one(session, shop, HANGING) for _ in range(FAILURES_LIMIT)]
    queue = Scheduler(shop, SCHEDULE, HANGING.value)
    assert await queue.run_once() == FAILURES_LIMIT

    async with shop.database.writes.begin() as session:
        late = await request_one(session, shop, HANGING)
    assert await queue.run_once() == 0
    assert await statuses_of(shop, late) == [RefundStatus.PENDING]

    shop.calls.breakers[HANGING.value].paused_until = 0.0
    assert await queue.run_once() == 1
    assert await statuses_of(shop, late) == [RefundStatus.SUCCEEDED]
    assert [await statuses_of(shop, order) for order in orders] == [[RefundStatus.PENDING]] * FAILURES_LIMIT
