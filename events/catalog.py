"""What happens to products at a time of their own."""

from domain.catalog.prices import change_due_price, due_prices
from events.shop import Shop
from events.timers import Timer


async def change_price(shop: Shop, change_id: int) -> None:
    async with shop.database.writes.begin() as session:
        await change_due_price(session, change_id, now=shop.clock())


PRICE_CHANGES = Timer("price.change", due=due_prices, act=change_price)
