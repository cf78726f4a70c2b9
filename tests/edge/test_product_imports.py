"""Files that come in while the shop sells: what others do meanwhile, and what customers see."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.csv import ImportResult, ParsedFile, read_products
from domain.catalog.product import ProductChanges, update_product
from domain.cause import Cause
from events.catalogue_statistics import refresh_statistics
from events.product_import import BATCH_SIZE, WHOLE_SIZE, import_products
from events.shop import Shop
from models import CurrencyCode, Price, Product, ProductStatus
from tests.domain.catalog.csv.test_product_import import count_rows
from tests.factories.catalog import NOW, create_attribute, create_product

PRODUCTS = 3 * BATCH_SIZE + 1


def parse_file(*, count: int = PRODUCTS, price: int = 9, columns: str = "", cells: str = "") -> ParsedFile:
    rows = "".join(f"p-{number},Product {number},S-{number},{price}{cells}\n" for number in range(count))
    data = f"Handle,Title,Variant SKU,Variant Price{columns}\n{rows}".encode()
    return read_products(data, file="p.csv", currency=CurrencyCode.CNY)


async def start_import(shop: Shop, parsed: ParsedFile, *, dry_run: bool = False) -> ImportResult:
    return await import_products(shop, parsed, cause=Cause(NOW), dry_run=dry_run)


async def count_seen(shop: Shop) -> int:
    async with shop.database.reads() as session:
        seen = select(func.count()).select_from(Product).where(Product.status == ProductStatus.ACTIVE)
        return await session.scalar(seen) or 0


async def prices(shop: Shop) -> set[int]:
    async with shop.database.reads() as session:
        return set(await session.scalars(select(Price.amount)))


async def test_customers_see_all_new_products_at_once(shop: Shop) -> None:
    importing = asyncio.create_task(start_import(shop, parse_file()))
    seen = {await count_seen(shop)}
    while not importing.done():
        seen.add(await count_seen(shop))
        await asyncio.sleep(0)
    seen.add(await count_seen(shop))

    result = await importing
    assert (result.created, result.updated, result.problems) == (PRODUCTS, 0, ())
    assert seen == {0, PRODUCTS}


async def test_staff_change_products_while_a_file_comes_in(shop: Shop, session: AsyncSession) -> None:
    product = await create_product(session, slug="other")
    await session.commit()
    begun, steps = asyncio.Event(), [0]

    def note_progress(done: int, total: int) -> None:
        steps[0] = done
        begun.set()

    importing = asyncio.create_task(
        import_products(shop, parse_file(), cause=Cause(NOW), progress=note_progress)
    )
    await begun.wait()
    async with shop.database.writes.begin() as writing:
        changes = ProductChanges(texts={"title": "Changed meanwhile"})
        await update_product(
            writing, product.id, changes, category_id=None, version=product.version, cause=Cause(NOW)
        )
    done_by_then = steps[0]
    await importing

    assert BATCH_SIZE <= done_by_then < 2 * PRODUCTS
    async with shop.database.reads() as reading:
        assert (await reading.get_one(Product, product.id)).title == "Changed meanwhile"


async def test_a_refusal_in_the_last_batch_leaves_everything_as_it_was(
    shop: Shop, session: AsyncSession
) -> None:
    await create_attribute(session, code="size", values=("s",))
    await session.commit()
    parsed = parse_file(columns=",Attribute / size", cells=",s")
    last = replace(parsed.products[-1], attributes={"size": ("xl",)})
    before = await count_rows(shop)

    result = await start_import(shop, replace(parsed, products=(*parsed.products[:-1], last)))

    assert [(problem.line, problem.column, problem.reason) for problem in result.problems] == [
        (PRODUCTS + 1, "Attribute / size", 'Size (size) cannot be "xl"; allowed: s')
    ]
    assert (result.created, result.updated) == (0, 0)
    assert await count_rows(shop) == before


async def test_a_dry_run_of_a_large_file_counts_and_changes_nothing(shop: Shop) -> None:
    before = await count_rows(shop)

    result = await start_import(shop, parse_file(), dry_run=True)

    assert (result.created, result.problems) == (PRODUCTS, ())
    assert await count_rows(shop) == before


async def test_categories_a_large_file_creates_are_noted_once(shop: Shop) -> None:
    await start_import(shop, parse_file(count=1, columns=",Product Category", cells=",Tea"))

    result = await start_import(shop, parse_file(columns=",Product Category", cells=",Cups"))

    assert [(note.column, note.reason) for note in result.notes] == [
        ("Product Category", "categories the shop did not have: Cups")
    ]


async def test_changes_of_the_shop_are_seen_together_with_what_is_new(shop: Shop) -> None:
    await start_import(shop, parse_file(count=BATCH_SIZE))
    importing = asyncio.create_task(start_import(shop, parse_file(price=10)))
    found = []
    while not importing.done():
        found.append((await count_seen(shop), max(await prices(shop))))
        await asyncio.sleep(0)

    result = await importing
    assert (result.created, result.updated) == (PRODUCTS - BATCH_SIZE, BATCH_SIZE)
    assert (await count_seen(shop), await prices(shop)) == (PRODUCTS, {1_000})
    assert {count for count, _ in found} <= {BATCH_SIZE, PRODUCTS}


async def test_more_changes_than_one_transaction_takes_are_made_in_batches(shop: Shop) -> None:
    count = WHOLE_SIZE + 1
    await start_import(shop, parse_file(count=count))

    changed = await start_import(shop, parse_file(count=count, price=10))
    again = await start_import(shop, parse_file(count=count, price=10))

    assert (changed.created, changed.updated, changed.unchanged) == (0, count, 0)
    assert (again.created, again.updated, again.unchanged) == (0, 0, count)
    assert await prices(shop) == {1_000}


async def test_an_archived_product_that_the_file_sells_is_published(shop: Shop) -> None:
    await start_import(shop, parse_file(columns=",Status", cells=",archived"))
    hidden = await count_seen(shop)

    result = await start_import(shop, parse_file(columns=",Status", cells=",active"))

    assert (hidden, result.updated) == (0, PRODUCTS)
    assert await count_seen(shop) == PRODUCTS


@pytest.mark.parametrize("count", [BATCH_SIZE])
async def test_the_database_counts_its_rows_anew(shop: Shop, count: int) -> None:
    await start_import(shop, parse_file(count=count))

    await refresh_statistics(shop.database)

    counted = {
        "sqlite": "SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = 'products' LIMIT 1",
        "postgresql": "SELECT CAST(reltuples AS INTEGER) FROM pg_class WHERE relname = 'products'",
    }
    async with shop.database.reads() as session:
        assert await session.scalar(text(counted[shop.database.dialect])) == count
