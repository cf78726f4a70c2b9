"""Placing orders that come in at the same time together, in one transaction.

While nothing is going on, an order is placed at once; those that arrive meanwhile are the next batch.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from random import SystemRandom
from time import monotonic

import structlog
from aiodataloader import DataLoader
from sqlalchemy.exc import IntegrityError

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, OutOfStock
from domain.order import BatchItem, OrderResult, OrderTerms, SoldMeanwhile, find_earlier_results, place_orders
from domain.promotion import PromotionUsedUp
from events.checkout.lanes import Lane, QueuedOrder
from events.checkout.sold_out import SoldOut
from events.types import Clock
from gateways.calls import CallObserver
from gateways.metrics import USAGE
from gateways.tracing import open_root_span
from loaders.order import NUMBER_PREFIX
from models import Order
from models.database import Database
from settings.business import CheckoutSettings

log = structlog.get_logger()

UNLOCKED_ATTEMPTS = 2
"""How often a batch is tried with stock and promotions read without locks, before they are locked first."""

NUMBERS_DRAWN = 3
"""Eight random digits a day: of a hundred thousand orders some fifty draw a number that another has."""

SMOOTHING = 0.8
"""The weight of earlier measurements in the average time that an order takes."""

SHORTEST_RETRY_SECONDS = 0.1
BATCH_LIMIT = 100
"""Idempotency keys looked up in one statement."""

JITTER = SystemRandom()


class Busy(DomainError):
    """More orders come in than can be placed in good time: a refusal at once is better than a long wait."""

    code = ErrorCode.BUSY

    def __init__(self, wait_seconds: float) -> None:
        super().__init__("Very many are ordering at this moment. Please try again shortly.")
        longest = max(wait_seconds, SHORTEST_RETRY_SECONDS)
        self.retry_after_seconds = round(JITTER.uniform(longest / 2, longest), 3)


class OrderQueue:
    """Places all orders of this process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_number: Callable[[str, datetime], str],
        terms: OrderTerms,
        settings: CheckoutSettings,
        notify_placed: Callable[[], None],
        observer: CallObserver,
    ) -> None:
        self.database = database
        self.clock = clock
        self.new_number = new_number
        self.terms = terms
        self.settings = settings
        self.notify_placed = notify_placed
        self.metrics, self.tracer = observer.metrics, observer.tracer
        one_writer = database.dialect == "sqlite"
        self.lanes = [Lane() for _ in range(1 if one_writer else settings.lanes)]
        self.sold_out = SoldOut()
        self.earlier_results: DataLoader[BatchItem, OrderResult | None] | None = None
        self.seconds_per_order = 0.0
        """The average time that a lane has lately taken for one order."""

    async def place(self, item: BatchItem) -> Order:
        """The order, when its batch has been committed; raises its refusal, or Busy."""
        try:
            self.sold_out.check_lines(item)
        except DomainError as refusal:
            return order_or_raise(await self.find_earlier(item) or refusal)
        lane = self.lane_for(item)
        self.refuse_if_busy(lane)
        order = QueuedOrder(item, asyncio.get_running_loop().create_future())
        lane.append(order)
        if lane.serving is None:
            lane.serving = asyncio.create_task(self.serve(lane))
        return order_or_raise(await order.result)

    async def drain(self) -> None:
        """Until every order that waits has its result."""
        while serving := [lane.serving for lane in self.lanes if lane.serving]:
            await asyncio.wait(serving)

    async def find_earlier(self, item: BatchItem) -> OrderResult | None:
        """The result of an earlier order with the same idempotency key: one statement for many lookups."""
        if self.earlier_results is None:

            async def find_all(items: list[BatchItem]) -> list[OrderResult | None]:
                async with self.database.reads() as session:
                    return await find_earlier_results(session, items)

            self.earlier_results = DataLoader(find_all, cache=False, max_batch_size=BATCH_LIMIT)
        return await self.earlier_results.load(item)

    def lane_for(self, item: BatchItem) -> Lane:
        """The lane that has an order of the buyer or of one of the variants, else the least loaded."""
        tags: set[Hashable] = {("buyer", item.buyer)}
        if self.settings.batch_limit > 1:
            tags |= {("variant", line.variant_id) for line in item.request.lines or ()}
        for lane in self.lanes:
            if not lane.tags.keys().isdisjoint(tags):
                return lane
        return min(self.lanes, key=lambda lane: lane.load)

    def refuse_if_busy(self, lane: Lane) -> None:
        """Raise Busy where an order would wait too long in this lane."""
        wait_seconds = lane.load * self.seconds_per_order
        if wait_seconds > self.settings.wait_limit.total_seconds() or lane.load >= self.settings.queue_limit:
            self.metrics.orders.add(ErrorCode.BUSY.value)
            raise Busy(wait_seconds)

    async def serve(self, lane: Lane) -> None:
        """Place one batch after the other, until the lane is empty."""
        USAGE.set(None)  # it is the work of many operations, not of the first
        try:
            while batch := lane.take_batch(self.settings.batch_limit):
                lane.busy, began = len(batch), monotonic()
                with self.metrics.order_batches.measure(), open_root_span(self.tracer, "order batch"):
                    await self.place_batch(batch)
                lane.remove_tags(batch)
                seconds = (monotonic() - began) / len(batch)
                self.seconds_per_order = SMOOTHING * self.seconds_per_order + (1 - SMOOTHING) * seconds
        finally:
            lane.busy, lane.serving = 0, None

    async def place_batch(self, batch: Sequence[QueuedOrder]) -> None:
        results = await self.commit_batch([order.item for order in batch])
        if any(isinstance(result, Order) for result in results):
            self.notify_placed()
        seconds = self.settings.sold_out_lifetime.total_seconds()
        for order, result in zip(batch, results, strict=True):
            for refusal in result.each if isinstance(result, DomainError) else ():
                if isinstance(refusal, OutOfStock) and refusal.variant_id is not None and not refusal.left:
                    self.sold_out.remember(refusal.variant_id, refusal, seconds=seconds)
            self.metrics.orders.add(outcome_of(result))
            order.answer(result)

    async def commit_batch(self, items: Sequence[BatchItem]) -> Sequence[OrderResult | Exception]:
        """The result of each, placed together; after an unforeseen error each in a transaction of its own."""
        if len(items) > 1:
            try:
                return await self.place_together(items)
            except Exception as error:
                log.warning("order_queue.one_by_one", orders=len(items), error=type(error).__name__)
        return [await self.place_one(item) for item in items]

    async def place_one(self, item: BatchItem, *, draws: int = NUMBERS_DRAWN) -> OrderResult | Exception:
        """The result of one; where another order has its number by chance, it draws a new one."""
        try:
            [result] = await self.place_together([item])
        except IntegrityError as error:
            if draws == 1:
                return error
            number = self.new_number(NUMBER_PREFIX, self.clock())
            log.warning("order_queue.number_taken", number=item.number, instead=number)
            return await self.place_one(replace(item, number=number), draws=draws - 1)
        except Exception as error:
            return error
        return result

    async def place_together(self, items: Sequence[BatchItem]) -> Sequence[OrderResult]:
        """All in one transaction, and again where another process took stock or a promotion meanwhile."""
        for _ in range(UNLOCKED_ATTEMPTS):
            with suppress(SoldMeanwhile, PromotionUsedUp):
                return await self.attempt(items, lock_first=False)
        return await self.attempt(items, lock_first=True)

    async def attempt(self, items: Sequence[BatchItem], *, lock_first: bool) -> Sequence[OrderResult]:
        async with self.database.writes() as session:
            results = await place_orders(
                session, items, self.terms, cause=Cause(self.clock()), lock_first=lock_first
            )
            if any(isinstance(result, Order) for result in results):
                await session.commit()
            return results


def outcome_of(result: OrderResult | Exception) -> str:
    """What became of an order, as a label."""
    if isinstance(result, Order):
        return "placed"
    return result.code.value if isinstance(result, DomainError) else "failed"


def order_or_raise(result: OrderResult) -> Order:
    if isinstance(result, DomainError):
        raise result
    return result
