"""By which words each product is found; written in the transaction that changes what they come from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.upsert import insert
from domain.words import indexed, readable
from models import (
    Attribute,
    AttributeValue,
    Category,
    Product,
    ProductAttribute,
    ProductWords,
    Translations,
    Variant,
)

PRODUCTS = 200
"""Products whose words are written at once."""

TITLE_COUNTS = 3
"""A word of the title weighs as much as this many in the description."""

Texts = Mapping[int, Iterable[str]]
"""Id of a product -> what is said about it elsewhere."""


async def index_products(session: AsyncSession, product_ids: Collection[int]) -> None:
    for ids in batches(sorted(product_ids), PRODUCTS):
        products = (await session.scalars(select(Product).where(Product.id.in_(ids)))).all()
        categories = await _category_names(session, {row.category_id for row in products if row.category_id})
        variants = await _variant_texts(session, ids)
        attributes = await _attribute_texts(session, ids)
        rows = [
            {
                "product_id": row.id,
                "words": indexed(
                    [
                        *_product_texts(row),
                        *categories.get(row.category_id or 0, ()),
                        *variants.get(row.id, ()),
                        *attributes.get(row.id, ()),
                    ]
                ),
            }
            for row in products
        ]
        written = insert(session, ProductWords)
        await session.execute(
            written.on_conflict_do_update(
                index_elements=[ProductWords.product_id], set_={"words": written.excluded.words}
            ),
            rows,
        )


async def index_subtree(session: AsyncSession, category: Category) -> None:
    """The products of a category and of all below it."""
    below = select(Category.id).where(Category.path.startswith(category.path))
    ids = await session.scalars(select(Product.id).where(Product.category_id.in_(below)))
    await index_products(session, ids.all())


async def index_with_attribute(session: AsyncSession, attribute_id: int) -> None:
    """The products that have an attribute."""
    ids = await session.scalars(
        select(ProductAttribute.product_id).where(ProductAttribute.attribute_id == attribute_id).distinct()
    )
    await index_products(session, ids.all())


def _product_texts(row: Product) -> list[str]:
    return [
        *_spoken(row.title, row.translations, "title") * TITLE_COUNTS,
        row.brand,
        row.product_type,
        *row.tags,
        *map(readable, _spoken(row.description, row.translations, "description")),
    ]


def _spoken(text: str, translations: Translations, field: str) -> list[str]:
    """A text in all its languages."""
    return [text, *(texts[field] for texts in translations.values() if field in texts)]


async def _category_names(session: AsyncSession, category_ids: Collection[int]) -> Texts:
    """The names of categories and of all above them."""
    rows = (await session.scalars(select(Category).where(Category.id.in_(category_ids)))).all()
    above = {each for row in rows for each in row.line}
    names = {
        row.id: _spoken(row.name, row.translations, "name")
        for row in await session.scalars(select(Category).where(Category.id.in_(above)))
    }
    return {row.id: [name for each in row.line for name in names[each]] for row in rows}


async def _variant_texts(session: AsyncSession, product_ids: Collection[int]) -> Texts:
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = await session.execute(
        select(Variant.product_id, Variant.sku, Variant.barcode, Variant.options)
        .where(Variant.product_id.in_(product_ids), Variant.archived_at.is_(None))
        .order_by(Variant.product_id, Variant.position, Variant.id)
    )
    for product_id, sku, barcode, options in rows:
        found[product_id] += [sku or "", barcode or "", *(option["value"] for option in options)]
    return {product_id: dict.fromkeys(texts) for product_id, texts in found.items()}


async def _attribute_texts(session: AsyncSession, product_ids: Collection[int]) -> Texts:
    found: defaultdict[int, list[str]] = defaultdict(list)
    statement: Select[*tuple[Any, ...]] = (
        select(ProductAttribute.product_id, ProductAttribute.text, AttributeValue)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id.in_(product_ids))
        .order_by(ProductAttribute.product_id, Attribute.code, ProductAttribute.position)
    )
    for product_id, text, value in await session.execute(statement):
        found[product_id] += _spoken(value.name, value.translations, "name") if value else [text or ""]
    return found
