"""Orders that wait to be placed, in lanes that each serve one batch after the other."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from domain.order import BatchItem, OrderResult


@dataclass(slots=True, eq=False)
class QueuedOrder:
    """An order that waits to be placed, and its result to come."""

    item: BatchItem
    result: "asyncio.Future[OrderResult]"

    @property
    def tags(self) -> Iterator[Hashable]:
        """The buyer and the variants: orders that share one are better placed one after the other."""
        yield "buyer", self.item.buyer
        for line in self.item.request.lines or ():
            yield "variant", line.variant_id

    def answer(self, result: OrderResult | Exception) -> None:
        if self.result.done():
            return  # the client has gone away
        if isinstance(result, Exception):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)


@dataclass(slots=True, eq=False)
class Lane:
    """A queue of orders, and one transaction at a time that places them."""

    queue: deque[QueuedOrder] = field(default_factory=deque)
    tags: Counter[Hashable] = field(default_factory=Counter)
    serving: "asyncio.Task[None] | None" = None
    busy: int = 0
    """How many orders are in the batch that is being placed."""

    @property
    def load(self) -> int:
        return len(self.queue) + self.busy

    def append(self, order: QueuedOrder) -> None:
        self.queue.append(order)
        self.tags.update(order.tags)

    def take_batch(self, limit: int) -> list[QueuedOrder]:
        """Remove up to `limit` orders from the queue, one of each buyer: another of the same waits for it."""
        batch: list[QueuedOrder] = []
        later: list[QueuedOrder] = []
        buyers: set[Hashable] = set()
        while self.queue and len(batch) < limit:
            order = self.queue.popleft()
            if order.result.done():
                self.remove_tags([order])
            elif order.item.buyer in buyers:
                later.append(order)
            else:
                buyers.add(order.item.buyer)
                batch.append(order)
        self.queue.extendleft(reversed(later))
        return batch

    def remove_tags(self, batch: Iterable[QueuedOrder]) -> None:
        """Forget the tags of orders that have been placed or refused."""
        for order in batch:
            self.tags.subtract(order.tags)
        self.tags += Counter()  # drops the tags whose count is zero
