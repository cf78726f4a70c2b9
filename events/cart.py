"""Watching a cart, and deleting the carts that guests have left."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from domain.cart import delete_untouched_carts
from domain.cart.due import due_guest_carts
from domain.events import CartItemsChanged
from events.bus import Bus
from events.subscriptions.coalescer import Coalescer
from events.subscriptions.replay import EventReplay
from events.subscriptions.stock_watch import StockWatch
from events.topics import subject_topic
from events.types import Clock, Resources, Timer
from loaders.event import REPLAY_BATCH, latest_version
from models import Event, Subject
from models.database import Database
from settings.business import SubscriptionSettings


@dataclass(frozen=True, slots=True)
class CartSnapshot:
    """A cart as its owner sees it at a moment."""

    product_ids: frozenset[int]
    appearance: Hashable
    """Equal as long as nothing about it is different: prices, sums, warnings."""


@dataclass(frozen=True, slots=True)
class CartWatch:
    """Updates of carts: their own events, and what changes around them."""

    database: Database
    bus: Bus
    clock: Clock
    replay: EventReplay
    coalescer: Coalescer
    stock_watch: StockWatch
    settings: SubscriptionSettings

    async def follow(
        self,
        cart_id: int,
        after: int | None,
        look: Callable[[], Awaitable[CartSnapshot | None]],
        *,
        viewer: Hashable,
    ) -> AsyncIterator[Event]:
        """Every event of a cart above version `after`, and CartItemsChanged where its snapshot is different
        with no event of its own, at most once in `cart_interval`. Ends when `look` returns None. Raises
        ReloadRequired where some of its events are archived.

        The cart is looked at before anything is yielded: what changes while the owner reads is found by the
        next look. Where an event explains a difference, CartItemsChanged is left out. Equal viewers who are
        woken together share their looks.
        """
        own = subject_topic(Subject.CART, cart_id)
        timeout = self.settings.signal_timeout.total_seconds()
        interval = self.settings.cart_interval.total_seconds()
        key, limit = (CartWatch.follow, cart_id, viewer), self.stock_watch.look_limit
        look = partial(self.coalescer.share, key, look, limit=limit)
        version = await latest_version(self.database.reads, Subject.CART, cart_id) if after is None else after
        known = await look()
        while known:
            listened = known.product_ids
            topics = [own, *(subject_topic(Subject.PRODUCT, id) for id in sorted(listened))]
            next_look, due = 0.0, True
            async with self.bus.listen(topics) as signal, self.stock_watch.watching():
                while listened == known.product_ids:
                    events = await self.replay.events_since(Subject.CART, cart_id, version)
                    if events or (due and monotonic() >= next_look):
                        before, known = known, await look()
                        if known is None:
                            return
                        for event in events:
                            yield event
                            version = event.version
                        different = not events and known.appearance != before.appearance
                        if different and (change := await self.items_changed(cart_id, version)):
                            yield change
                        next_look, due = monotonic() + interval, False
                    if len(events) < REPLAY_BATCH and listened == known.product_ids:
                        await signal.wait(max(next_look - monotonic(), 0) if due else timeout)
                        due = True

    async def items_changed(self, cart_id: int, version: int) -> Event | None:
        """An event that is not stored: its version is the last one of the cart. None where the cart has a
        newer version, whose own event explains the difference."""

        async def create_event() -> Event | None:
            if await latest_version(self.database.reads, Subject.CART, cart_id) != version:
                return None
            return Event(
                name=CartItemsChanged.name,
                subject=CartItemsChanged.subject,
                subject_id=cart_id,
                version=version,
                payload={},
                occurred_at=self.clock(),
            )

        return await self.coalescer.share((CartWatch.items_changed, cart_id, version), create_event)


async def delete_guest_carts(resources: Resources, cart_id: int) -> None:
    """Delete the carts that guests have not touched for too long, and end the updates of their watchers."""
    untouched_since = resources.clock() - resources.settings.deadlines.guest_cart_lifetime
    async with resources.database.writes.begin() as session:
        deleted = await delete_untouched_carts(session, untouched=untouched_since)
    await resources.bus.notify(subject_topic(Subject.CART, id) for id in deleted)


GUEST_CARTS = Timer(
    "cart.untouched",
    due=due_guest_carts,
    act=delete_guest_carts,
    age=lambda settings: settings.deadlines.guest_cart_lifetime,
)
