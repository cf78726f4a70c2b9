"""Units sold are counted apart from requests."""

import asyncio
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import create_app
from events.shop import Shop
from models import Order, OrderLine, OrderStatus, ProductSales
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.observe import TIMEOUT_SECONDS, count_statements

BEST = "{ products(first: 10, sort: BEST_SELLING) { nodes { slug } } }"


async def written_sales(shop: Shop) -> list[tuple[int, int]]:
    async with shop.database.reads() as session:
        rows = await session.scalars(select(ProductSales).order_by(ProductSales.product_id))
        return [(row.product_id, row.units) for row in rows]


async def create_sold_product(shop: Shop, slug: str, quantity: int) -> tuple[int, int]:
    """A new product that was ordered once: its id and the order's."""
    async with shop.database.writes.begin() as session:
        product = await create_product(session, slug=slug, stock={"MAIN": 100})
        order = await create_order(
            session, lines=[(await variant_of(session, product), quantity)], now=shop.clock()
        )
        return product.id, order.id


async def test_what_was_sold_most_lately_is_listed_first(
    shop: Shop, session: AsyncSession, clock: Clock, clients: Clients
) -> None:
    await create_sold_product(shop, "old", 9)
    clock.tick(shop.settings.catalog.best_selling_window + timedelta(seconds=1))
    some, most = await create_sold_product(shop, "some", 2), await create_sold_product(shop, "most", 5)
    parted, cancelled = (
        await create_sold_product(shop, "parted", 7),
        await create_sold_product(shop, "cancelled", 8),
    )
    await session.execute(
        update(OrderLine).where(OrderLine.order_id == parted[1]).values(cancelled=6, cancelled_amount=0)
    )
    await session.execute(update(Order).where(Order.id == cancelled[1]).values(status=OrderStatus.CANCELLED))
    await session.commit()

    await shop.sales.count()

    assert await written_sales(shop) == [(some[0], 2), (most[0], 5), (parted[0], 1)]
    with count_statements(shop) as asked:
        page = await clients.guest().get(BEST)
    assert [node["slug"] for node in page["products"]["nodes"]] == [
        "most",
        "some",
        "parted",
        "cancelled",
        "old",
    ]
    assert not [text for text in asked.texts if "order" in text.lower().split("order by")[0]]


async def test_what_no_longer_sells_is_set_to_zero_and_an_unchanged_number_is_not_written(
    shop: Shop, clock: Clock
) -> None:
    tea, _ = await create_sold_product(shop, "tea", 2)
    await shop.sales.count()
    with count_statements(shop) as again:
        await shop.sales.count()
    clock.tick(shop.settings.catalog.best_selling_window + timedelta(seconds=1))
    await shop.sales.count()

    assert [text.split()[0] for text in again.texts] == ["SELECT", "SELECT", "SELECT"]
    assert await written_sales(shop) == [(tea, 0)]


async def test_processes_that_count_at_the_same_time_agree(shop: Shop) -> None:
    products = [(await create_sold_product(shop, f"tea-{number}", number))[0] for number in range(1, 6)]

    await asyncio.gather(*(shop.sales.count() for _ in range(4)))

    assert await written_sales(shop) == [(id, number) for number, id in enumerate(products, 1)]


async def test_a_worker_counts_at_its_start_and_goes_on_counting(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    soon = settings_for(
        database_url, tmp_path, run_worker=True, sales_counted_every=timedelta(milliseconds=20)
    )
    app = create_app(soon, clock=clock)
    shop: Shop = app.state.shop
    tea, _ = await create_sold_product(shop, "tea", 3)
    async with app.router.lifespan_context(app):
        await wait_for_sales(shop, (tea, 3))
        cup, _ = await create_sold_product(shop, "cup", 1)
        await wait_for_sales(shop, (cup, 1))


async def wait_for_sales(shop: Shop, row: tuple[int, int]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while row not in await written_sales(shop):
            await asyncio.sleep(0.02)
