"""The documents of products, made of all that they are found, filtered, ordered and counted by."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.search import IndexDocument
from loaders.search.fields import (
    ATTRIBUTE,
    ATTRIBUTES,
    BRAND,
    CATEGORY,
    CATEGORY_LEVELS,
    CHOICE,
    CODE,
    CODE_PARTS,
    DESCRIPTION,
    HEADS,
    IN_STOCK,
    INTEREST,
    KEYWORDS,
    LOOK,
    NEWEST,
    OTHER_HAN,
    PARTS,
    PINYIN,
    STATUS,
    STOCK,
    TITLE,
    TITLE_HAN,
    UNITS,
    WITHOUT_PRICE,
    attribute_value,
    category_value,
    cheapest_field,
    price_field,
    words_of,
)
from models import (
    Attribute,
    AttributeValue,
    Category,
    CurrencyCode,
    Price,
    Product,
    ProductAttribute,
    ProductSales,
    Translations,
    Variant,
    is_available,
)
from models.base import JsonObject
from models.sql.batches import in_batches
from text import han_characters, normalize_code, pinyin_terms, split_parts, split_terms, strip_html
from text.facet_values import write_number
from text.pinyin import pinyin_of
from text.title_heads import find_heads, look_of

INLINE_LIMIT = 10
"""Products that are analyzed without another thread."""

TERMS_LIMIT = 2_000
"""Terms of one field that are indexed."""

KIND_OF_THING = "type"
"""In the code of an attribute: its values say what a product is."""

USED_WITH = ("device", "compatib", "supported", "suitable", "recommended")
"""In the code of an attribute: its values say what a product is used with, whatever type they are of."""

DESCRIPTION_LENGTH = 40
"""Characters up to which the value of an attribute is one that a title may have, too."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ProductValues(NamedTuple):
    """The values of the attributes of a product: as texts to search in, all as filters give them, and those
    that facets count.
    """

    texts: list[str]
    all: list[str]
    choices: list[str]
    descriptions: list[str]
    """Short texts that say what it is like, such as its material, and not what it is."""


class IndexedVariant(NamedTuple):
    """What a variant is found by."""

    options: Sequence[JsonObject]
    sku: str | None
    barcode: str | None


class CategoryNames(NamedTuple):
    """A category with those above it: how they are counted, and their names in all languages."""

    values: list[str]
    names: list[str]
    own: list[str]
    """Those of the category itself."""


NO_CATEGORY = CategoryNames([], [], [])
NO_PRICES: Mapping[str, list[int]] = {
    name: numbers
    for currency in CurrencyCode
    for name, numbers in (
        (price_field(currency), []),
        (cheapest_field(currency, descending=False), [WITHOUT_PRICE]),
        (cheapest_field(currency, descending=True), [-1]),
    )
}


async def load_documents(session: AsyncSession, product_ids: Collection[int]) -> list[IndexDocument]:
    """The documents of these products; those that are no more are left out."""
    statement = (
        select(Product, ProductSales.units, ProductSales.interest)
        .outerjoin(ProductSales, ProductSales.product_id == Product.id)
        .where(Product.id.in_(product_ids))
        .order_by(Product.id)
    )
    products = [
        (row.Product, {UNITS: [row.units or 0], INTEREST: [row.interest or 0]})
        for row in await session.execute(statement)
    ]
    categories = await _load_categories(session, {row.category_id for row, _ in products if row.category_id})
    variants = await _load_variants(session, product_ids)
    values = await _load_values(session, product_ids)
    prices = await _load_prices(session, product_ids)
    available = set(
        await session.scalars(
            select(Variant.product_id)
            .where(Variant.product_id.in_(product_ids), Variant.archived_at.is_(None), is_available())
            .distinct()
        )
    )

    def analyze() -> list[IndexDocument]:
        return [
            make_document(
                row,
                categories.get(row.category_id or 0, NO_CATEGORY),
                variants.get(row.id, ()),
                values.get(row.id, ProductValues([], [], [], [])),
                {**price_numbers(prices.get(row.id, {})), **figures},
                in_stock=row.id in available,
            )
            for row, figures in products
        ]

    # a few milliseconds each: requests are answered meanwhile
    return analyze() if len(products) <= INLINE_LIMIT else await asyncio.to_thread(analyze)


