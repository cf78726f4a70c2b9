"""Products of a large shop for `bench.search_scale`: judged and generated ones, as rows and as documents."""

import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bench.search import (
    build_attributes,
    product_draft,
    value_text,
)
from events.shop import Shop
from gateways.search import IndexDocument
from loaders.search import PRODUCTS, load_all_documents
from loaders.search.documents import (
    CategoryNames,
    IndexedVariant,
    ProductValues,
    make_document,
    price_numbers,
)
from loaders.search.fields import INTEREST, UNITS, attribute_value, category_value
from models import AttributeType, CurrencyCode, Product, ProductStatus
from models.sql.batches import in_batches

SEED = 1
ROOTS, LEAVES = 8, 1_000
BRANDS, ATTRIBUTES, VALUES = 300, 4, 12
WORDS, TITLE_WORDS = 5_000, 6
COMMON_WORD, COMMON_SHARE = "zentral", 0.86
PRODUCTS_AT_ONCE = 50_000

VARIANT = {
    "position": 0, "options": "[]", "weight_grams": 0, "weight_unit": "g", "tracked": False,
    "sells_when_out": False, "requires_shipping": True, "taxable": True, "columns": "{}",
}  # fmt: skip


@cache
def generated_words() -> list[str]:
    """Words that no product of a real shop has, in an order of chance."""
    syllables = ["".join(each) for each in product("bdfgklmnprstvz", "aeiou")]
    words = ["".join(each) for each in product(syllables[:18], syllables[20:38], syllables[50:66])]
    random.Random(SEED).shuffle(words)
    return words[:WORDS]


@dataclass(slots=True)
class Generator:
    """Copies generated products into the tables of a database."""

    url: str
    judged: Sequence[Mapping[str, Any]]
    made: int = 0

    async def fill(self, total: int) -> None:
        """Make products until there are so many generated ones."""
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(address)
        try:
            # no triggers: the index is built anew, and every key refers to what is written here
            await connection.execute("SET session_replication_role = replica")
            if not self.made:
                await write_judged(connection, self.judged)
                await write_tree(connection)
            while self.made < total:
                until = min(self.made + PRODUCTS_AT_ONCE, total)
                await write_products(connection, generate(range(self.made, until)))
                self.made = until
            await connection.execute("ANALYZE")
        finally:
            await connection.close()


async def write_judged(connection: asyncpg.Connection, products: Sequence[Mapping[str, Any]]) -> None:
    """The judged products, as `bench.search` saves them."""
    attributes = build_attributes(products)
    ids = {code: at for at, code in enumerate(attributes, start=1)}
    await copy_rows(
        connection,
        "attributes",
        ("id", "code", "name", "type", "filterable"),
        [
            (ids[key], each.code, each.name, each.type.value, each.filterable)
            for key, each in attributes.items()
        ],
        {"translations": "{}", "version": 0},
    )
    drafts = [(at, each, product_draft(each, attributes)) for at, each in enumerate(products, start=1)]
    await copy_products(
        connection,
        [(at, draft.slug, draft.title, draft.brand, None, draft.description) for at, _, draft in drafts],
    )
    skus = [(at, at, draft.variants[0].sku, draft.variants[0].barcode) for at, _, draft in drafts]
    await copy_rows(connection, "variants", ("id", "product_id", "sku", "barcode"), skus, VARIANT)
    prices = [(at, row["price"]) for at, row, _ in drafts]
    await copy_rows(connection, "prices", ("variant_id", "amount"), prices, {"currency": "USD"})
    values = [
        (at, ids[key], *value_columns(attributes[key].type, value_text(row[key])))
        for at, row, _ in drafts
        for key in row
        if key in attributes
    ]
    columns = ("product_id", "attribute_id", "number", "boolean", "text")
    await copy_rows(connection, "product_attributes", columns, values, {"position": 0})


def value_columns(kind: AttributeType, text: str) -> tuple[Decimal | None, bool | None, str | None]:
    """The value in the column of its type."""
    match kind:
        case AttributeType.NUMBER:
            return Decimal(text), None, None
        case AttributeType.BOOLEAN:
            return None, text == "true", None
    return None, None, text


async def copy_products(connection: asyncpg.Connection, rows: Iterable[Sequence[object]]) -> None:
    await copy_rows(
        connection,
        "products",
        ("id", "slug", "title", "brand", "category_id", "description"),
        rows,
        {
            "product_type": "", "status": "ACTIVE", "tags": "[]", "seo_title": "", "seo_description": "",
            "translations": "{}", "columns": "{}", "version": 1, "created_at": PUBLISHED_AT,
            "updated_at": PUBLISHED_AT, "published_at": PUBLISHED_AT,
        },
    )  # fmt: skip


