"""Pictures nobody uses are not kept for ever."""

from domain.media import forget_unused, unused
from events.shop import Shop
from events.timers import Timer


async def throw_away(shop: Shop, media_id: int) -> None:
    async with shop.database.writes.begin() as session:
        name = await forget_unused(session, media_id, now=shop.clock())
    if name is not None:
        await shop.media.delete(name)


UNUSED_PICTURES = Timer("media.unused", due=unused, act=throw_away)
