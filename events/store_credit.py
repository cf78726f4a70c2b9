"""Gift cards that nobody redeems in time."""

from domain.store_credit import expire_gift_card, select_expired_gift_cards
from events.types import Resources, Timer


async def expire_due_gift_card(resources: Resources, card_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await expire_gift_card(session, card_id, now=resources.clock())


EXPIRED_GIFT_CARDS = Timer("gift_cards.expired", due=select_expired_gift_cards, act=expire_due_gift_card)