def make_document(
    row: Product,
    category: CategoryNames,
    variants: Sequence[IndexedVariant],
    values: ProductValues,
    numbers: Mapping[str, list[int]],
    *,
    in_stock: bool,
) -> IndexDocument:
    titles = in_all_languages(row.title, row.translations, "title")
    descriptions = [
        strip_html(text) for text in in_all_languages(row.description, row.translations, "description")
    ]
    options = dict.fromkeys(
        value
        for variant in variants
        for option in variant.options
        for value in in_all_languages(option["value"], option.get("translations", {}), "value")
    )
    keywords = [row.brand, row.product_type, *row.tags, *category.names, *options]
    kinds = split_terms([*category.own, row.product_type])
    described = set(split_terms([*options, *values.descriptions])).difference(kinds)
    codes = dict.fromkeys(text for variant in variants for text in (variant.sku, variant.barcode) if text)
    title_terms = split_terms(titles)
    keyword_terms = split_terms(keywords)
    code_terms = split_terms([*codes, *map(normalize_code, codes)])
    description_terms = split_terms(descriptions, keep_words=False)[:TERMS_LIMIT]
    value_terms = split_terms(values.texts, keep_words=False)[:TERMS_LIMIT]
    pinyin = pinyin_terms([*titles, *keywords])
    title_han = han_characters(titles)
    other_han = han_characters([*keywords, *descriptions, *values.texts])[:TERMS_LIMIT]
    texts = {
        TITLE: title_terms,
        KEYWORDS: keyword_terms,
        DESCRIPTION: description_terms,
        ATTRIBUTES: value_terms,
        PINYIN: pinyin,
        CODE_PARTS: code_terms,
        PARTS: split_parts([*titles, *keywords]),
        HEADS: heads_of([*titles, *category.own, row.product_type], row.brand, described),
        TITLE_HAN: title_han,
        OTHER_HAN: other_han,
    }
    return IndexDocument(
        id=row.id,
        texts={name: " ".join(terms) for name, terms in texts.items()},
        keywords={
            STATUS: (row.status.value,),
            BRAND: (row.brand,) if row.brand else (),
            CATEGORY: category.values,
            **{level: (value,) for level, value in zip(CATEGORY_LEVELS, category.values, strict=False)},
            ATTRIBUTE: values.all,
            CHOICE: values.choices,
            CODE: list(map(normalize_code, codes)),
            STOCK: (IN_STOCK,) if in_stock else (),
        },
        numbers={
            NEWEST: [((row.published_at or row.created_at) - EPOCH) // MICROSECOND],
            LOOK: [look_of(f"{row.brand} {row.title}", described)],
            **numbers,
        },
        words=words_of(texts, without={HEADS}),
        # what a product is about: descriptions are known by stems only, which nobody has written
        typed=words_of(texts, without={HEADS, CODE_PARTS, DESCRIPTION, ATTRIBUTES}),
    )


def heads_of(titles: Sequence[str], brand: str, described: Collection[str]) -> list[str]:
    heads = [head for title in titles for head in find_heads(title, brand=brand, values=described)]
    pinyin = (whole for head in heads for whole in pinyin_of(head)[:1])
    return list(dict.fromkeys([*heads, *pinyin]))


def price_numbers(prices: Mapping[CurrencyCode, Sequence[int]]) -> dict[str, list[int]]:
    numbers = dict(NO_PRICES)
    for currency, amounts in prices.items():
        numbers[price_field(currency)] = list(amounts)
        numbers[cheapest_field(currency, descending=False)] = [min(amounts, default=WITHOUT_PRICE)]
        numbers[cheapest_field(currency, descending=True)] = [min(amounts, default=-1)]
    return numbers


def in_all_languages(text: str, translations: Translations, field: str) -> list[str]:
    return [text, *(texts[field] for texts in translations.values() if field in texts)]


async def _load_categories(
    session: AsyncSession, category_ids: Collection[int]
) -> Mapping[int, CategoryNames]:
    rows = (await session.scalars(select(Category).where(Category.id.in_(category_ids)))).all()
    above = {each for row in rows for each in row.path_ids}
    by_id = {row.id: row for row in await session.scalars(select(Category).where(Category.id.in_(above)))}
    return {
        row.id: CategoryNames(
            [category_value(by_id[each].path) for each in row.path_ids],
            [
                name
                for each in row.path_ids
                for name in in_all_languages(by_id[each].name, by_id[each].translations, "name")
            ],
            in_all_languages(row.name, row.translations, "name"),
        )
        for row in rows
    }


async def _load_variants(
    session: AsyncSession, product_ids: Collection[int]
) -> Mapping[int, Sequence[IndexedVariant]]:
    found: defaultdict[int, list[IndexedVariant]] = defaultdict(list)
    statement = (
        select(Variant.product_id, Variant.options, Variant.sku, Variant.barcode)
        .where(Variant.product_id.in_(product_ids), Variant.archived_at.is_(None))
        .order_by(Variant.product_id, Variant.position, Variant.id)
    )
    for product_id, options, sku, barcode in await session.execute(statement):
        found[product_id].append(IndexedVariant(options, sku, barcode))
    return found


async def _load_prices(
    session: AsyncSession, product_ids: Collection[int]
) -> Mapping[int, Mapping[CurrencyCode, list[int]]]:
    found: defaultdict[int, defaultdict[CurrencyCode, list[int]]] = defaultdict(lambda: defaultdict(list))
    statement = (
        select(Variant.product_id, Price.currency, Price.amount)
        .join(Price, Price.variant_id == Variant.id)
        .where(Variant.product_id.in_(product_ids), Variant.archived_at.is_(None))
    )
    for product_id, currency, amount in await session.execute(statement):
        found[product_id][currency].append(amount)
    return found


async def _load_values(session: AsyncSession, product_ids: Collection[int]) -> Mapping[int, ProductValues]:
    found: defaultdict[int, ProductValues] = defaultdict(lambda: ProductValues([], [], [], []))
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
        )
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .where(ProductAttribute.product_id.in_(product_ids))
        .order_by(ProductAttribute.product_id, Attribute.code, ProductAttribute.position)
    )
    rows = (await session.execute(statement)).all()
    attributes = await _load_attributes(session, {attribute_id for _, attribute_id, *_ in rows})
    names = await _load_value_names(session, {value_id for _, _, value_id, *_ in rows if value_id})
    for product_id, attribute_id, value_id, number, boolean, text, day in rows:
        code, filterable, is_description = attributes[attribute_id]
        value, texts = names[value_id] if value_id else (None, [text or ""])
        values = found[product_id]
        values.texts.extend(texts)
        if is_description:
            values.descriptions.extend(text for text in texts if len(text) <= DESCRIPTION_LENGTH)
        choice = attribute_value(
            code, write_choice(value=value, number=number, boolean=boolean, day=day, text=text)
        )
        values.all.append(choice)
        if filterable:
            values.choices.append(choice)
    return found


