"""Importing product files whole or not at all, and exporting them again."""

import asyncio

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import read_content
from domain.catalog.csv import (
    CsvWriter,
    ImportResult,
    columns_of,
    export_products,
    import_file,
    read_products,
)
from domain.catalog.problems import FileProblem
from domain.cause import Cause
from events.shop import Shop
from models import Base, Category, CurrencyCode, Product
from tests.domain.catalog.csv.product_files import SAMPLES, write_csv
from tests.factories.catalog import NOW, create_attribute
from tests.factories.stock import create_warehouse
from tests.observe import count_statements

CNY = CurrencyCode.CNY

FILE_TEXT = """\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Option1 Name,Option1 Value,Variant SKU,\
Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Inventory Qty / SOUTH,Variant Price,\
Price / USD,Image Src,Image Position,Image Alt Text,Variant Image,\
Title / en,Attribute / origin,Gift Card,Status
tea,乌龙茶,<p>Spring</p><script>x()</script>,Hill Farm,Food > Tea,Leaf,"gift, spring",Size,S,T-S,100,\
shopify,5,,10,1.50,https://pictures.test/1.jpg,1,A cup,,Oolong tea,Fujian; Anhui,FALSE,active
tea,,,,,,,,L,T-L,200,shopify,7,3,20,,https://pictures.test/2.jpg,2,,https://pictures.test/2.jpg,,,,
card,Gift card,,,,,,,,,,,,,5,,,,,,,,TRUE,draft
"""
"""A small file with a bit of everything."""


FILE = FILE_TEXT.encode()


async def import_data(
    shop: Shop, data: bytes, *, file: str = "products.csv", dry_run: bool = False
) -> ImportResult:
    async with shop.database.writes.begin() as session:
        parsed = read_products(data, file=file, currency=CNY)
        return await import_file(session, parsed, cause=Cause(NOW), dry_run=dry_run)


async def export_data(shop: Shop) -> bytes:
    async with shop.database.reads() as session:
        drafts = [draft async for some in export_products(session) for draft in some]
    writer = CsvWriter(columns_of(drafts, CNY), currency=CNY)
    return writer.header() + writer.rows(drafts)


async def count_rows(shop: Shop) -> dict[str, int]:
    """The number of rows of each table."""
    async with shop.database.reads() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


async def delete_everything(shop: Shop) -> None:
    """Delete all rows, stock movements included."""
    allow_deletes = {
        "sqlite": "DROP TRIGGER stock_movements_no_delete",
        "postgresql": "ALTER TABLE stock_movements DISABLE TRIGGER USER",
    }
    async with shop.database.writes.begin() as session:
        await session.execute(text(allow_deletes[shop.database.dialect]))
        await session.execute(update(Category).values(parent_id=None))
        for table in reversed(Base.metadata.sorted_tables):
            await session.execute(delete(table))


async def test_a_file_becomes_products(shop: Shop) -> None:
    result = await import_data(shop, FILE)

    assert (result.created, result.updated, result.unchanged, result.problems) == (2, 0, 0, ())
    async with shop.database.reads() as session:
        products = (await session.scalars(select(Product).order_by(Product.id))).all()
        assert [(row.slug, row.title, row.description) for row in products] == [
            ("tea", "乌龙茶", "<p>Spring</p>"),
            ("card", "Gift card", ""),
        ]


async def test_what_a_file_has_no_column_for_is_kept(shop: Shop) -> None:
    await import_data(shop, FILE)
    before = await export_data(shop)

    titles = await import_data(shop, "Handle,Title\ntea,乌龙茶\ncard,Gift card\n".encode())
    same = await export_data(shop)
    prices = await import_data(
        shop,
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
        "tea,乌龙茶,Size,S,T-S,12\ntea,,,L,T-L,22\n".encode(),
    )
    brands = await import_data(shop, "Handle,Title,Vendor\ntea,乌龙茶,\nnew,New,Loom\n".encode())

    assert (titles.unchanged, titles.updated, same) == (2, 0, before)
    assert (prices.updated, brands.updated, brands.created) == (1, 1, 1)
    after = (await export_data(shop)).decode().splitlines()
    expected = (
        before.decode().replace(",10.00,", ",12.00,").replace(",20.00,", ",22.00,").replace("Hill Farm", "")
    )
    assert after[:-1] == expected.splitlines()


async def test_a_file_imported_twice_changes_nothing(shop: Shop) -> None:
    await import_data(shop, FILE)
    before = await count_rows(shop)

    result = await import_data(shop, FILE)

    assert (result.created, result.updated, result.unchanged) == (0, 0, 2)
    assert await count_rows(shop) == before


