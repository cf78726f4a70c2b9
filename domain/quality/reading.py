"""The catalogue read for looking through: ten statements, however many products there are."""

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.quality.facts import AttributeFacts, Catalogue, PictureFacts, ProductFacts, VariantFacts
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

LATELY = timedelta(days=90)
"""What was looked at and sold within this time is what is at stake."""

TEXT_LIMIT = 2_000
"""Characters of a description: enough to know whether there are words in it."""

TAG = re.compile(r"<[^>]*>?")


async def read_catalogue(session: AsyncSession, *, now: datetime) -> Catalogue:
    """Products that are not archived, with their variants, prices, pictures and attributes."""
    categories = (await session.execute(select(Category.id, Category.path, Category.name))).all()
    paths = {row.id: row.path for row in categories}
    products = {
        row.id: ProductFacts(
            id=row.id,
            slug=row.slug,
            title=row.title,
            text=words_in(row.text),
            brand=row.brand,
            product_type=row.product_type,
            line=line_of(paths.get(row.category_id, "")),
            translations=row.translations,
        )
        for row in await session.execute(products_wanted())
    }
    await read_variants(session, products)
    for row in await session.execute(pictures_wanted()):
        products[row.product_id].pictures.append(PictureFacts(row.url, row.fingerprint))
    attributes = await read_attributes(session, products)
    required: defaultdict[int, list[int]] = defaultdict(list)
    for said in await session.scalars(select(CategoryAttribute).where(CategoryAttribute.required)):
        required[said.category_id].append(said.attribute_id)
    await read_trade(session, products, now - LATELY)
    return Catalogue(list(products.values()), attributes, required, {row.id: row.name for row in categories})


def products_wanted() -> Select[*tuple[Any, ...]]:
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
    """With their prices and what there is of them."""
    held = (
        select(StockLevel.variant_id, cast(func.sum(StockLevel.on_hand), BigInteger).label("on_hand"))
        .group_by(StockLevel.variant_id)
        .subquery()
    )
    wanted = (
        select(Variant, func.coalesce(held.c.on_hand, 0))
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(held, held.c.variant_id == Variant.id)
        .where(Product.status != ProductStatus.ARCHIVED, Variant.archived_at.is_(None))
        .order_by(Variant.product_id, Variant.position)
    )
    variants: dict[int, VariantFacts] = {}
    for variant, on_hand in await session.execute(wanted):
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


def pictures_wanted() -> Select[*tuple[Any, ...]]:
    return (
        select(ProductMedia.product_id, Media.url, Media.fingerprint)
        .join(Media, Media.id == ProductMedia.media_id)
        .join(Product, Product.id == ProductMedia.product_id)
        .where(Product.status != ProductStatus.ARCHIVED)
        .order_by(ProductMedia.product_id, ProductMedia.position)
    )


async def read_attributes(
    session: AsyncSession, products: dict[int, ProductFacts]
) -> dict[int, AttributeFacts]:
    """Every attribute; what products say goes to the products."""
    rows = await session.scalars(select(Attribute))
    known = {row.id: AttributeFacts(row.id, row.code, row.name, row.type, row.unit) for row in rows}
    said = await session.execute(
        select(
            ProductAttribute.product_id,
            ProductAttribute.attribute_id,
            ProductAttribute.number,
            ProductAttribute.text,
        ).order_by(ProductAttribute.product_id, ProductAttribute.attribute_id, ProductAttribute.position)
    )
    for product_id, attribute_id, number, text in said:
        if product_id in products:
            value = text if number is None else float(number)
            products[product_id].said.setdefault(attribute_id, []).append(value)
    return known


async def read_trade(session: AsyncSession, products: dict[int, ProductFacts], since: datetime) -> None:
    """How often they were looked at and what was sold of them since then."""
    for product_id, views in await session.execute(views_since(since.date())):
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


def views_since(day: date) -> Select[*tuple[Any, ...]]:
    views = cast(func.sum(ProductDay.views), BigInteger)
    return select(ProductDay.product_id, views).where(ProductDay.day >= day).group_by(ProductDay.product_id)


def words_in(html: str) -> str:
    """What a description says, without its mark-up."""
    return " ".join(unescape(TAG.sub(" ", html)).split())


def line_of(path: str) -> tuple[int, ...]:
    return tuple(int(part) for part in path.split("/") if part)


async def state_of_catalogue(session: AsyncSession) -> tuple[object, ...]:
    """What changes with every change of a product or of what categories require."""
    products = select(
        func.count(Product.id), func.max(Product.updated_at), func.sum(Product.version)
    ).add_columns(
        select(func.count()).select_from(CategoryAttribute).scalar_subquery(),
        select(func.count()).select_from(Variant).scalar_subquery(),
    )
    return tuple((await session.execute(products)).one())
