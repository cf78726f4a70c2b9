"""The table of text fields: each of its rows is imported, exported, limited, edited and merged."""

import dataclasses
from dataclasses import replace

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.types import get_object_definition

from domain.catalog.csv import CsvWriter, columns_of, export_products, import_file, read_products
from domain.catalog.product import (
    PRODUCT_TEXTS,
    TRANSLATED_TEXTS,
    VARIANT_TEXTS,
    ProductChanges,
    ProductDraft,
    TextField,
    VariantDraft,
    create_product,
    product_texts_of,
    save_product,
    save_variant,
    update_product,
    variant_texts_of,
    with_product_texts,
    with_variant_texts,
)
from domain.catalog.product.html import HTML_LIMIT
from domain.cause import Cause
from domain.errors import Invalid
from events.shop import Shop
from models import CurrencyCode, Product, ProductStatus, Variant
from resolvers.inputs.catalog import ProductCreateInput, ProductUpdateInput, VariantInput
from resolvers.inputs.catalog.product import ProductTranslationInput
from schema.catalog import Product as ProductType
from schema.catalog import Variant as VariantType
from tests.factories.catalog import NOW

CNY = CurrencyCode.CNY
BY_STAFF = Cause(NOW)
TEXTS = [(name, text, False) for name, text in PRODUCT_TEXTS.items()]
TEXTS += [(name, text, True) for name, text in VARIANT_TEXTS.items()]
OPTIONAL_TEXTS = [each for each in TEXTS if not each[1].required]
"""Those whose column a file may lack."""
LAMP = with_product_texts(
    ProductDraft(
        slug="lamp",
        category_path=("Lamps",),
        status=ProductStatus.DRAFT,
        variants=(with_variant_texts(VariantDraft(), {name: f"V {name}" for name in VARIANT_TEXTS}),),
        translations={"en": {name: f"English {name}" for name in TRANSLATED_TEXTS}},
    ),
    {name: f"P {name}" for name in PRODUCT_TEXTS},
)
"""A product with all its texts."""


async def import_text(shop: Shop, data: bytes) -> list[str]:
    """Import a file; the reasons of its problems."""
    parsed = read_products(data, file="products.csv", currency=CNY)
    async with shop.database.writes.begin() as session:
        result = await import_file(session, parsed, cause=BY_STAFF)
        return [f"{problem.column}: {problem.reason}" for problem in result.problems]


async def export_drafts(shop: Shop) -> list[ProductDraft]:
    async with shop.database.reads() as session:
        return [draft async for batch in export_products(session) for draft in batch]


def write_file(*drafts: ProductDraft) -> bytes:
    writer = CsvWriter(columns_of(drafts, CNY), currency=CNY)
    return writer.header() + writer.rows(drafts)


def with_text(draft: ProductDraft, name: str, value: str, *, of_variant: bool) -> ProductDraft:
    if not of_variant:
        return with_product_texts(draft, {name: value})
    return replace(draft, variants=tuple(with_variant_texts(each, {name: value}) for each in draft.variants))


async def test_every_text_survives_import_export_and_import_again(shop: Shop) -> None:
    assert await import_text(shop, write_file(LAMP)) == []
    (exported,) = await export_drafts(shop)
    async with shop.database.reads() as session:
        product = (await session.scalars(select(Product))).one()
        variant = (await session.scalars(select(Variant))).one()

    assert await import_text(shop, write_file(exported)) == []

    assert await export_drafts(shop) == [exported] == [LAMP]
    assert product.version == 1
    assert product_texts_of(product) == {name: f"P {name}" for name in PRODUCT_TEXTS}
    assert variant_texts_of(variant) == {name: f"V {name}" for name in VARIANT_TEXTS}


@pytest.mark.parametrize(("name", "text", "of_variant"), TEXTS, ids=[name for name, *_ in TEXTS])
async def test_every_text_is_limited_in_files_and_forms(
    shop: Shop, session: AsyncSession, name: str, text: TextField, of_variant: bool
) -> None:
    longest = HTML_LIMIT if text.html else text.limit
    too_long = with_text(LAMP, name, "x" * (longest + 1), of_variant=of_variant)
    reason = f"{text.column}: has {longest + 1:,} characters; at most {longest:,} are taken"

    assert await import_text(shop, write_file(too_long)) == [reason]
    with pytest.raises(Invalid) as refused:
        await create_product(session, too_long, category_id=None, cause=BY_STAFF)
    await session.commit()

    assert refused.value.field == (("variants", 0, name) if of_variant else (name,))
    assert await export_drafts(shop) == []


@pytest.mark.parametrize(
    ("name", "text", "of_variant"), OPTIONAL_TEXTS, ids=[name for name, *_ in OPTIONAL_TEXTS]
)
async def test_every_text_is_kept_by_a_file_without_its_column(
    shop: Shop, session: AsyncSession, name: str, text: TextField, of_variant: bool
) -> None:
    await save_product(session, LAMP, cause=BY_STAFF)
    await session.commit()
    table = write_file(with_text(LAMP, name, "", of_variant=of_variant)).decode().splitlines()
    at = table[0].split(",").index(text.column)
    without_column = "\n".join(",".join(row.split(",")[:at] + row.split(",")[at + 1 :]) for row in table)

    assert await import_text(shop, without_column.encode()) == []

    assert await export_drafts(shop) == [LAMP]


@pytest.mark.parametrize("name", PRODUCT_TEXTS)
async def test_every_text_of_a_product_can_be_edited(shop: Shop, session: AsyncSession, name: str) -> None:
    product = (await save_product(session, LAMP, cause=BY_STAFF)).product
    changes = ProductChanges(texts={name: "New"})
    await update_product(session, product.id, changes, category_id=None, version=1, cause=BY_STAFF)
    await session.commit()

    assert await export_drafts(shop) == [with_product_texts(LAMP, {name: "New"})]


@pytest.mark.parametrize("name", VARIANT_TEXTS)
async def test_every_text_of_a_variant_can_be_edited(shop: Shop, session: AsyncSession, name: str) -> None:
    product = (await save_product(session, LAMP, cause=BY_STAFF)).product
    variant = (await session.scalars(select(Variant))).one()
    draft = with_variant_texts(LAMP.variants[0], {name: "New"})
    await save_variant(session, product.id, draft, variant_id=variant.id, version=1, cause=BY_STAFF)
    await session.commit()

    assert await export_drafts(shop) == [replace(LAMP, variants=(draft,))]


def test_every_text_has_a_column_an_input_and_a_field() -> None:
    assert set(inspect(Product).columns.keys()) >= PRODUCT_TEXTS.keys()
    assert set(inspect(Variant).columns.keys()) >= VARIANT_TEXTS.keys()
    for input_type, names in (
        (ProductCreateInput, PRODUCT_TEXTS),
        (ProductUpdateInput, PRODUCT_TEXTS),
        (ProductTranslationInput, TRANSLATED_TEXTS),
        (VariantInput, VARIANT_TEXTS),
    ):
        assert {field.name for field in dataclasses.fields(input_type)} >= names.keys()
    for object_type, names in ((ProductType, PRODUCT_TEXTS), (VariantType, VARIANT_TEXTS)):
        shown = get_object_definition(object_type, strict=True).fields
        assert {field.name for field in shown} >= names.keys()