async def _load_attributes(
    session: AsyncSession, attribute_ids: Collection[int]
) -> Mapping[int, tuple[str, bool, bool]]:
    """Code, whether facets count its values, and whether they say what a product is like."""
    statement = select(Attribute.id, Attribute.code, Attribute.filterable)
    return {
        id: (
            code,
            filterable,
            KIND_OF_THING not in code or any(each in code for each in USED_WITH),
        )
        for batch in in_batches(attribute_ids)
        for id, code, filterable in await session.execute(statement.where(Attribute.id.in_(batch)))
    }


async def _load_value_names(
    session: AsyncSession, value_ids: Collection[int]
) -> Mapping[int, tuple[str, list[str]]]:
    """Code, and names in all languages."""
    statement = select(
        AttributeValue.id, AttributeValue.code, AttributeValue.name, AttributeValue.translations
    )
    return {
        id: (code, in_all_languages(name, translations, "name"))
        for batch in in_batches(value_ids)
        for id, code, name, translations in await session.execute(
            statement.where(AttributeValue.id.in_(batch))
        )
    }


def write_choice(
    *, value: str | None, number: Decimal | None, boolean: bool | None, day: date | None, text: str | None
) -> str:
    """The one value that is set, as filters give it."""
    if value is not None:
        return value
    if number is not None:
        return write_number(number)
    if boolean is not None:
        return "true" if boolean else "false"
    return day.isoformat() if day else text or ""
