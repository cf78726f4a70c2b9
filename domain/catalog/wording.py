"""By what each product is found and chosen; written in the transaction that changes what it comes from."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.catalog.lexicon import Lexicon, Worded
from domain.catalog.lock import alone
from domain.catalog.numbers import spelled
from domain.upsert import insert
from models import (
    Attribute,
    AttributeValue,
    Category,
    Product,
    ProductAttribute,
    ProductChoices,
    ProductWords,
    Translations,
    Variant,
)
from words import CODE, FULL, Part, code, indexed, readable, sounds, weighed
from words.choices import Choice, written

PRODUCTS = 200
"""Products whose words are written at once."""

TITLE = Part(counts=2.0, usual_length=10, by_sound=True)
KIND = Part(counts=1.0, usual_length=2, by_sound=True)
DESCRIPTION = Part(counts=1.0, usual_length=20, as_written=False)
ATTRIBUTES = Part(counts=0.5, usual_length=30, as_written=False)

CODE_WEIGHT = 1_000 * FULL
"""A product asked for by its SKU or barcode comes before everything words can find."""

Texts = Mapping[int, Sequence[str]]
"""Id of a product -> what is said about it elsewhere."""


async def index_products(session: AsyncSession, product_ids: Collection[int]) -> None:
    """Read these products anew; one transaction at a time, for they share what is known of each word."""
    if not product_ids:
        return
    await alone(session)
    lexicon = Lexicon(session)
    for ids in batches(sorted(product_ids), PRODUCTS):
        products = (await session.scalars(select(Product).where(Product.id.in_(ids)))).all()
        categories = await _category_names(session, {row.category_id for row in products if row.category_id})
        variants = (await session.scalars(VARIANTS.where(Variant.product_id.in_(ids)))).all()
        attributes, choices = await _attributes(session, ids)
        by_product: defaultdict[int, list[Variant]] = defaultdict(list)
        for variant in variants:
            by_product[variant.product_id].append(variant)
        await lexicon.write(
            {
                row.id: _worded(
                    row,
                    categories.get(row.category_id or 0, ()),
                    by_product[row.id],
                    attributes.get(row.id, ()),
                )
                for row in products
            }
        )
        await _write_choices(session, {row.id: choices.get(row.id, ()) for row in products})
    await lexicon.close()


async def index_next(session: AsyncSession, after: int, *, all_of_them: bool) -> int | None:
    """Read the next batch of products anew, or of those that have no words; the last id, None at the end."""
    wanted = select(Product.id).where(Product.id > after).order_by(Product.id).limit(PRODUCTS)
    if not all_of_them:
        wanted = wanted.where(Product.id.not_in(select(ProductWords.product_id)))
    ids = (await session.scalars(wanted)).all()
    await index_products(session, ids)
    return ids[-1] if ids else None


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


VARIANTS = (
    select(Variant)
    .where(Variant.archived_at.is_(None))
    .order_by(Variant.product_id, Variant.position, Variant.id)
)


def _worded(
    row: Product, categories: Sequence[str], variants: Sequence[Variant], attributes: Sequence[str]
) -> Worded:
    titles = _spoken(row.title, row.translations, "title")
    descriptions = [readable(text) for text in _spoken(row.description, row.translations, "description")]
    options = dict.fromkeys(option["value"] for variant in variants for option in variant.options)
    kind = [row.brand, row.product_type, *row.tags, *categories, *options]
    codes = dict.fromkeys(text for variant in variants for text in (variant.sku, variant.barcode) if text)
    parts = ((TITLE, titles), (KIND, kind), (DESCRIPTION, descriptions), (ATTRIBUTES, [" ".join(attributes)]))
    return Worded(
        indexed(
            [*titles, *kind, *descriptions, *attributes, *codes, *map(code, codes), *sounds([*titles, *kind])]
        ),
        weighed(parts) | {CODE + code(text): CODE_WEIGHT for text in codes},
    )


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


async def _attributes(
    session: AsyncSession, product_ids: Collection[int]
) -> tuple[Texts, Mapping[int, Sequence[Choice]]]:
    """What products say about themselves: for the words, and what customers can choose by."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    choices: defaultdict[int, list[Choice]] = defaultdict(list)
    statement: Select[*tuple[Any, ...]] = (
        select(*ProductAttribute.__table__.columns, Attribute.filterable, AttributeValue)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id.in_(product_ids))
        .order_by(ProductAttribute.product_id, Attribute.code, ProductAttribute.position)
    )
    for row in await session.execute(statement):
        value = row.AttributeValue
        texts[row.product_id] += (
            _spoken(value.name, value.translations, "name") if value else [row.text or ""]
        )
        if row.filterable:
            choices[row.product_id].append((row.attribute_id, _said(row)))
    return texts, choices


def _said(row: Row[*tuple[Any, ...]]) -> str:
    """A value as text; which kind it is follows from the type of the attribute."""
    if row.value_id is not None:
        return str(row.value_id)
    if row.number is not None:
        return spelled(row.number)
    if row.boolean is not None:
        return "true" if row.boolean else "false"
    return row.date.isoformat() if row.date else row.text or ""


async def _write_choices(session: AsyncSession, products: Mapping[int, Sequence[Choice]]) -> None:
    rows = insert(session, ProductChoices)
    await session.execute(
        rows.on_conflict_do_update(
            index_elements=[ProductChoices.product_id],
            set_={"choices": rows.excluded.choices},
            where=ProductChoices.choices != rows.excluded.choices,
        ),
        [{"product_id": number, "choices": written(said)} for number, said in products.items()],
    )
