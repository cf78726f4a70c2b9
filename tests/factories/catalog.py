"""Creating products, categories and attributes in one call."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product import PRODUCT_TEXTS, ProductDraft, SavedProduct, save_products
from domain.cause import Cause
from domain.stock import ensure_warehouses
from events.shop import Shop
from models import (
    Attribute,
    AttributeType,
    AttributeValue,
    Category,
    CategoryAttribute,
    CurrencyCode,
    Media,
    MovementKind,
    Price,
    Product,
    ProductAttribute,
    ProductMedia,
    ProductStatus,
    StockLevel,
    StockMovement,
    Variant,
)

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)
PRICES = {CurrencyCode.CNY: 9_900}
STOCK = {"MAIN": 10}


async def create_product(
    session: AsyncSession,
    *,
    slug: str | None = None,
    title: str = "Oolong tea",
    description: str = "<p>Picked in spring.</p>",
    brand: str = "Hill Farm",
    category: Category | None = None,
    status: ProductStatus = ProductStatus.ACTIVE,
    tags: Sequence[str] = (),
    translations: Mapping[str, Mapping[str, str]] | None = None,
    pictures: int = 1,
    prices: Mapping[CurrencyCode, int] = PRICES,
    stock: Mapping[str, int] = STOCK,
    sku: str | None = None,
    options: Mapping[str, str] | None = None,
    weight_grams: int = 500,
    tracked: bool = True,
    sells_when_out: bool = False,
    requires_shipping: bool = True,
    now: datetime = NOW,
) -> Product:
    """A product with one variant; prices in minor units, stock by code of the warehouse."""
    texts = {"title": title, "description": description, "brand": brand}
    product = Product(
        **(dict.fromkeys(PRODUCT_TEXTS, "") | texts),
        slug=slug or f"product-{next(NUMBERS)}",
        category_id=category.id if category else None,
        status=status,
        tags=list(tags),
        translations={language: dict(texts) for language, texts in (translations or {}).items()},
        columns={},
        version=0,
        created_at=now,
        updated_at=now,
        published_at=now if status is ProductStatus.ACTIVE else None,
    )
    session.add(product)
    await session.flush()
    for position in range(1, pictures + 1):
        await add_picture(session, product, position=position, now=now)
    await create_variant(
        session,
        product,
        position=1,
        prices=prices,
        stock=stock,
        sku=sku,
        options=options,
        weight_grams=weight_grams,
        tracked=tracked,
        sells_when_out=sells_when_out,
        requires_shipping=requires_shipping,
        now=now,
    )
    return product


async def create_variant(
    session: AsyncSession,
    product: Product,
    *,
    position: int | None = None,
    prices: Mapping[CurrencyCode, int] = PRICES,
    stock: Mapping[str, int] = STOCK,
    sku: str | None = None,
    options: Mapping[str, str] | None = None,
    weight_grams: int = 500,
    tracked: bool = True,
    sells_when_out: bool = False,
    requires_shipping: bool = True,
    now: datetime = NOW,
) -> Variant:
    """One more variant; `options` such as {"Size": "M"}."""
    number = next(NUMBERS)
    variant = Variant(
        product_id=product.id,
        position=position or number,
        sku=sku or f"SKU-{number}",
        options=[{"name": name, "value": value} for name, value in (options or {}).items()],
        weight_grams=weight_grams,
        weight_unit="g",
        tracked=tracked,
        sells_when_out=sells_when_out,
        requires_shipping=requires_shipping,
        taxable=True,
        columns={},
    )
    session.add(variant)
    await session.flush()
    session.add_all(
        Price(variant_id=variant.id, currency=currency, amount=amount) for currency, amount in prices.items()
    )
    await add_stock(session, variant, stock, now=now)
    return variant


async def add_stock(
    session: AsyncSession, variant: Variant, stock: Mapping[str, int], *, now: datetime = NOW
) -> None:
    """Levels of a new variant, by code of the warehouse, with the movements that explain them."""
    warehouses = await ensure_warehouses(session, stock)
    for code, units in stock.items():
        numbers = {"on_hand": units, "reserved": 0, "damaged": 0}
        key = {"variant_id": variant.id, "warehouse_id": warehouses[code].id}
        session.add(StockLevel(**key, **numbers))
        if units:
            received = {"kind": MovementKind.RECEIVED, "reason": "delivered", "created_at": now}
            session.add(StockMovement(**key, **numbers, **received))
    await session.flush()


async def variant_of(session: AsyncSession, product: Product) -> Variant:
    """The first variant of a product."""
    return (
        await session.scalars(
            select(Variant).where(Variant.product_id == product.id).order_by(Variant.position).limit(1)
        )
    ).one()


async def add_picture(
    session: AsyncSession, product: Product, *, position: int = 1, url: str | None = None, now: datetime = NOW
) -> Media:
    media = Media(
        url=url or f"https://pictures.test/{product.slug}-{position}.jpg", alt=product.title, created_at=now
    )
    session.add(media)
    await session.flush()
    session.add(ProductMedia(product_id=product.id, media_id=media.id, position=position))
    await session.flush()
    return media


async def create_category(
    session: AsyncSession, *, name: str = "Tea", slug: str | None = None, parent: Category | None = None
) -> Category:
    category = Category(
        parent_id=parent.id if parent else None,
        slug=slug or f"category-{next(NUMBERS)}",
        name=name,
        path="",
        depth=parent.depth + 1 if parent else 0,
        position=next(NUMBERS),
        translations={},
    )
    session.add(category)
    await session.flush()
    category.path = f"{parent.path if parent else '/'}{category.id}/"
    await session.flush()
    return category


async def create_attribute(
    session: AsyncSession,
    *,
    code: str = "colour",
    type: AttributeType = AttributeType.ENUM,
    values: Sequence[str] = ("red", "blue"),
    unit: str | None = None,
    category: Category | None = None,
    required: bool = False,
) -> Attribute:
    """An attribute; one of type ENUM allows `values`, whose names are their codes with a capital."""
    attribute = Attribute(
        code=code, name=code.capitalize(), type=type, unit=unit, filterable=True, translations={}
    )
    session.add(attribute)
    await session.flush()
    if type is AttributeType.ENUM:
        session.add_all(
            AttributeValue(
                attribute_id=attribute.id,
                code=value,
                name=value.capitalize(),
                position=position,
                translations={},
            )
            for position, value in enumerate(values, start=1)
        )
    if category:
        session.add(CategoryAttribute(category_id=category.id, attribute_id=attribute.id, required=required))
    await session.flush()
    return attribute


async def give_attribute(session: AsyncSession, product: Product, attribute: Attribute, *codes: str) -> None:
    """Values of an ENUM attribute for a product."""
    values = await session.scalars(select(AttributeValue).where(AttributeValue.attribute_id == attribute.id))
    ids = {value.code: value.id for value in values}
    session.add_all(
        ProductAttribute(
            product_id=product.id, attribute_id=attribute.id, position=position, value_id=ids[code]
        )
        for position, code in enumerate(codes, start=1)
    )
    await session.flush()


async def save_drafts(shop: Shop, *drafts: ProductDraft, days: int = 1) -> list[SavedProduct]:
    """Save drafts so many days after NOW, in a transaction of their own."""
    async with shop.database.writes.begin() as session:
        return await save_products(session, drafts, cause=Cause(NOW + timedelta(days=days)))