async def write_tree(connection: asyncpg.Connection) -> None:
    """Categories and attributes, with ids from FIRST_ID on."""
    rows: list[Sequence[object]] = [
        (FIRST_ID + at, None, f"root-{at}", f"Root {at}", f"/{FIRST_ID + at}/", 0) for at in range(ROOTS)
    ]
    for at in range(LEAVES):
        above, own = FIRST_ID + at % ROOTS, leaf_id(at)
        rows.append((own, above, f"leaf-{at}", f"Leaf {at}", f"/{above}/{own}/", 1))
    await copy_rows(
        connection,
        "categories",
        ("id", "parent_id", "slug", "name", "path", "depth"),
        rows,
        {"position": 0, "translations": "{}", "version": 0},
    )
    await copy_rows(
        connection,
        "attributes",
        ("id", "code", "name"),
        [(FIRST_ID + at, f"generated_{at}", f"Generated {at}") for at in range(ATTRIBUTES)],
        {"type": "TEXT", "filterable": True, "translations": "{}", "version": 0},
    )


PUBLISHED_AT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_ID = 10_000_000
"""Ids of generated rows are above those of the judged ones."""


def leaf_id(at: int) -> int:
    return FIRST_ID + ROOTS + at


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated product."""

    id: int
    title: str
    leaf: int
    amount: int
    values: tuple[str, ...]

    @property
    def brand(self) -> str:
        return f"Brand {self.id % BRANDS}"

    @property
    def sku(self) -> str:
        return f"GEN-{self.id}"


def generate(places: range) -> list[Generated]:
    """The products of these places, the same each time."""
    chance, words = random.Random(), generated_words()
    found = []
    for at in places:
        chance.seed(at)
        title = [*chance.sample(words, TITLE_WORDS), *[COMMON_WORD] * (chance.random() < COMMON_SHARE)]
        values = tuple(f"Value {chance.randrange(VALUES)}" for _ in range(ATTRIBUTES))
        leaf, amount = chance.randrange(LEAVES), chance.randrange(100, 100_000)
        found.append(Generated(FIRST_ID + at, " ".join(title), leaf, amount, values))
    return found


async def write_products(connection: asyncpg.Connection, products: Sequence[Generated]) -> None:
    await copy_products(
        connection,
        [(each.id, f"g-{each.id}", each.title, each.brand, leaf_id(each.leaf), "") for each in products],
    )
    variants = [(each.id, each.id, each.sku) for each in products]
    await copy_rows(connection, "variants", ("id", "product_id", "sku"), variants, VARIANT)
    prices = [(each.id, each.amount) for each in products]
    await copy_rows(connection, "prices", ("variant_id", "amount"), prices, {"currency": "USD"})
    await copy_rows(
        connection,
        "product_attributes",
        ("product_id", "attribute_id", "text"),
        [
            (each.id, FIRST_ID + at, value)
            for each in products
            if each.id < FIRST_ID + PRODUCTS_AT_ONCE
            for at, value in enumerate(each.values)
        ],
        {"position": 0},
    )


def document_of_generated(product: Generated) -> IndexDocument:
    """Its document, made of the same values as if they were read from the tables, without reading them."""
    choices = [attribute_value(f"generated_{at}", value) for at, value in enumerate(product.values)]
    root = FIRST_ID + product.leaf % ROOTS
    paths = (f"/{root}/", f"/{root}/{leaf_id(product.leaf)}/")
    names = [f"Root {product.leaf % ROOTS}", f"Leaf {product.leaf}"]
    prices = {CurrencyCode.USD: [product.amount]}
    return make_document(
        Product(
            id=product.id, title=product.title, description="", brand=product.brand, product_type="", tags=[],
            translations={}, status=ProductStatus.ACTIVE, published_at=PUBLISHED_AT,
        ),
        CategoryNames([category_value(path) for path in paths], names, names[1:]),
        [IndexedVariant([], product.sku, None)],
        ProductValues(list(product.values), choices, choices, list(product.values)),
        {**price_numbers(prices), UNITS: [0], INTEREST: [0]},
        in_stock=True,
    )  # fmt: skip


async def all_documents(shop: Shop, made: int) -> AsyncIterator[Sequence[IndexDocument]]:
    """The judged products from the tables, and the generated ones."""
    async for batch in load_all_documents(shop.database.reads, PRODUCTS):
        if judged := [each for each in batch if each.id < FIRST_ID]:
            yield judged
        if others := batch[len(judged) :]:
            check_documents(others)
            break
    for start in range(0, made, PRODUCTS_AT_ONCE):
        for products in in_batches(generate(range(start, min(start + PRODUCTS_AT_ONCE, made))), 500):
            yield [document_of_generated(each) for each in products]


def check_documents(loaded: Sequence[IndexDocument]) -> None:
    """That what is made without the tables is what is read from them."""
    if [document_of_generated(each) for each in generate(range(len(loaded)))] != list(loaded):
        raise SystemExit("generated products are indexed as they would not be in a shop")


async def copy_rows(
    connection: asyncpg.Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    same: Mapping[str, object],
) -> None:
    """Copy rows into a table; all have the values of `same`."""
    values = tuple(same.values())
    records = [(*row, *values) for row in rows]
    await connection.copy_records_to_table(table, records=records, columns=[*columns, *same])
