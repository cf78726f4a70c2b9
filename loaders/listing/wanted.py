"""Which products are wanted, as conditions of a statement."""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, or_, select

from loaders.offer import on_flash_sale
from loaders.prepared import Reads
from models import (
    Attribute,
    AttributeValue,
    Category,
    CategoryAttribute,
    CurrencyCode,
    Offer,
    Price,
    Product,
    ProductAttribute,
    ProductStatus,
    StockLevel,
    Variant,
    in_active_warehouse,
)
from words.asking import Plan

FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of one attribute, of which a product has at least one."""

    code: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which products; everything given must hold."""

    currency: CurrencyCode
    plan: Plan | None = None
    """What a search looks for."""
    statuses: tuple[ProductStatus, ...] = (ProductStatus.ACTIVE,)
    category: str | None = None
    """The path of a category: with everything below it."""
    brands: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    attributes: tuple[Chosen, ...] = ()
    in_stock: bool = False
    flash_sale_at: datetime.datetime | None = None
    """A moment at which a flash sale of theirs runs, in the viewer's currency."""

    @property
    def priced(self) -> bool:
        return self.least is not None or self.most is not None


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Everything but the search."""
    found = standing(wanted)
    if wanted.category is not None:
        found.append(in_subtree(wanted.category))
    if wanted.brands:
        found.append(Product.brand.in_(wanted.brands))
    if wanted.priced:
        found.append(in_price_range(wanted))
    return found + [has_one_of(chosen) for chosen in wanted.attributes]


def standing(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What no facet offers a choice of: it holds for every count."""
    found: list[ColumnElement[bool]] = [Product.status.in_(wanted.statuses)]
    if wanted.in_stock:
        found.append(can_be_bought())
    if wanted.flash_sale_at is not None:
        found.append(in_flash_sale(wanted.flash_sale_at, wanted.currency))
    return found


def in_flash_sale(moment: datetime.datetime, currency: CurrencyCode) -> ColumnElement[bool]:
    return Product.id.in_(
        select(Variant.product_id)
        .join(Offer, Offer.variant_id == Variant.id)
        .where(on_flash_sale(moment), Offer.currency == currency, Variant.archived_at.is_(None))
    )


def in_subtree(path: str) -> ColumnElement[bool]:
    return Product.category_id.in_(subtree(path))


def subtree(path: str) -> Select[int]:
    return select(Category.id).where(Category.path.startswith(path))


def in_price_range(wanted: Wanted) -> ColumnElement[bool]:
    priced = (
        select(literal(1))
        .join(Variant, Variant.id == Price.variant_id)
        .select_from(Price)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None))
        .where(Price.currency == wanted.currency)
    )
    if wanted.least is not None:
        priced = priced.where(Price.amount >= wanted.least)
    if wanted.most is not None:
        priced = priced.where(Price.amount <= wanted.most)
    return priced.correlate(Product).exists()


def price_of(figure: ColumnElement[int], currency: CurrencyCode) -> ColumnElement[Any]:
    """A figure of the prices of a product's variants, such as the least; NULL where it has none."""
    return (
        select(figure)
        .select_from(Variant)
        .join(Price, Price.variant_id == Variant.id)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), Price.currency == currency)
        .correlate(Product)
        .scalar_subquery()
    )


def can_be_bought() -> ColumnElement[bool]:
    """A variant without a limit, or one of which some is left."""
    left = (
        select(literal(1))
        .where(StockLevel.variant_id == Variant.id, StockLevel.on_hand > StockLevel.reserved)
        .where(in_active_warehouse())
        .correlate(Variant)
        .exists()
    )
    free = or_(Variant.tracked.is_(False), Variant.sells_when_out.is_(True), left)
    return (
        select(literal(1))
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), free)
        .correlate(Product)
        .exists()
    )


def has_one_of(chosen: Chosen) -> ColumnElement[bool]:
    numbers, dates = as_numbers(chosen.values), as_dates(chosen.values)
    flags = [FLAGS[value] for value in chosen.values if value in FLAGS]
    return (
        select(literal(1))
        .select_from(ProductAttribute)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id == Product.id, Attribute.code == chosen.code)
        .where(
            or_(
                AttributeValue.code.in_(chosen.values),
                ProductAttribute.text.in_(chosen.values),
                ProductAttribute.number.in_(numbers),
                ProductAttribute.boolean.in_(flags),
                ProductAttribute.date.in_(dates),
            )
        )
        .correlate(Product)
        .exists()
    )


def as_numbers(values: Sequence[str]) -> list[Decimal]:
    found = []
    for value in values:
        with suppress(InvalidOperation):
            found.append(Decimal(value))
    return [number for number in found if number.is_finite() and abs(number) < 10**9]


def as_dates(values: Sequence[str]) -> list[datetime.date]:
    found = []
    for value in values:
        with suppress(ValueError):
            found.append(datetime.date.fromisoformat(value))
    return found


async def attributes_held(reads: Reads, codes: Sequence[str], category: str | None) -> Mapping[str, bool]:
    """Of these attributes those that there are, and whether products of a category have them.

    They do when the category, one above or one below says so, or when one of its products does.
    """
    there: ColumnElement[bool] = literal(value=True)
    if category is not None:
        line = [int(step) for step in category.strip("/").split("/")]
        said = (
            select(CategoryAttribute.category_id)
            .where(CategoryAttribute.attribute_id == Attribute.id)
            .where(
                or_(
                    CategoryAttribute.category_id.in_(line),
                    CategoryAttribute.category_id.in_(subtree(category)),
                )
            )
        )
        held = (
            select(ProductAttribute.product_id)
            .join(Product, Product.id == ProductAttribute.product_id)
            .where(ProductAttribute.attribute_id == Attribute.id, in_subtree(category))
        )
        there = or_(said.exists(), held.exists())
    async with reads() as session:
        rows = await session.execute(select(Attribute.code, there).where(Attribute.code.in_(codes)))
        return {code: bool(holds) for code, holds in rows}
