"""The last units of a flash sale, ordered at the same moment by more buyers than there are units."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Order, OrderLine, Promotion, PromotionBuyer, PromotionUse, StockLevel, Variant
from resolvers.ids import global_id
from tests.api.order.documents import ADDRESS, PLACE
from tests.clients import Client, Clients
from tests.factories.order import a_variant
from tests.factories.promotion import create_flash_sale
from tests.given import cny
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

BUYERS = 30
SHARE = 10


async def create_sale(
    shop: Shop, *, stock: int = 100, per_buyer: int | None = None
) -> tuple[Variant, Promotion]:
    """A variant for 99.00, ten units of it for 49.00."""
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session, stock={"MAIN": stock})
        return variant, await create_flash_sale(
            session, variant, price=4_900, share=SHARE, per_buyer=per_buyer
        )


async def buy(client: Client, variant: Variant, *, key: str = "k", paying: str = "49.00") -> dict[str, Any]:
    return await client.do(
        PLACE,
        lines=[{"variantId": global_id("Variant", variant.id), "quantity": 1}],
        deliveries=[{"address": {"postal": ADDRESS}}],
        payments=[{"method": "SANDBOX", "amount": cny(paying)}],
        idempotencyKey=key,
    )


def count_outcomes(replies: list[dict[str, Any]]) -> Counter[str]:
    """The number of each outcome: the total of an order, or code and field of a refusal."""
    found: Counter[str] = Counter()
    for reply in replies:
        for error in reply["userErrors"]:
            found[f"{error['code']} {'.'.join(map(str, error['field']))}"] += 1
        if reply["order"]:
            found[reply["order"]["total"]["amount"]] += 1
    return found


async def counts(shop: Shop, sale: Promotion) -> tuple[int, int, int, int]:
    """Units sold of the share and used by orders, orders, and units reserved."""
    async with shop.database.reads() as session:
        had = select(func.sum(PromotionUse.flash_units)).where(PromotionUse.promotion_id == sale.id)
        return (
            await session.scalar(select(Promotion.sold).where(Promotion.id == sale.id)) or 0,
            await session.scalar(had) or 0,
            await session.scalar(select(func.count()).select_from(Order)) or 0,
            await session.scalar(select(func.sum(StockLevel.reserved))) or 0,
        )


async def test_of_thirty_buyers_of_the_last_ten_at_the_special_price_ten_get_one(
    clients: Clients, shop: Shop
) -> None:
    variant, sale = await create_sale(shop)
    buyers = [await clients.customer() for _ in range(BUYERS)]

    replies = await asyncio.gather(*(buy(buyer, variant) for buyer in buyers))

    assert count_outcomes(replies) == {"49.00": SHARE, "AMOUNT_MISMATCH payments": BUYERS - SHARE}
    assert await counts(shop, sale) == (SHARE, SHARE, SHARE, SHARE)
    late = [buyer for buyer, reply in zip(buyers, replies, strict=True) if not reply["order"]]
    after = await asyncio.gather(*(buy(buyer, variant, key="again", paying="99.00") for buyer in late))
    assert count_outcomes(after) == {"99.00": BUYERS - SHARE}
    await run_until_idle(shop)
    assert await counts(shop, sale) == (SHARE, SHARE, BUYERS, BUYERS)


async def test_of_thirty_buyers_of_the_last_ten_units_ten_get_one(clients: Clients, shop: Shop) -> None:
    variant, sale = await create_sale(shop, stock=SHARE)
    buyers = [await clients.customer() for _ in range(BUYERS)]

    replies = await asyncio.gather(*(buy(buyer, variant) for buyer in buyers))

    codes = count_outcomes(replies)
    assert codes.pop("49.00") == SHARE
    assert {code.split()[0] for code in codes} == {"OUT_OF_STOCK"}
    assert codes.total() == BUYERS - SHARE
    assert await counts(shop, sale) == (SHARE, SHARE, SHARE, SHARE)


async def test_one_buyer_with_thirty_devices_gets_what_one_buyer_may_have(
    clients: Clients, shop: Shop
) -> None:
    variant, sale = await create_sale(shop, per_buyer=2)
    buyer = await clients.customer()

    replies = await asyncio.gather(*(buy(buyer, variant, key=f"device-{n}") for n in range(BUYERS)))

    assert count_outcomes(replies) == {"49.00": 2, "AMOUNT_MISMATCH payments": BUYERS - 2}
    assert await counts(shop, sale) == (2, 2, 2, 2)
    async with shop.database.reads() as session:
        assert (await session.scalars(select(PromotionBuyer.flash_units))).all() == [2]
        assert set(await session.scalars(select(OrderLine.discount_amount))) == {5_000}
