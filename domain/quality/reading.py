"""Reading the catalogue for its assessment: ten statements, however many products there are."""

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from html import unescape

from sqlalchemy import BigInteger, cast, exists, func, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.quality.facts import (
    AttributeFacts,
    CatalogueFacts,
    PictureFacts,
    ProductFacts,
    UnreachablePicture,
    VariantFacts,
)
from domain.quality.picture_checks import count_unreachable
from models import (
    Attribute,
    Category,
    CategoryAttribute,
    Media,
    Order,
    OrderLine,
    OrderStatus,
    Price,
    Product,
    ProductAttribute,
    ProductDay,
    ProductMedia,
    ProductStatus,
    StockLevel,
    Variant,
)
from models.sql.types import AnySelect

RECENT = timedelta(days=90)
"""The time whose views and sales count."""

TEXT_LIMIT = 2_000
"""Characters of a description that are read: enough to know whether it has any text."""

TAG = re.compile(r"<[^>]*>?")


async def read_catalogue(
    session: AsyncSession, *, now: datetime, with_picture_checks: bool = False
) -> CatalogueFacts:
    """Products that are not archived, with their variants, prices, pictures and attributes.

    `with_picture_checks`: and with what checks of their pictures have found out, by one statement more.
    """
    categories = (await session.execute(select(Category.id, Category.path, Category.name))).all()
    paths = {row.id: row.path for row in categories}
    products = {
        row.id: ProductFacts(
            id=row.id,
            slug=row.slug,
            title=row.title,
            text=plain_text(row.text),
            brand=row.brand,
            product_type=row.product_type,
            category_ids=parse_path(paths.get(row.category_id, "")),
            translations=row.translations,
        )
        for row in await session.execute(select_products())
    }
    await read_variants(session, products)
    for row in await session.execute(select_pictures()):
        products[row.product_id].pictures.append(PictureFacts(row.url, row.fingerprint))
    if with_picture_checks:
        await read_unreachable_pictures(session, products)
    attributes = await read_attributes(session, products)
    required: defaultdict[int, list[int]] = defaultdict(list)
    for category_attribute in await session.scalars(
        select(CategoryAttribute)
        .join(Attribute, Attribute.id == CategoryAttribute.attribute_id)
        .where(CategoryAttribute.required, Attribute.archived_at.is_(None))
    ):
        required[category_attribute.category_id].append(category_attribute.attribute_id)
    await read_trade(session, products, now - RECENT)
    return CatalogueFacts(
        list(products.values()), attributes, required, {row.id: row.name for row in categories}
    )


def select_products() -> AnySelect:
    return (
        select(
            Product.id,
            Product.slug,
            Product.title,
            func.substr(Product.description, 1, TEXT_LIMIT).label("text"),
            Product.brand,
            Product.product_type,
            Product.category_id,
            Product.translations,
        )
        .where(Product.status != ProductStatus.ARCHIVED)
        .order_by(Product.id)
    )


async def read_variants(session: AsyncSession, products: dict[int, ProductFacts]) -> None:
    """Adds the variants on sale to their products, with prices and units on hand."""
    stock = (
        select(StockLevel.variant_id, cast(func.sum(StockLevel.on_hand), BigInteger).label("on_hand"))
        .group_by(StockLevel.variant_id)
        .subquery()
    )
    statement = (
        select(Variant, func.coalesce(stock.c.on_hand, 0))
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(stock, stock.c.variant_id == Variant.id)
        .where(Product.status != ProductStatus.ARCHIVED, Variant.archived_at.is_(None))
        .order_by(Variant.product_id, Variant.position)
    )
    variants: dict[int, VariantFacts] = {}
    for variant, on_hand in await session.execute(statement):
        facts = VariantFacts(
            id=variant.id,
            name=variant.name,
            sku=variant.sku,
            barcode=variant.barcode,
            weight_grams=variant.weight_grams,
            requires_shipping=variant.requires_shipping,
            options=variant.options,
            on_hand=on_hand,
        )
        variants[variant.id] = facts
        products[variant.product_id].variants.append(facts)
    prices = await session.execute(
        select(Price.variant_id, Price.currency, Price.amount, Price.compare_at_amount)
    )
    for variant_id, currency, amount, compare_at in prices:
        if variant_id in variants:
            variants[variant_id].prices[currency] = amount, compare_at


