"""What is read on the driver's own connection is what a session reads."""

from datetime import timedelta

import pytest
from sqlalchemy import literal_column, select

from domain.catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from domain.catalog.saving import import_products
from events.shop import Shop
from loaders import Loaders
from loaders.listing import Chosen, ProductSort, Wanted, count, facets, first_page
from loaders.prepared import Prepared, columns_of, entities, is_among, packed, rows_of
from models import Base, CurrencyCode, Money, Price, Product, Variant
from tests.factories.catalog import NOW
from tests.observe import statements
from words import Phrase
from words.asking import Concept, Plan

TEA = ProductDraft(
    slug="tea",
    title="茶",
    tags=("green", "loose"),
    translations={"en": {"title": "Tea"}},
    category_path=("Food",),
    attributes={"origin": ("Fujian",)},
    variants=(
        VariantDraft(sku="T-1", prices={CurrencyCode.CNY: PriceDraft(Money(1_000, CurrencyCode.CNY))}),
    ),
)


async def stock(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await import_products(session, [TEA], now=NOW + timedelta(microseconds=1))


async def test_a_row_has_the_values_a_session_finds_in_it(shop: Shop) -> None:
    await stock(shop)
    reads, dialect = shop.database.reads, shop.database.dialect
    models = [mapper.class_ for mapper in Base.registry.mappers]
    seen = set()
    for model in models:
        rows = await rows_of(reads, Prepared(select(*columns_of(model)), dialect))
        async with reads() as session:
            known = (await session.scalars(select(model))).all()
        names = [column.key for column in model.__mapper__.column_attrs]

        def values(row: object, names: list[str] = names) -> list[tuple[str, object]]:
            return [(repr(getattr(row, name)), type(getattr(row, name))) for name in names]

        assert sorted(map(values, entities(model, rows)), key=str) == sorted(map(values, known), key=str)
        seen |= {model} if known else set()
    assert {Product, Variant, Price} <= seen


async def test_many_keys_are_one_parameter(shop: Shop) -> None:
    await stock(shop)
    dialect = shop.database.dialect
    named = Prepared(select(Product.slug).where(is_among(Product.slug, "slugs", dialect)), dialect)

    for slugs in (["tea"], ["tea", "'; --", "x" * 100], []):
        rows = await rows_of(shop.database.reads, named, slugs=packed(slugs, dialect))
        assert [row[0] for row in rows] == [slug for slug in slugs if slug == "tea"]


async def test_what_fails_leaves_no_connection_behind(shop: Shop) -> None:
    await stock(shop)
    dialect = shop.database.dialect
    wrong = Prepared(select(literal_column("no_such_column")).select_from(Product), dialect)
    for _ in range(shop.settings.database_pool_size + 1):
        with pytest.raises(Exception, match="no_such_column"):
            await rows_of(shop.database.reads, wrong)

    assert len(await rows_of(shop.database.reads, Prepared(select(Product.id), dialect))) == 1


async def test_a_loader_asks_once_for_all_its_keys(shop: Shop) -> None:
    await stock(shop)
    load = Loaders(shop.database.reads)

    with statements(shop) as counted:
        found = await load.product.load_many([1, 2, 3])

    assert [row and row.slug for row in found] == ["tea", None, None]
    assert counted.total == 1


async def test_lists_filtered_by_other_values_are_asked_for_in_the_same_words(shop: Shop) -> None:
    def wanted(number: int) -> Wanted:
        return Wanted(
            CurrencyCode.CNY,
            plan=Plan(concepts=(Concept(number, ((f"word{number}", 100),), (Phrase((f"word{number}",)),)),)),
            category=f"/{number}/",
            brands=tuple(f"brand {each}" for each in range(number)),
            least=number,
            most=number + 1,
            attributes=(Chosen(f"code {number}", (str(number), "2026-01-01", "true")),),
            flash_sale_at=NOW + timedelta(days=number),
        )

    async def asked(number: int) -> list[str]:
        with statements(shop) as counted:
            for sort in ProductSort:
                await first_page(shop.database.reads, wanted(number), sort, first=number)
            await count(shop.database.reads, wanted(number))
            await facets(shop.database.reads, wanted(number))
        return counted.texts

    assert await asked(1) == await asked(2)
