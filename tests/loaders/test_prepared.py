"""Rows read on the driver's own connection are those a session reads."""

from datetime import timedelta

import pytest
from sqlalchemy import literal_column, select

from domain.catalog.product import PriceDraft, ProductDraft, VariantDraft, save_products
from domain.cause import Cause
from events.shop import Shop
from loaders import Loaders
from models import Base, CurrencyCode, Money, Price, Product, Variant
from models.sql.dialects import columns_of
from models.sql.parameters import encode_values, is_among
from models.sql.prepared import PreparedSelect, build_entities, fetch_rows
from tests.factories.catalog import NOW
from tests.observe import count_statements

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


async def import_tea(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await save_products(session, [TEA], cause=Cause(NOW + timedelta(microseconds=1)))


async def test_a_row_has_the_same_values_as_in_a_session(shop: Shop) -> None:
    await import_tea(shop)
    reads, dialect = shop.database.reads, shop.database.dialect
    models = [mapper.class_ for mapper in Base.registry.mappers]
    seen = set()
    for model in models:
        rows = await fetch_rows(reads, PreparedSelect(select(*columns_of(model)), dialect))
        async with reads() as session:
            known = (await session.scalars(select(model))).all()
        names = [column.key for column in model.__mapper__.column_attrs]

        def values(row: object, names: list[str] = names) -> list[tuple[str, object]]:
            return [(repr(getattr(row, name)), type(getattr(row, name))) for name in names]

        assert sorted(map(values, build_entities(model, rows)), key=str) == sorted(
            map(values, known), key=str
        )
        seen |= {model} if known else set()
    assert {Product, Variant, Price} <= seen


async def test_many_keys_are_one_parameter(shop: Shop) -> None:
    await import_tea(shop)
    dialect = shop.database.dialect
    statement = PreparedSelect(select(Product.slug).where(is_among(Product.slug, "slugs", dialect)), dialect)

    for slugs in (["tea"], ["tea", "'; --", "x" * 100], []):
        rows = await fetch_rows(shop.database.reads, statement, slugs=encode_values(slugs, dialect))
        assert [row[0] for row in rows] == [slug for slug in slugs if slug == "tea"]


async def test_a_failed_statement_leaves_no_connection_open(shop: Shop) -> None:
    await import_tea(shop)
    dialect = shop.database.dialect
    wrong = PreparedSelect(select(literal_column("no_such_column")).select_from(Product), dialect)
    for _ in range(shop.settings.database.pool_size + 1):
        with pytest.raises(Exception, match="no_such_column"):
            await fetch_rows(shop.database.reads, wrong)

    assert len(await fetch_rows(shop.database.reads, PreparedSelect(select(Product.id), dialect))) == 1


async def test_a_loader_runs_one_statement_for_all_its_keys(shop: Shop) -> None:
    await import_tea(shop)
    load = Loaders(shop.database.reads)

    with count_statements(shop) as counted:
        found = await load.product.load_many([1, 2, 3])

    assert [row and row.slug for row in found] == ["tea", None, None]
    assert counted.total == 1
