"""What nothing needs is removed; what something needs is archived, no longer offered, and can be restored."""

import asyncio
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    Article,
    Attribute,
    AttributeType,
    Category,
    Product,
    ProductAttribute,
    PromotionScopeKind,
    Role,
    StockLevel,
    Variant,
    Warehouse,
)
from tests.clients import Client, Clients
from tests.factories.catalog import create_category, create_product
from tests.factories.knowledge import create_article
from tests.factories.promotion import create_percent
from tests.factories.stock import create_warehouse
from tests.given import codes, id_of, refusals

UPDATE = """
mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { userErrors { code field } } }
"""


async def change(client: Client, name: str, **terms: Any) -> dict[str, Any]:
    """What `categoryRemove` and its like answer: the outcome, the thing and the refusals."""
    kind, thing = f"{name[0].upper()}{name[1:]}Input", name.removesuffix("Remove").removesuffix("Restore")
    outcome = "outcome" if name.endswith("Remove") else ""
    document = f"""mutation ($input: {kind}!) {{ {name}(input: $input) {{
        {outcome} {thing} {{ id archivedAt }} userErrors {{ code field }} }} }}"""
    return await client.do(document, **terms)


async def count_rows(session: AsyncSession, kind: Any) -> int:
    count = await session.scalar(select(func.count()).select_from(kind))
    await session.commit()
    return count or 0


async def names_of(client: Client, document: str) -> list[str]:
    (rows,) = (await client.get(document)).values()
    return [next(iter(row.values())) for row in (rows["nodes"] if isinstance(rows, dict) else rows)]


async def save(client: Client, product: Product, category: Category) -> Any:
    """Put a product into a category by `productUpdate`."""
    terms = {"id": id_of(product), "version": product.version, "categoryId": id_of(category)}
    return await client.do(UPDATE, **terms)


async def test_a_category_that_nothing_needs_is_removed(clerk: Client, session: AsyncSession) -> None:
    category = await create_category(session, name="Tea")
    await session.commit()

    payload = await change(clerk, "categoryRemove", id=id_of(category))

    assert payload == {"outcome": "REMOVED", "category": None, "userErrors": []}
    assert await count_rows(session, Category) == 0


async def test_a_category_with_products_is_archived_with_all_below_it_and_restored(
    clients: Clients, clerk: Client, session: AsyncSession
) -> None:
    tea = await create_category(session, name="Tea")
    green = await create_category(session, name="Green", parent=tea)
    product = await create_product(session, category=green)
    other = await create_product(session)
    await session.commit()
    listed = "{ categories(roots: false) { name } }"

    archived = await change(clerk, "categoryRemove", id=id_of(tea))

    assert (archived["outcome"], archived["category"]["id"]) == ("ARCHIVED", id_of(tea))
    assert await names_of(clerk, listed) == []
    assert await names_of(clerk, "{ categories(roots: false, archived: true) { name } }") == ["Tea", "Green"]
    assert await names_of(clients.guest(), "{ categories(archived: true) { name } }") == []
    shown = await clients.guest().get(
        "query ($id: ID!) { product(id: $id) { category { name archivedAt } } }", id=id_of(product)
    )
    assert shown["product"]["category"]["name"] == "Green"
    assert refusals(await save(clerk, other, green)) == [("WRONG_STATE", "categoryId")]
    assert refusals(await save(clerk, product, green)) == []
    assert codes(await change(clerk, "categoryRestore", id=id_of(green))) == ["WRONG_STATE"]
    assert codes(await change(clerk, "categoryRemove", id=id_of(tea))) == ["WRONG_STATE"]
    assert (await change(clerk, "categoryRestore", id=id_of(tea)))["category"]["archivedAt"] is None
    assert await names_of(clerk, listed) == ["Tea", "Green"]


async def test_a_category_of_a_promotion_is_archived(clerk: Client, session: AsyncSession) -> None:
    category = await create_category(session, name="Tea")
    promotion = await create_percent(session, percent=10)
    promotion.scope, promotion.scope_ids = PromotionScopeKind.CATEGORIES, [category.id]
    await session.commit()

    assert (await change(clerk, "categoryRemove", id=id_of(category)))["outcome"] == "ARCHIVED"


async def test_a_product_is_not_saved_into_a_category_that_is_removed_meanwhile(
    clerk: Client, session: AsyncSession
) -> None:
    for number in range(3):
        category = await create_category(session, name=f"Tea {number}")
        product = await create_product(session)
        await session.commit()

        removed, saved = await asyncio.gather(
            change(clerk, "categoryRemove", id=id_of(category)), save(clerk, product, category)
        )

        saved_into = await session.scalar(select(Product.category_id).where(Product.id == product.id))
        if removed["outcome"] == "REMOVED":
            assert (codes(saved), saved_into) == (["NOT_FOUND"], None)
        else:
            assert (codes(saved), saved_into) == ([], category.id)
        await session.commit()


