"""Files of products: taken whole or not at all, and given back as they were."""

import asyncio
from pathlib import Path

from sqlalchemy import delete, func, select, text, update

from domain.catalog.exporting import export_products
from domain.catalog.files import Import, import_file
from domain.catalog.interchange import Problem, Writer, columns_of, read_products
from events.shop import Shop
from models import Base, Category, CurrencyCode, Product
from tests.factories.catalog import NOW, create_attribute
from tests.observe import statements

CNY = CurrencyCode.CNY

GOODS = """\
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


FIRST = GOODS.encode()


def samples() -> list[Path]:
    """Product files of other shops, where somebody has put some beside the project."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    return sorted(path for folder in ("shopify", "zh") for path in (beside / folder).glob("*.csv"))


async def take(shop: Shop, data: bytes, *, file: str = "goods.csv", dry_run: bool = False) -> Import:
    async with shop.database.writes.begin() as session:
        reading = read_products(data, file=file, currency=CNY)
        return await import_file(session, reading, now=NOW, dry_run=dry_run)


async def given_back(shop: Shop) -> bytes:
    async with shop.database.reads() as session:
        drafts = [draft async for some in export_products(session) for draft in some]
    writer = Writer(columns_of(drafts, CNY), currency=CNY)
    return writer.header() + writer.rows(drafts)


async def rows(shop: Shop) -> dict[str, int]:
    """How many rows every table has."""
    async with shop.database.reads() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


async def close_down(shop: Shop) -> None:
    """An empty shop again, as if its movements had never been."""
    forget = {
        "sqlite": "DROP TRIGGER stock_movements_no_delete",
        "postgresql": "ALTER TABLE stock_movements DISABLE TRIGGER USER",
    }
    async with shop.database.writes.begin() as session:
        await session.execute(text(forget[shop.database.dialect]))
        await session.execute(update(Category).values(parent_id=None))
        for table in reversed(Base.metadata.sorted_tables):
            await session.execute(delete(table))


async def test_a_file_becomes_products(shop: Shop) -> None:
    result = await take(shop, FIRST)

    assert (result.created, result.updated, result.unchanged, result.problems) == (2, 0, 0, ())
    async with shop.database.reads() as session:
        products = (await session.scalars(select(Product).order_by(Product.id))).all()
        assert [(row.slug, row.title, row.description) for row in products] == [
            ("tea", "乌龙茶", "<p>Spring</p>"),
            ("card", "Gift card", ""),
        ]


async def test_what_a_file_has_no_column_for_stays_as_it_was(shop: Shop) -> None:
    await take(shop, FIRST)
    before = await given_back(shop)

    titles = await take(shop, "Handle,Title\ntea,乌龙茶\ncard,Gift card\n".encode())
    same = await given_back(shop)
    prices = await take(
        shop,
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
        "tea,乌龙茶,Size,S,T-S,12\ntea,,,L,T-L,22\n".encode(),
    )
    brands = await take(shop, "Handle,Title,Vendor\ntea,乌龙茶,\nnew,New,Loom\n".encode())

    assert (titles.unchanged, titles.updated, same) == (2, 0, before)
    assert (prices.updated, brands.updated, brands.created) == (1, 1, 1)
    after = (await given_back(shop)).decode().splitlines()
    expected = (
        before.decode().replace(",10.00,", ",12.00,").replace(",20.00,", ",22.00,").replace("Hill Farm", "")
    )
    assert after[:-1] == expected.splitlines()


async def test_a_file_taken_twice_changes_nothing(shop: Shop) -> None:
    await take(shop, FIRST)
    before = await rows(shop)

    result = await take(shop, FIRST)

    assert (result.created, result.updated, result.unchanged) == (0, 0, 2)
    assert await rows(shop) == before


async def test_the_same_file_from_two_sides_is_taken_once(shop: Shop) -> None:
    results = await asyncio.gather(*(take(shop, FIRST) for _ in range(4)))

    assert sorted((result.created, result.unchanged) for result in results) == [(0, 2)] * 3 + [(2, 0)]


async def test_all_files_there_are_come_back_as_they_went_in(shop: Shop) -> None:
    """Small ones of our own, and big ones of others where they are."""
    files = {"goods.csv": FIRST} | {path.name: path.read_bytes() for path in samples()}
    for name, data in files.items():
        result = await take(shop, data, file=name)
        assert (result.problems, result.updated, result.unchanged) == ((), 0, 0)
    before = await rows(shop)
    for name, data in files.items():
        result = await take(shop, data, file=name)
        assert (result.problems, result.created, result.updated) == ((), 0, 0)
    assert await rows(shop) == before

    exported = await given_back(shop)
    again = await take(shop, exported)
    assert (again.problems, again.created, again.updated) == ((), 0, 0)

    await close_down(shop)
    assert set((await rows(shop)).values()) == {0}
    fresh = await take(shop, exported)
    assert (fresh.problems, fresh.created) == ((), before["products"])
    assert await given_back(shop) == exported


async def test_a_bad_row_stops_the_whole_file(shop: Shop) -> None:
    bad = GOODS.replace(",10,1.50,", ",ten,1.50,").encode()
    before = await rows(shop)

    result = await take(shop, bad)

    assert result.problems == (
        Problem("goods.csv", 2, "Variant Price", '"ten" is not an amount such as 12.50'),
    )
    assert await rows(shop) == before


async def test_what_the_shop_refuses_stops_the_whole_file(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_attribute(session, code="origin", values=("Fujian", "Yunnan"))
    before = await rows(shop)

    result = await take(shop, FIRST)

    reason = 'Origin (origin) cannot be "Anhui"; allowed: Fujian, Yunnan'
    assert result.problems == (Problem("goods.csv", 2, "Attribute / origin", reason),)
    assert await rows(shop) == before


async def test_a_dry_run_tells_everything_and_changes_nothing(shop: Shop) -> None:
    before = await rows(shop)

    result = await take(shop, FIRST, dry_run=True)

    assert (result.created, result.problems) == (2, ())
    assert await rows(shop) == before


async def test_progress_is_told_product_by_product(shop: Shop) -> None:
    told: list[int] = []
    async with shop.database.writes.begin() as session:
        reading = read_products(FIRST, file="goods.csv", currency=CNY)
        await import_file(session, reading, now=NOW, progress=told.append)
    assert sum(told) == len(reading.products) == 2


async def test_many_products_are_read_in_few_statements(shop: Shop) -> None:
    header = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Image Src\n"
    lines = (f"p{n},Product {n},SKU-{n},{n}.50,{n},https://pictures.test/{n}.jpg\n" for n in range(1, 201))
    data = (header + "".join(lines)).encode()
    with statements(shop) as first:
        await take(shop, data)
    with statements(shop) as second:
        await take(shop, data)

    assert len([text for text in first.texts if text.startswith("SELECT")]) < 30
    assert second.total < 30
