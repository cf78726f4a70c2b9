"""What becomes of carts nobody touches."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from domain.cart import forget_carts, untouched_since
from events.shop import Shop
from events.timers import Timer
from events.topics import subject_topic
from models import Cart, Subject


def untouched(moment: datetime) -> Select[Any]:
    """One is enough: it takes the others along."""
    oldest = select(Cart.id).where(untouched_since(moment)).order_by(Cart.updated_at).limit(1)
    return select(Cart.id).where(Cart.id == oldest.scalar_subquery())


async def forget(shop: Shop, cart_id: int) -> None:
    async with shop.database.writes.begin() as session:
        forgotten = await forget_carts(session, untouched=shop.clock() - shop.settings.guest_cart_lives)
    await shop.bus.ring(subject_topic(Subject.CART, id) for id in forgotten)


GUEST_CARTS = Timer("cart.untouched", due=untouched, act=forget, age=lambda it: it.guest_cart_lives)