async def test_the_same_file_imported_concurrently_is_imported_once(shop: Shop) -> None:
    results = await asyncio.gather(*(import_data(shop, FILE) for _ in range(4)))

    assert sorted((result.created, result.unchanged) for result in results) == [(0, 2)] * 3 + [(2, 0)]


async def test_exports_of_all_sample_files_can_be_imported_again(shop: Shop) -> None:
    """One with a bit of everything, the demo shop and, where they are, those of others."""
    files = {"products.csv": FILE, "demo.csv": write_csv(read_content().products)}
    files |= {path.name: path.read_bytes() for path in SAMPLES}
    for name, data in files.items():
        result = await import_data(shop, data, file=name)
        assert (result.problems, result.updated, result.unchanged) == ((), 0, 0)
    before = await count_rows(shop)
    for name, data in files.items():
        result = await import_data(shop, data, file=name)
        assert (result.problems, result.created, result.updated) == ((), 0, 0)
    assert await count_rows(shop) == before

    exported = await export_data(shop)
    again = await import_data(shop, exported)
    assert (again.problems, again.created, again.updated) == ((), 0, 0)

    await delete_everything(shop)
    assert set((await count_rows(shop)).values()) == {0}
    fresh = await import_data(shop, exported)
    assert (fresh.problems, fresh.created) == ((), before["products"])
    assert await export_data(shop) == exported


async def test_a_bad_row_stops_the_whole_file(shop: Shop) -> None:
    bad = FILE_TEXT.replace(",10,1.50,", ",ten,1.50,").encode()
    before = await count_rows(shop)

    result = await import_data(shop, bad)

    assert result.problems == (
        FileProblem("products.csv", 2, "Variant Price", '"ten" is not an amount such as 12.50'),
    )
    assert await count_rows(shop) == before


async def test_a_refused_product_stops_the_whole_file(shop: Shop, session: AsyncSession) -> None:
    await create_attribute(session, code="origin", values=("Fujian", "Yunnan"))
    await session.commit()
    before = await count_rows(shop)

    result = await import_data(shop, FILE)

    reason = 'Origin (origin) cannot be "Anhui"; allowed: Fujian, Yunnan'
    assert result.problems == (FileProblem("products.csv", 2, "Attribute / origin", reason),)
    assert await count_rows(shop) == before


async def test_a_file_puts_no_stock_into_an_archived_warehouse(shop: Shop, session: AsyncSession) -> None:
    await create_warehouse(session, code="MAIN")
    south = await create_warehouse(session, code="SOUTH", active=False)
    south.archived_at = NOW
    await session.commit()
    before = await count_rows(shop)

    result = await import_data(shop, FILE)

    assert [(each.line, each.column, each.reason) for each in result.problems] == [
        (2, "Inventory Qty / SOUTH", "the warehouse SOUTH is archived; restore it first")
    ]
    assert await count_rows(shop) == before


async def test_a_sku_that_another_product_of_the_shop_has_is_taken_with_a_note(shop: Shop) -> None:
    await import_data(shop, FILE)

    result = await import_data(shop, b"Handle,Title,Variant SKU\nnew,New,T-S\nold,Old,T-O\n")

    assert (result.created, result.problems) == (2, ())
    assert [(note.line, note.column, note.reason) for note in result.notes] == [
        (2, "Variant SKU", 'another product has the SKU "T-S", too: it does not name one variant')
    ]


async def test_a_dry_run_reports_everything_and_changes_nothing(shop: Shop) -> None:
    before = await count_rows(shop)

    result = await import_data(shop, FILE, dry_run=True)

    assert (result.created, result.problems) == (2, ())
    assert await count_rows(shop) == before


async def test_progress_counts_every_product(shop: Shop, session: AsyncSession) -> None:
    counts: list[int] = []
    parsed = read_products(FILE, file="products.csv", currency=CNY)
    await import_file(session, parsed, cause=Cause(NOW), progress=counts.append)
    await session.commit()
    assert sum(counts) == len(parsed.products) == 2


async def test_many_products_are_read_in_few_statements(shop: Shop) -> None:
    header = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Image Src\n"
    lines = (f"p{n},Product {n},SKU-{n},{n}.50,{n},https://pictures.test/{n}.jpg\n" for n in range(1, 201))
    data = (header + "".join(lines)).encode()
    with count_statements(shop) as first:
        await import_data(shop, data)
    with count_statements(shop) as second:
        await import_data(shop, data)

    assert len([text for text in first.texts if text.startswith("SELECT")]) <= 30
    assert second.total < 30