def select_pictures() -> AnySelect:
    return (
        select(ProductMedia.product_id, Media.url, Media.fingerprint)
        .join(Media, Media.id == ProductMedia.media_id)
        .join(Product, Product.id == ProductMedia.product_id)
        .where(Product.status != ProductStatus.ARCHIVED)
        .order_by(ProductMedia.product_id, ProductMedia.position)
    )


async def read_unreachable_pictures(session: AsyncSession, products: dict[int, ProductFacts]) -> None:
    """Adds the pictures that cannot be reached to their products, whose variants have been read."""
    for row in await session.execute(select_unreachable_pictures()):
        product = products[row.product_id]
        labels = [f"variants.{each.label}" for each in product.variants if each.id == row.variant_id]
        field = ".".join([*labels, "media"] if labels else ["media", str(row.position)])
        product.unreachable.append(UnreachablePicture(row.url, row.check_fault, field))


def select_unreachable_pictures() -> AnySelect:
    """Pictures that cannot be reached: of products, by position, and of variants whose products lack them."""
    of_products = (
        select(
            ProductMedia.product_id,
            Media.url,
            Media.check_fault,
            ProductMedia.position,
            null().label("variant_id"),
        )
        .join(Media, Media.id == ProductMedia.media_id)
        .join(Product, Product.id == ProductMedia.product_id)
        .where(Product.status != ProductStatus.ARCHIVED, Media.unreachable_since.is_not(None))
    )
    same = exists().where(ProductMedia.product_id == Variant.product_id, ProductMedia.media_id == Media.id)
    of_variants = (
        select(
            Variant.product_id,
            Media.url,
            Media.check_fault,
            null().label("position"),
            Variant.id,
        )
        .join(Media, Media.id == Variant.media_id)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Product.status != ProductStatus.ARCHIVED,
            Variant.archived_at.is_(None),
            Media.unreachable_since.is_not(None),
            ~same,
        )
    )
    return select(union_all(of_products, of_variants).subquery())


async def read_attributes(
    session: AsyncSession, products: dict[int, ProductFacts]
) -> dict[int, AttributeFacts]:
    """All attributes by id; adds the values of products to the products."""
    rows = await session.scalars(select(Attribute))
    attributes = {row.id: AttributeFacts(row.id, row.code, row.name, row.type, row.unit) for row in rows}
    values = await session.execute(
        select(
            ProductAttribute.product_id,
            ProductAttribute.attribute_id,
            ProductAttribute.number,
            ProductAttribute.text,
        ).order_by(ProductAttribute.product_id, ProductAttribute.attribute_id, ProductAttribute.position)
    )
    for product_id, attribute_id, number, text in values:
        if product_id in products:
            value = text if number is None else float(number)
            products[product_id].attribute_values.setdefault(attribute_id, []).append(value)
    return attributes


async def read_trade(session: AsyncSession, products: dict[int, ProductFacts], since: datetime) -> None:
    """Adds the views and sales since then to the products."""
    for product_id, views in await session.execute(select_views(since.date())):
        if product_id in products:
            products[product_id].views = views
    amount = OrderLine.unit_amount * OrderLine.quantity - OrderLine.discount_amount
    amount = amount - OrderLine.cancelled_amount
    sold = await session.execute(
        select(
            OrderLine.product_id,
            OrderLine.currency,
            cast(func.sum(OrderLine.quantity - OrderLine.cancelled), BigInteger),
            cast(func.sum(amount), BigInteger),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.product_id, OrderLine.currency)
    )
    for product_id, currency, units, revenue in sold:
        if product_id in products:
            products[product_id].sold[currency] = units, revenue


def select_views(day: date) -> AnySelect:
    views = cast(func.sum(ProductDay.views), BigInteger)
    return select(ProductDay.product_id, views).where(ProductDay.day >= day).group_by(ProductDay.product_id)


def plain_text(html: str) -> str:
    """The text of an HTML description."""
    return " ".join(unescape(TAG.sub(" ", html)).split())


def parse_path(path: str) -> tuple[int, ...]:
    return tuple(int(part) for part in path.split("/") if part)


async def catalogue_state(session: AsyncSession) -> tuple[object, ...]:
    """Values that change with every change of a product, of the attributes categories require, or of which
    pictures can be reached."""
    products = select(
        func.count(Product.id), func.max(Product.updated_at), func.sum(Product.version)
    ).add_columns(
        select(func.count()).select_from(CategoryAttribute).scalar_subquery(),
        select(func.count()).select_from(Variant).scalar_subquery(),
        *count_unreachable(),
    )
    return tuple((await session.execute(products)).one())
