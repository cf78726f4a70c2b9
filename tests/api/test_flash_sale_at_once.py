"""The last units of a flash sale, wanted by more people than there are units, in the same moment."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Offer, OfferBuyer, OfferUse, Order, OrderLine, StockLevel, Variant
from resolvers.ids import global_id
from tests.api.order.asking import ADDRESS, PLACE, cny
from tests.factories.offer import flash_sale
from tests.factories.order import a_variant
from tests.front import Client, Front
from tests.observe import settle

pytestmark = pytest.mark.usefixtures("audited")

BUYERS = 30
SHARE = 10


async def on_sale(shop: Shop, *, stock: int = 100, per_buyer: int | None = None) -> tuple[Variant, Offer]:
    """Something for 99.00, ten of it for 49.00."""
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session, stock={"MAIN": stock})
        return variant, await flash_sale(session, variant, price=4_900, share=SHARE, per_buyer=per_buyer)


async def buy(client: Client, variant: Variant, *, key: str = "k", paying: str = "49.00") -> dict[str, Any]:
    return await client.do(
        PLACE,
        lines=[{"variantId": global_id("Variant", variant.id), "quantity": 1}],
        deliveries=[{"address": {"postal": ADDRESS}}],
        payments=[{"method": "SANDBOX", "amount": cny(paying)}],
        idempotencyKey=key,
    )


def ends(replies: list[dict[str, Any]]) -> Counter[str]:
    """How often each: what an order costs, or the code of a refusal and the field it is about."""
    found: Counter[str] = Counter()
    for reply in replies:
        for error in reply["userErrors"]:
            found[f"{error['code']} {'.'.join(map(str, error['field']))}"] += 1
        if reply["order"]:
            found[reply["order"]["total"]["amount"]] += 1
    return found


async def counts(shop: Shop, sale: Offer) -> tuple[int, int, int, int]:
    """Sold of the share, had by orders, orders and units set aside."""
    async with shop.database.reads() as session:
        had = select(func.sum(OfferUse.flash_units)).where(OfferUse.offer_id == sale.id)
        return (
            await session.scalar(select(Offer.sold).where(Offer.id == sale.id)) or 0,
            await session.scalar(had) or 0,
            await session.scalar(select(func.count()).select_from(Order)) or 0,
            await session.scalar(select(func.sum(StockLevel.reserved))) or 0,
        )


async def test_of_thirty_who_want_the_last_ten_at_the_special_price_ten_get_one(
    front: Front, shop: Shop
) -> None:
    variant, sale = await on_sale(shop)
    buyers = [await front.customer() for _ in range(BUYERS)]

    replies = await asyncio.gather(*(buy(buyer, variant) for buyer in buyers))

    assert ends(replies) == {"49.00": SHARE, "AMOUNT_MISMATCH payments": BUYERS - SHARE}
    assert await counts(shop, sale) == (SHARE, SHARE, SHARE, SHARE)
    late = [buyer for buyer, reply in zip(buyers, replies, strict=True) if not reply["order"]]
    after = await asyncio.gather(*(buy(buyer, variant, key="again", paying="99.00") for buyer in late))
    assert ends(after) == {"99.00": BUYERS - SHARE}
    await settle(shop)
    assert await counts(shop, sale) == (SHARE, SHARE, BUYERS, BUYERS)


async def test_of_thirty_who_want_the_last_ten_there_are_ten_get_one(front: Front, shop: Shop) -> None:
    variant, sale = await on_sale(shop, stock=SHARE)
    buyers = [await front.customer() for _ in range(BUYERS)]

    replies = await asyncio.gather(*(buy(buyer, variant) for buyer in buyers))

    codes = ends(replies)
    assert codes.pop("49.00") == SHARE
    assert {code.split()[0] for code in codes} == {"OUT_OF_STOCK"}
    assert codes.total() == BUYERS - SHARE
    assert await counts(shop, sale) == (SHARE, SHARE, SHARE, SHARE)


async def test_one_buyer_with_thirty_devices_gets_what_one_buyer_may_have(front: Front, shop: Shop) -> None:
    variant, sale = await on_sale(shop, per_buyer=2)
    buyer = await front.customer()

    replies = await asyncio.gather(*(buy(buyer, variant, key=f"device-{n}") for n in range(BUYERS)))

    assert ends(replies) == {"49.00": 2, "AMOUNT_MISMATCH payments": BUYERS - 2}
    assert await counts(shop, sale) == (2, 2, 2, 2)
    async with shop.database.reads() as session:
        assert (await session.scalars(select(OfferBuyer.flash_units))).all() == [2]
        assert set(await session.scalars(select(OrderLine.discount_amount))) == {5_000}
