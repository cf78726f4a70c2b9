"""An import that is killed shows customers nothing; the same file imported again ends it."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from events.product_import import BATCH_SIZE
from events.shop import Shop
from models import Event, Product, ProductStatus, StockMovement
from tests.journey.device import wait_until
from tests.observe import assert_books_agree
from tests.process import call_cartwheel, environment_of, open_shop_of, start_cartwheel

PRODUCTS = 6 * BATCH_SIZE


@pytest.fixture(params=["new_sqlite_url", "new_postgres_url"], ids=["sqlite", "postgresql"])
def crash_env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return environment_of(request, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = "".join(f"p-{number},Product {number},S-{number},9,3\n" for number in range(PRODUCTS))
    file = tmp_path / "products.csv"
    file.write_text(f"Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\n{rows}")
    return file


async def count_by_status(shop: Shop) -> Counter[ProductStatus]:
    async with shop.database.reads() as session:
        rows = await session.execute(select(Product.status, func.count()).group_by(Product.status))
        return Counter(dict(rows.all()))


async def test_after_kill_9_nothing_is_seen_and_the_same_file_goes_on(
    crash_env: dict[str, str], file: Path, tmp_path: Path
) -> None:
    process = start_cartwheel("import", "products", str(file), env=crash_env, stdout=tmp_path / "out")
    async with open_shop_of(crash_env) as shop:

        async def is_half_done() -> bool:
            return (await count_by_status(shop)).total() >= 2 * BATCH_SIZE

        await wait_until("the import is half done", is_half_done)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.join)

        killed = await count_by_status(shop)
        again = await call_cartwheel("import", "products", str(file), env=crash_env)
        ended = await count_by_status(shop)
        third = await call_cartwheel("import", "products", str(file), env=crash_env)

        assert (again.returncode, third.returncode) == (0, 0)
        assert set(killed) == {ProductStatus.DRAFT}
        assert killed.total() % BATCH_SIZE == 0
        assert killed.total() < PRODUCTS
        assert ended == {ProductStatus.ACTIVE: PRODUCTS}
        async with shop.database.reads() as session:
            names = await session.execute(select(Event.name, func.count()).group_by(Event.name))
            units = await session.scalar(select(func.sum(StockMovement.on_hand)))
        assert dict(names.all()) == {
            "product.created": PRODUCTS,
            "product.published": PRODUCTS,
        }
        assert units == 3 * PRODUCTS
        await assert_books_agree(shop)
