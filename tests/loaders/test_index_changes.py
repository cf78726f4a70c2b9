"""Every change of what an index of products is made of is noted, in the transaction that makes it."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog import search_index
from domain.catalog.search_index import forget_old_changes, request_rebuild
from events.shop import Shop
from loaders.search import PRODUCTS, IndexPosition, read_changes, read_position
from models import (
    Attribute,
    AttributeValue,
    Category,
    IndexChange,
    Price,
    Product,
    ProductAttribute,
    ProductSales,
    ProductStatus,
    StockLevel,
    Variant,
    Warehouse,
)
from tests.factories.catalog import create_attribute, create_category, create_product, give_attribute
from tests.observe import count_statements
from tests.search import changed_products

NOTED: Sequence[tuple[Any, dict[str, Any]]] = [
    (Product, {"title": "Other"}),
    (Product, {"status": ProductStatus.ARCHIVED}),
    (Variant, {"sku": "OTHER"}),
    (Variant, {"tracked": False}),
    (Price, {"amount": 1}),
    (ProductAttribute, {"position": 9}),
    (Category, {"name": "Other"}),
    (Attribute, {"filterable": False}),
    (AttributeValue, {"name": "Other"}),
    (StockLevel, {"on_hand": 0}),
    (StockLevel, {"reserved": StockLevel.on_hand}),
    (Warehouse, {"active": False}),
    (ProductSales, {"units": 8}),
    (ProductSales, {"interest": 3}),
]
NOT_NOTED: Sequence[tuple[Any, dict[str, Any]]] = [
    (Product, {"seo_title": "Other"}),
    (Product, {"version": 7}),
    (Variant, {"weight_grams": 1}),
    (Price, {"compare_at_amount": 99_900}),
    (Category, {"position": 7}),
    (StockLevel, {"reserved": 9}),
    (StockLevel, {"on_hand": StockLevel.on_hand + 5}),
    (ProductSales, {"units": ProductSales.units + 0}),
]


async def create_complete_product(session: AsyncSession) -> int:
    category = await create_category(session)
    attribute = await create_attribute(session, values=("red",))
    product = await create_product(session, category=await create_category(session, parent=category))
    await give_attribute(session, product, attribute, "red")
    session.add(ProductSales(product_id=product.id, units=2))
    await session.commit()
    return product.id


@pytest.mark.parametrize(("model", "values"), NOTED)
async def test_a_change_that_searches_show_is_noted(
    shop: Shop, session: AsyncSession, model: Any, values: dict[str, Any]
) -> None:
    product_id = await create_complete_product(session)
    before = await read_position(shop.database.reads)

    await session.execute(update(model).values(**values))
    assert await changed_products(shop.database, before) == set()
    await session.commit()

    assert await changed_products(shop.database, before) == {product_id}
    assert await changed_products(shop.database, await read_position(shop.database.reads)) == set()


@pytest.mark.parametrize(("model", "values"), NOT_NOTED)
async def test_a_change_that_no_search_shows_is_not_noted(
    shop: Shop, session: AsyncSession, model: Any, values: dict[str, Any]
) -> None:
    await create_complete_product(session)
    before = await read_position(shop.database.reads)

    await session.execute(update(model).values(**values))
    await session.commit()

    assert await changed_products(shop.database, before) == set()


async def test_a_product_whose_parts_are_removed_is_noted(shop: Shop, session: AsyncSession) -> None:
    product_id = await create_complete_product(session)
    for model in (Price, ProductAttribute, ProductSales):
        before = await read_position(shop.database.reads)
        await session.execute(delete(model))
        await session.commit()
        assert await changed_products(shop.database, before) == {product_id}, model


async def test_what_is_rolled_back_is_not_noted(shop: Shop, session: AsyncSession) -> None:
    await create_complete_product(session)
    before = await read_position(shop.database.reads)

    await session.execute(update(Product).values(title="Other"))
    await session.rollback()

    assert await changed_products(shop.database, before) == set()


async def test_looking_for_changes_takes_one_statement_where_there_are_none(
    shop: Shop, session: AsyncSession
) -> None:
    await create_complete_product(session)
    position = await read_position(shop.database.reads)

    with count_statements(shop) as counted:
        changes = await read_changes(shop.database.reads, position, PRODUCTS.find)

    assert (changes.is_empty, counted.total) == (True, 1)


async def test_a_transaction_that_ends_after_a_later_one_is_not_missed(
    shop: Shop, session: AsyncSession
) -> None:
    if shop.database.dialect == "sqlite":
        return  # it has one writer: what begins later ends later
    first = (await create_product(session)).id
    second = (await create_product(session)).id
    await session.commit()
    position = await read_position(shop.database.reads)
    async with shop.database.writes() as slow, shop.database.writes() as quick:
        await slow.execute(update(Product).where(is_product(first)).values(title="Slow"))
        await quick.execute(update(Product).where(is_product(second)).values(title="Quick"))
        await quick.commit()
        between = await read_changes(shop.database.reads, position, PRODUCTS.find)
        assert between.ids == frozenset({second})
        await slow.commit()

    assert await changed_products(shop.database, between.position) == {first}


def is_product(product_id: int) -> ColumnElement[bool]:
    return Product.id == product_id


async def test_an_index_of_a_database_that_was_restored_is_built_anew(
    shop: Shop, session: AsyncSession
) -> None:
    await create_complete_product(session)
    position = await read_position(shop.database.reads)
    ahead = [IndexPosition(position.last_id + 1, position.snapshot)]
    if shop.database.dialect == "postgresql":
        ahead.append(IndexPosition(position.last_id, "900000000:900000000:"))

    for each in ahead:
        assert (await read_changes(shop.database.reads, each, PRODUCTS.find)).ids is None


async def test_an_index_is_built_anew_when_that_is_asked_for_or_changes_were_missed(
    shop: Shop, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_complete_product(session)
    position = await read_position(shop.database.reads)
    await request_rebuild(session)
    await session.commit()
    assert (await read_changes(shop.database.reads, position, PRODUCTS.find)).ids is None
    position = await read_position(shop.database.reads)
    assert (await read_changes(shop.database.reads, position, PRODUCTS.find)).is_empty

    for _ in range(3):
        await create_product(session)
    monkeypatch.setattr(search_index, "CHANGES_KEPT", 1)
    await forget_old_changes(session)
    await session.commit()

    assert await session.scalar(select(func.count(IndexChange.id))) == 1
    assert (await read_changes(shop.database.reads, position, PRODUCTS.find)).ids is None
    await session.commit()
