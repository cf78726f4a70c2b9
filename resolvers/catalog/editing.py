"""What clerks change."""

import strawberry

from domain.catalog.attributes import ValueDraft, save_attribute
from domain.catalog.drafts import ProductDraft
from domain.catalog.files import Import, import_file
from domain.catalog.interchange import read_products
from domain.catalog.product import (
    ProductChanges,
    archive_product,
    archive_variant,
    create_product,
    publish_product,
    save_variant,
    update_product,
)
from domain.catalog.tree import AttributeOfCategory, save_category
from domain.errors import Invalid
from models import Attribute, AttributeType, Category, CurrencyCode, Product, ProductStatus, Variant
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.catalog import (
    AttributeValueInput,
    CategoryAttributeInput,
    NameTranslationInput,
    PictureInput,
    ProductAttributeInput,
    ProductTranslationInput,
    VariantInput,
    drafted_pictures,
    names,
    once,
    said,
    texts,
)


async def product_create(
    info: Info,
    title: str,
    slug: str = "",
    description: str = "",
    brand: str = "",
    product_type: str = "",
    category_id: strawberry.ID | None = None,
    tags: list[str] | None = None,
    seo_title: str = "",
    seo_description: str = "",
    translations: list[ProductTranslationInput] | None = None,
    attributes: list[ProductAttributeInput] | None = None,
    pictures: list[PictureInput] | None = None,
    variants: list[VariantInput] | None = None,
) -> Product:
    """Enter a product as a draft; `productPublish` lets customers see it.

    title: what it is called, in the shop's own language
    slug: its part of the address; made of the title when empty
    description: what it is, as HTML; what could run or restyle a page is taken out
    brand: who makes it
    product_type: what you call its kind; without a category it stands in the one of this name
    category_id: where it stands in the tree
    tags: free words
    seo_title: the title search engines show; empty for its own
    seo_description: the text search engines show
    translations: its texts in other languages
    attributes: its properties
    pictures: its pictures, the main one first
    variants: what can be bought of it
    """
    draft = ProductDraft(
        slug=slug,
        title=title,
        description=description,
        brand=brand,
        product_type=product_type,
        tags=tuple(tags or ()),
        status=ProductStatus.DRAFT,
        seo_title=seo_title,
        seo_description=seo_description,
        translations=texts(translations or []),
        attributes=said(attributes or []),
        pictures=drafted_pictures(pictures or []),
        variants=tuple(each.draft(("variants", index)) for index, each in enumerate(variants or [])),
    )
    async with info.context.transaction() as session:
        return await create_product(
            session,
            draft,
            category_id=given_id(category_id, "Category", "category_id"),
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def product_update(
    info: Info,
    id: strawberry.ID,
    version: int,
    slug: str | None = None,
    title: str | None = None,
    description: str | None = None,
    brand: str | None = None,
    product_type: str | None = None,
    category_id: strawberry.ID | None = None,
    tags: list[str] | None = None,
    seo_title: str | None = None,
    seo_description: str | None = None,
    translations: list[ProductTranslationInput] | None = None,
    attributes: list[ProductAttributeInput] | None = None,
    pictures: list[PictureInput] | None = None,
) -> Product:
    """Change a product; what is left out or null stays as it is.

    id: which product
    version: the version you have read; CONFLICT when somebody changed it since
    slug: its part of the address; the one it had leads to it still
    title: what it is called
    description: what it is, as HTML
    brand: who makes it
    product_type: what you call its kind
    category_id: where it stands in the tree
    tags: free words, all of them
    seo_title: the title search engines show
    seo_description: the text search engines show
    translations: its texts in other languages, all of them
    attributes: its properties, all of them
    pictures: its pictures, all of them, the main one first
    """
    changes = ProductChanges(
        slug=slug,
        title=title,
        description=description,
        brand=brand,
        product_type=product_type,
        tags=None if tags is None else tuple(tags),
        seo_title=seo_title,
        seo_description=seo_description,
        translations=None if translations is None else texts(translations),
        attributes=None if attributes is None else said(attributes),
        pictures=None if pictures is None else drafted_pictures(pictures),
    )
    async with info.context.transaction() as session:
        return await update_product(
            session,
            row_id(id, "Product"),
            changes,
            category_id=given_id(category_id, "Category", "category_id"),
            version=version,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def product_publish(info: Info, id: strawberry.ID, version: int | None = None) -> Product:
    """Let customers see and buy a product that has a variant with a price.

    id: which product
    version: the version you have read, to be told CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await publish_product(
            session, row_id(id, "Product"), version=version, now=info.context.now, by=info.context.viewer.id
        )


async def product_archive(info: Info, id: strawberry.ID, version: int | None = None) -> Product:
    """Sell a product no more; orders that have it are not touched.

    id: which product
    version: the version you have read, to be told CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await archive_product(
            session, row_id(id, "Product"), version=version, now=info.context.now, by=info.context.viewer.id
        )


async def variant_save(
    info: Info,
    product_id: strawberry.ID,
    variant: VariantInput,
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> Variant:
    """Add a variant, or make one what it shall be; an archived one is sold again.

    product_id: of which product
    variant: all of it as it shall be; how many there are is changed by `stockAdjust`
    id: which variant; a new one without it
    version: the version of the product you have read, needed with `id`; CONFLICT when somebody changed it
    """
    require_version(id, version)
    async with info.context.transaction() as session:
        return await save_variant(
            session,
            row_id(product_id, "Product", field=("product_id",)),
            variant.draft(("variant",)),
            variant_id=given_id(id, "Variant", "id"),
            version=version,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def variant_archive(
    info: Info, product_id: strawberry.ID, id: strawberry.ID, version: int | None = None
) -> Variant:
    """Sell a variant no more; orders that have it are not touched.

    product_id: of which product
    id: which variant
    version: the version of the product you have read, to be told CONFLICT when somebody changed it since
    """
    async with info.context.transaction() as session:
        return await archive_variant(
            session,
            row_id(product_id, "Product", field=("product_id",)),
            row_id(id, "Variant"),
            version=version,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def category_save(
    info: Info,
    name: str,
    id: strawberry.ID | None = None,
    slug: str | None = None,
    parent_id: strawberry.ID | None = strawberry.UNSET,
    position: int | None = None,
    translations: list[NameTranslationInput] | None = None,
    attributes: list[CategoryAttributeInput] | None = None,
    version: int | None = None,
) -> Category:
    """Add a category, or make one what it shall be; with another parent it takes all below it along.

    name: what people call it
    id: which category; a new one without it
    slug: its part of the address; made of the name when left out; one it had before leads to it still
    parent_id: the category it belongs to; null for a root; it stays where it is when left out
    position: its place among its sisters; the last when left out
    translations: its name in other languages, all of them
    attributes: what its products are described by, all of it; those below inherit it
    version: the version you have read, needed with `id`; CONFLICT when somebody changed it since
    """
    require_version(id, version)
    stays = parent_id is strawberry.UNSET
    wanted = [
        AttributeOfCategory(
            row_id(each.attribute_id, "Attribute", field=("attributes", index, "attribute_id")), each.required
        )
        for index, each in enumerate(attributes or [])
    ]
    once([str(each.attribute_id) for each in wanted], ("attributes",), "attribute_id")
    async with info.context.transaction() as session:
        return await save_category(
            session,
            category_id=given_id(id, "Category", "id"),
            name=name,
            slug=slug,
            parent_id=None if stays else given_id(parent_id, "Category", "parent_id"),
            stays=stays,
            position=position,
            translations=None if translations is None else names(translations),
            attributes=None if attributes is None else wanted,
            version=version,
        )


async def attribute_save(
    info: Info,
    code: str,
    name: str,
    type: AttributeType,
    id: strawberry.ID | None = None,
    unit: str | None = None,
    filterable: bool = False,
    values: list[AttributeValueInput] | None = None,
    translations: list[NameTranslationInput] | None = None,
    version: int | None = None,
) -> Attribute:
    """Add an attribute, or make one what it shall be; what products say of it must still hold.

    code: what filters and files call it
    name: what people call it
    type: what kind of value it takes
    id: which attribute; a new one without it
    unit: the unit of its numbers
    filterable: whether customers can choose by it
    values: for an ENUM all it allows, in order
    translations: its name in other languages, all of them
    version: the version you have read, needed with `id`; CONFLICT when somebody changed it since
    """
    require_version(id, version)
    drafts = [ValueDraft(each.code, each.name, names(each.translations)) for each in values or []]
    async with info.context.transaction() as session:
        return await save_attribute(
            session,
            attribute_id=given_id(id, "Attribute", "id"),
            code=code,
            name=name,
            type=type,
            unit=unit,
            filterable=filterable,
            values=drafts,
            translations=None if translations is None else names(translations),
            version=version,
        )


async def products_import(
    info: Info,
    content: str,
    file_name: str = "products.csv",
    currency: CurrencyCode | None = None,
    dry_run: bool = False,
) -> Import:
    """Take in a product file in Shopify's CSV format, whole or not at all.

    Large ones, in any spelling of Chinese, go to `POST /products.csv`; `GET /products.csv` gives all.

    content: the text of the file
    file_name: what to call it where problems are told
    currency: the currency of its plain prices; the viewer's own when left out
    dry_run: true to be told what would happen, and to change nothing
    """
    data = content.encode(errors="surrogatepass")
    reading = read_products(data, file=file_name, currency=currency or info.context.viewer.currency)
    async with info.context.transaction() as session:
        return await import_file(
            session,
            reading,
            now=info.context.now,
            by=info.context.viewer.id,
            dry_run=dry_run,
        )


def given_id(id: str | None, type_name: str, field: str) -> int | None:
    return None if id is None else row_id(id, type_name, field=(field,))


def require_version(id: str | None, version: int | None) -> None:
    """Who replaces what somebody else may have written says what they have read."""
    if id is not None and version is None:
        raise Invalid("Say which version you have read.", field=("version",))
