"""A cart as it is watched: what its owner does to it, and what happens around it; and what nobody touches."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import Select, select

from domain.cart import forget_carts, untouched_since
from events.shop import Shop
from events.timers import Timer
from events.topics import subject_topic
from loaders.event import REPLAY_BATCH, events_since, latest_version
from models import Cart, Event, Subject

AROUND = "cart.goods_changed"
"""What is in a cart costs something else, is there no more, or again. It happens to no cart: no version is
made of it, nothing stored, and who sells or sets prices does nothing for it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A cart as its owner sees it at a moment."""

    product_ids: frozenset[int]
    face: Hashable
    """Equal as long as nothing about it is different: prices, sums, warnings."""


async def follow_cart(
    shop: Shop, cart_id: int, after: int | None, look: Callable[[], Awaitable[Seen | None]]
) -> AsyncIterator[Event]:
    """Every event of a cart above `after`, as `follow`; between them AROUND, at most once in
    `cart_look_every`. Ends when `look` finds the cart no more.

    Looked at is before anything is told: what changes while the owner reads is found by the next look. Where
    a look finds what an event will tell, it is left to the event.
    """
    reads, own = shop.database.reads, subject_topic(Subject.CART, cart_id)
    pause = shop.settings.bell_pause.total_seconds()
    every = shop.settings.cart_look_every.total_seconds()
    version = await latest_version(reads, Subject.CART, cart_id) if after is None else after
    known = await look()
    while known:
        listened = known.product_ids
        topics = [own, *(subject_topic(Subject.PRODUCT, id) for id in sorted(listened))]
        again, due = 0.0, True
        async with shop.bus.listen(topics) as bell, shop.shelves.watched():
            while listened == known.product_ids:
                events = await events_since(reads, Subject.CART, cart_id, version)
                if events or (due and monotonic() >= again):
                    before = known
                    async with shop.shelves.turn:
                        known = await look()
                    if known is None:
                        return
                    for event in events:
                        yield event
                        version = event.version
                    different = not events and known.face != before.face
                    if different and await latest_version(reads, Subject.CART, cart_id) == version:
                        yield around(shop, cart_id, version)
                    again, due = monotonic() + every, False
                if len(events) < REPLAY_BATCH and listened == known.product_ids:
                    await bell.wait(max(again - monotonic(), 0) if due else pause)
                    due = True


def around(shop: Shop, cart_id: int, version: int) -> Event:
    return Event(
        name=AROUND,
        subject=Subject.CART,
        subject_id=cart_id,
        version=version,
        payload={},
        occurred_at=shop.clock(),
    )


def untouched(moment: datetime) -> Select[Any]:
    """One is enough: it takes the others along."""
    oldest = select(Cart.id).where(untouched_since(moment)).order_by(Cart.updated_at).limit(1)
    return select(Cart.id).where(Cart.id == oldest.scalar_subquery())


async def forget(shop: Shop, cart_id: int) -> None:
    async with shop.database.writes.begin() as session:
        forgotten = await forget_carts(session, untouched=shop.clock() - shop.settings.guest_cart_lives)
    await shop.bus.ring(subject_topic(Subject.CART, id) for id in forgotten)


GUEST_CARTS = Timer("cart.untouched", due=untouched, act=forget, age=lambda it: it.guest_cart_lives)
