"""Indexing products: the terms they are found and ranked by, and the values they are filtered by."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.lock import lock_catalogue
from domain.catalog.numbers import format_number
from domain.catalog.search_index.writer import IndexWriter, ProductDocument
from models import (
    Attribute,
    AttributeValue,
    Category,
    Product,
    ProductAttribute,
    ProductFacetValues,
    ProductSearchText,
    Translations,
    Variant,
)
from models.sql.batches import in_batches
from models.sql.upsert import upsert_into
from text import (
    CODE_PREFIX,
    WEIGHT_LIMIT,
    IndexedField,
    analyze_texts,
    normalize_code,
    pinyin_terms,
    strip_html,
    weigh_terms,
)
from text.facet_values import Choice, join_choices

PRODUCT_BATCH = 200
"""Products indexed at once."""

TITLE = IndexedField(boost=2.0, average_length=10, with_pinyin=True)
KEYWORDS = IndexedField(boost=1.0, average_length=2, with_pinyin=True)
"""Brand, type, tags, categories and options."""

DESCRIPTION = IndexedField(boost=1.0, average_length=20, keep_words=False)
ATTRIBUTES = IndexedField(boost=0.5, average_length=30, keep_words=False)

CODE_WEIGHT = 1_000 * WEIGHT_LIMIT
"""A product found by its SKU or barcode ranks before everything found by terms."""

TextsById = Mapping[int, Sequence[str]]

VARIANTS = (
    select(Variant)
    .where(Variant.archived_at.is_(None))
    .order_by(Variant.product_id, Variant.position, Variant.id)
)


async def index_products(session: AsyncSession, product_ids: Collection[int]) -> None:
    """Index these products again.

    The catalogue is locked first, since transactions share the counts of the terms.
    """
    if not product_ids:
        return
    await lock_catalogue(session)
    writer = IndexWriter(session)
    for ids in in_batches(sorted(product_ids), PRODUCT_BATCH):
        products = (await session.scalars(select(Product).where(Product.id.in_(ids)))).all()
        categories = await _category_names(session, {row.category_id for row in products if row.category_id})
        variants = (await session.scalars(VARIANTS.where(Variant.product_id.in_(ids)))).all()
        attributes, choices = await _attribute_values(session, ids)
        by_product: defaultdict[int, list[Variant]] = defaultdict(list)
        for variant in variants:
            by_product[variant.product_id].append(variant)
        await writer.write(
            {
                row.id: _document_of(
                    row,
                    categories.get(row.category_id or 0, ()),
                    by_product[row.id],
                    attributes.get(row.id, ()),
                )
                for row in products
            }
        )
        await _write_facet_values(session, {row.id: choices.get(row.id, ()) for row in products})
    await writer.close()


async def index_next_batch(session: AsyncSession, after: int, *, include_indexed: bool) -> int | None:
    """Index the next products by id, all of them or only those not indexed yet.

    The last id of the batch, to go on after; None when there were no more.
    """
    statement = select(Product.id).where(Product.id > after).order_by(Product.id).limit(PRODUCT_BATCH)
    if not include_indexed:
        statement = statement.where(Product.id.not_in(select(ProductSearchText.product_id)))
    ids = (await session.scalars(statement)).all()
    await index_products(session, ids)
    return ids[-1] if ids else None


async def index_category_products(session: AsyncSession, category: Category) -> None:
    """Index the products of a category and of all below it."""
    below = select(Category.id).where(Category.path.startswith(category.path))
    ids = await session.scalars(select(Product.id).where(Product.category_id.in_(below)))
    await index_products(session, ids.all())


async def index_attribute_products(session: AsyncSession, attribute_id: int) -> None:
    """Index the products that have an attribute."""
    ids = await session.scalars(
        select(ProductAttribute.product_id).where(ProductAttribute.attribute_id == attribute_id).distinct()
    )
    await index_products(session, ids.all())


def _document_of(
    row: Product, categories: Sequence[str], variants: Sequence[Variant], attributes: Sequence[str]
) -> ProductDocument:
    titles = _in_all_languages(row.title, row.translations, "title")
    descriptions = [
        strip_html(text) for text in _in_all_languages(row.description, row.translations, "description")
    ]
    options = dict.fromkeys(
        value
        for variant in variants
        for option in variant.options
        for value in _in_all_languages(option["value"], option.get("translations", {}), "value")
    )
    keywords = [row.brand, row.product_type, *row.tags, *categories, *options]
    codes = dict.fromkeys(text for variant in variants for text in (variant.sku, variant.barcode) if text)
    fields = (
        (TITLE, titles),
        (KEYWORDS, keywords),
        (DESCRIPTION, descriptions),
        (ATTRIBUTES, [" ".join(attributes)]),
    )
    return ProductDocument(
        analyze_texts(
            [
                *titles,
                *keywords,
                *descriptions,
                *attributes,
                *codes,
                *map(normalize_code, codes),
                *pinyin_terms([*titles, *keywords]),
            ]
        ),
        weigh_terms(fields) | {CODE_PREFIX + normalize_code(text): CODE_WEIGHT for text in codes},
    )


def _in_all_languages(text: str, translations: Translations, field: str) -> list[str]:
    return [text, *(texts[field] for texts in translations.values() if field in texts)]


async def _category_names(session: AsyncSession, category_ids: Collection[int]) -> TextsById:
    """The names of each category and of those above it, in all languages."""
    rows = (await session.scalars(select(Category).where(Category.id.in_(category_ids)))).all()
    above = {each for row in rows for each in row.path_ids}
    names = {
        row.id: _in_all_languages(row.name, row.translations, "name")
        for row in await session.scalars(select(Category).where(Category.id.in_(above)))
    }
    return {row.id: [name for each in row.path_ids for name in names[each]] for row in rows}


async def _attribute_values(
    session: AsyncSession, product_ids: Collection[int]
) -> tuple[TextsById, Mapping[int, Sequence[Choice]]]:
    """The attribute values of products by id: as texts to search in, and as choices to filter by."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    choices: defaultdict[int, list[Choice]] = defaultdict(list)
    # Columns, not rows: thousands of them need no place in the session.
    statement = (
        select(
            ProductAttribute.product_id,
            ProductAttribute.attribute_id,
            ProductAttribute.value_id,
            ProductAttribute.number,
            ProductAttribute.boolean,
            ProductAttribute.text,
            ProductAttribute.date,
            Attribute.filterable,
            AttributeValue,
        )
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id.in_(product_ids))
        .order_by(ProductAttribute.product_id, Attribute.code, ProductAttribute.position)
    )
    for row in await session.execute(statement):
        value = row.AttributeValue
        texts[row.product_id] += (
            _in_all_languages(value.name, value.translations, "name") if value else [row.text or ""]
        )
        if row.filterable:
            choice = _format_choice(row.value_id, row.number, row.boolean, row.date, row.text)
            choices[row.product_id].append((row.attribute_id, choice))
    return texts, choices


def _format_choice(
    value_id: int | None, number: Decimal | None, boolean: bool | None, day: date | None, text: str | None
) -> str:
    """The one value that is set, as filters give it."""
    if value_id is not None:
        return str(value_id)
    if number is not None:
        return format_number(number)
    if boolean is not None:
        return "true" if boolean else "false"
    return day.isoformat() if day else text or ""


async def _write_facet_values(session: AsyncSession, products: Mapping[int, Sequence[Choice]]) -> None:
    statement = upsert_into(session, ProductFacetValues)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ProductFacetValues.product_id],
            set_={"facet_values": statement.excluded.facet_values},
            where=ProductFacetValues.facet_values != statement.excluded.facet_values,
        ),
        [
            {"product_id": product_id, "facet_values": join_choices(choices)}
            for product_id, choices in products.items()
        ],
    )