async def test_an_attribute_is_removed_or_archived_and_restored(clerk: Client, session: AsyncSession) -> None:
    free, used = (
        Attribute(code=code, name=code, type=AttributeType.TEXT, filterable=True, translations={})
        for code in ("free", "used")
    )
    product, other = await create_product(session), await create_product(session)
    session.add_all([free, used])
    await session.flush()
    session.add(ProductAttribute(product_id=product.id, attribute_id=used.id, position=1, text="x"))
    await session.commit()
    values = [{"code": "used", "values": ["y"]}]

    removed = await change(clerk, "attributeRemove", id=id_of(free))
    archived = await change(clerk, "attributeRemove", id=id_of(used))

    assert removed == {"outcome": "REMOVED", "attribute": None, "userErrors": []}
    assert archived["outcome"] == "ARCHIVED"
    assert await names_of(clerk, "{ attributes { code } }") == []
    assert await names_of(clerk, "{ attributes(archived: true) { code } }") == ["used"]
    kept = await clerk.do(UPDATE, id=id_of(product), version=product.version, attributes=values)
    new = await clerk.do(UPDATE, id=id_of(other), version=other.version, attributes=values)
    assert (refusals(kept), refusals(new)) == ([], [("NOT_FOUND", "attributes")])
    assert (await change(clerk, "attributeRestore", id=id_of(used)))["attribute"]["archivedAt"] is None


async def test_an_article_is_removed_or_archived_and_restored(
    clients: Clients, session: AsyncSession
) -> None:
    support, guest = await clients.staff(Role.SUPPORT), clients.guest()
    draft = await create_article(session, slug="draft", title="A draft", published=False)
    public = await create_article(session, slug="public", title="How long does a refund take?")
    await session.commit()
    listed = "{ articles { nodes { slug } } }"

    removed = await change(support, "articleRemove", id=id_of(draft))
    archived = await change(support, "articleRemove", id=id_of(public))

    assert removed == {"outcome": "REMOVED", "article": None, "userErrors": []}
    assert archived["outcome"] == "ARCHIVED"
    assert await count_rows(session, Article) == 1
    assert await names_of(support, listed) == []
    assert await names_of(support, "{ articles(archived: true) { nodes { slug } } }") == ["public"]
    assert await names_of(guest, "{ articles(archived: true) { nodes { slug } } }") == []
    assert await names_of(guest, '{ articleSuggestions(query: "refund") { slug } }') == []
    assert (await guest.get('{ article(slug: "public") { slug } }'))["article"] == {"slug": "public"}
    assert codes(await change(support, "articleRemove", id=id_of(public))) == ["WRONG_STATE"]
    assert (await change(support, "articleRestore", id=id_of(public)))["article"]["archivedAt"] is None
    assert await names_of(guest, listed) == ["public"]


ADJUST = "mutation ($input: StockAdjustInput!) { stockAdjust(input: $input) { userErrors { code field } } }"


async def test_a_warehouse_is_removed_or_archived_when_it_is_empty_and_restored(
    clients: Clients, session: AsyncSession
) -> None:
    manager = await clients.staff(Role.MANAGER)
    product = await create_product(session, stock={"MAIN": 5, "OLD": 3})
    (variant,) = await session.scalars(select(Variant).where(Variant.product_id == product.id))
    old = (await session.scalars(select(Warehouse).where(Warehouse.code == "OLD"))).one()
    main = (await session.scalars(select(Warehouse).where(Warehouse.code == "MAIN"))).one()
    new = await create_warehouse(session, code="NEW", position=9)
    await session.commit()

    async def adjust(quantity: int) -> dict[str, Any]:
        terms = {"variantId": id_of(variant), "warehouseId": id_of(old), "reason": "counted"}
        return await manager.do(ADJUST, **terms, kind="CORRECTED", quantity=quantity)

    assert (await change(manager, "warehouseRemove", id=id_of(new)))["outcome"] == "REMOVED"
    assert refusals(await change(manager, "warehouseRemove", id=id_of(main))) == [("WRONG_STATE", "id")]
    assert refusals(await change(manager, "warehouseRemove", id=id_of(old))) == [("WRONG_STATE", "id")]
    assert codes(await adjust(-3)) == []
    archived = await change(manager, "warehouseRemove", id=id_of(old))
    assert archived["outcome"] == "ARCHIVED"
    assert await names_of(manager, "{ warehouses { code } }") == ["MAIN"]
    assert await names_of(manager, "{ warehouses(archived: true) { code } }") == ["MAIN", "OLD"]
    assert refusals(await adjust(1)) == [("WRONG_STATE", "warehouseId")]
    assert (await change(manager, "warehouseRestore", id=id_of(old)))["warehouse"]["archivedAt"] is None
    assert codes(await adjust(1)) == []


async def test_no_stock_is_put_into_a_warehouse_that_is_removed_meanwhile(
    clients: Clients, session: AsyncSession
) -> None:
    manager = await clients.staff(Role.MANAGER)
    product = await create_product(session, stock={"MAIN": 5})
    (variant,) = await session.scalars(select(Variant).where(Variant.product_id == product.id))
    for number in range(3):
        warehouse = await create_warehouse(session, code=f"W{number}", position=5 + number)
        await session.commit()
        terms = {"variantId": id_of(variant), "warehouseId": id_of(warehouse), "reason": "counted"}

        removed, adjusted = await asyncio.gather(
            change(manager, "warehouseRemove", id=id_of(warehouse)),
            manager.do(ADJUST, **terms, kind="RECEIVED", quantity=2),
        )

        units = await session.scalar(
            select(func.sum(StockLevel.on_hand)).where(StockLevel.warehouse_id == warehouse.id)
        )
        await session.commit()
        if removed["outcome"] == "REMOVED":
            assert (codes(adjusted), units) == (["NOT_FOUND"], None)
        else:
            assert (codes(removed), codes(adjusted), units) == (["WRONG_STATE"], [], 2)
