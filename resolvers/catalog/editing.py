"""Mutations of the catalogue: products, variants, categories, attributes and the import of product files."""

from dataclasses import replace

import strawberry

from domain.catalog.csv import ImportResult, import_file, read_products
from domain.catalog.problems import FileProblem
from domain.catalog.product import (
    archive_product,
    archive_variant,
    create_product,
    publish_product,
    save_variant,
    update_product,
)
from domain.catalog.taxonomy import save_attribute, save_category
from domain.errors import Invalid
from models import Attribute, Category, CurrencyCode, Product, Variant
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.catalog import (
    AttributeSaveInput,
    CategorySaveInput,
    ProductCreateInput,
    ProductUpdateInput,
    VariantInput,
)
from resolvers.picture import store_picture, store_variant_picture


async def product_create(info: Info, input: ProductCreateInput) -> Product:
    """Adds a product as a draft; `productPublish` lets customers see it."""
    draft = input.draft()
    draft = replace(
        draft,
        pictures=tuple(store_picture(info.context, each) for each in draft.pictures),
        variants=tuple(store_variant_picture(info.context, each) for each in draft.variants),
    )
    async with info.context.transaction() as session:
        return await create_product(
            session,
            draft,
            category_id=optional_id(input.category_id, "Category", "category_id"),
            cause=info.context.cause,
        )


async def product_update(info: Info, input: ProductUpdateInput) -> Product:
    """Changes a product; what is left out or null stays as it is."""
    changes = input.changes()
    if changes.pictures is not None:
        pictures = tuple(store_picture(info.context, each) for each in changes.pictures)
        changes = replace(changes, pictures=pictures)
    async with info.context.transaction() as session:
        return await update_product(
            session,
            row_id(input.id, "Product"),
            changes,
            category_id=optional_id(input.category_id, "Category", "category_id"),
            version=input.version,
            cause=info.context.cause,
        )


async def product_publish(
    info: Info, id: strawberry.ID, version: int | None = None, unlisted: bool = False
) -> Product:
    """Publishes a product that has a variant with a price, so that customers see it and can buy it.

    id: the product
    version: the version you have read; CONFLICT when somebody changed the product since
    unlisted: true to show it only to those who have its link: no list and no search has it
    """
    async with info.context.transaction() as session:
        return await publish_product(
            session, row_id(id, "Product"), unlisted=unlisted, version=version, cause=info.context.cause
        )


async def product_archive(info: Info, id: strawberry.ID, version: int | None = None) -> Product:
    """Takes a product off sale; orders that contain it do not change.

    id: the product
    version: the version you have read; CONFLICT when somebody changed the product since
    """
    async with info.context.transaction() as session:
        return await archive_product(
            session, row_id(id, "Product"), version=version, cause=info.context.cause
        )


async def variant_save(
    info: Info,
    product_id: strawberry.ID,
    variant: VariantInput,
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> Variant:
    """Adds a variant or replaces one; an archived one is on sale again.

    product_id: the product
    variant: the whole variant; its stock is changed by `stockAdjust`
    id: the variant to replace; without it a new one is added
    version: the version of the product you have read, needed with `id`; CONFLICT when somebody changed it
    """
    require_version(id, version)
    async with info.context.transaction() as session:
        return await save_variant(
            session,
            row_id(product_id, "Product", field=("product_id",)),
            store_variant_picture(info.context, variant.draft(("variant",))),
            variant_id=optional_id(id, "Variant", "id"),
            version=version,
            cause=info.context.cause,
        )


async def variant_archive(
    info: Info, product_id: strawberry.ID, id: strawberry.ID, version: int | None = None
) -> Variant:
    """Takes a variant off sale; orders that contain it do not change.

    product_id: the product
    id: the variant
    version: the version of the product you have read; CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await archive_variant(
            session,
            row_id(product_id, "Product", field=("product_id",)),
            row_id(id, "Variant"),
            version=version,
            cause=info.context.cause,
        )


async def category_save(info: Info, input: CategorySaveInput) -> Category:
    """Adds a category or changes one; with another parent, everything below it moves along."""
    require_version(input.id, input.version)
    draft = input.draft()
    async with info.context.transaction() as session:
        return await save_category(
            session,
            draft,
            category_id=optional_id(input.id, "Category", "id"),
            version=input.version,
        )


async def attribute_save(info: Info, input: AttributeSaveInput) -> Attribute:
    """Adds an attribute or changes one; the values that products have of it must still be allowed."""
    require_version(input.id, input.version)
    draft = input.draft()
    async with info.context.transaction() as session:
        return await save_attribute(
            session,
            draft,
            attribute_id=optional_id(input.id, "Attribute", "id"),
            version=input.version,
        )


async def products_import(
    info: Info,
    content: str,
    file_name: str = "products.csv",
    currency: CurrencyCode | None = None,
    dry_run: bool = False,
) -> ImportResult:
    """Imports a product file in Shopify's CSV format, either the whole file or nothing.

    Large files, in any Chinese encoding, go to `POST /products.csv`; `GET /products.csv` exports everything.

    content: the text of the file
    file_name: the name of the file in the list of problems
    currency: the currency of prices without one; the viewer's own when left out
    dry_run: true to learn what would happen without changing anything
    """
    data = content.encode(errors="surrogatepass")
    reading = read_products(data, file=file_name, currency=currency or info.context.viewer.currency)
    async with info.context.transaction() as session:
        return await import_file(
            session,
            reading,
            cause=info.context.cause,
            dry_run=dry_run,
        )


def optional_id(id: str | None, type_name: str, field: str) -> int | None:
    return None if id is None else row_id(id, type_name, field=(field,))


def require_version(id: str | None, version: int | None) -> None:
    """Raises Invalid where an existing row would be changed without the version the caller has read."""
    if id is not None and version is None:
        raise Invalid("Say which version you have read.", field=("version",))


def problem_reason(root: FileProblem, info: Info) -> str:
    """What is wrong, or how it was interpreted."""
    return info.context.viewer_of(info).text_of(root.reason)
