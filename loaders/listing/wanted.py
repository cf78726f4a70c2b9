"""Which products are wanted, as conditions of a statement."""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    literal,
    or_,
    select,
)

from loaders.offer import on_flash_sale
from loaders.prepared import Reads, is_among, packed
from loaders.search import bound, form
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
from models.base import UtcDateTime
from words.asking import Plan

FLAGS = {"true": True, "false": False}
CATEGORY, BRANDS, FLASH_SALE_AT = "category", "brands", "flash_sale_at"
LEAST_PRICE, MOST_PRICE = "least_price", "most_price"
MOMENT = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of one attribute, of which a product has at least one."""

    code: str
    values: tuple[str, ...]

    def bound(self, place: int, dialect: str) -> dict[str, Any]:
        """What the conditions of the choice that stands there among others bind."""
        numbers: Sequence[Any] = as_numbers(self.values)
        if dialect == "sqlite":
            numbers = [float(number) for number in numbers]
        return {
            f"code_{place}": self.code,
            f"values_{place}": packed(self.values, dialect),
            f"numbers_{place}": packed(numbers, dialect),
            f"flags_{place}": packed([FLAGS[value] for value in self.values if value in FLAGS], dialect),
            f"dates_{place}": packed(as_dates(self.values), dialect),
        }


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

    @property
    def form(self) -> "Wanted":
        """What its statements depend on apart from what they bind."""
        return replace(
            self,
            plan=form(self.plan),
            category=self.category and "/",
            brands=self.brands and ("",),
            least=None if self.least is None else 0,
            most=None if self.most is None else 0,
            attributes=(Chosen("", ()),) * len(self.attributes),
            flash_sale_at=self.flash_sale_at and MOMENT,
        )

    def bound(self, dialect: str) -> dict[str, Any]:
        """What a statement made for its form is run with."""
        found = {
            **bound(self.plan, dialect=dialect),
            CATEGORY: self.category,
            BRANDS: packed(self.brands, dialect),
            LEAST_PRICE: self.least,
            MOST_PRICE: self.most,
            FLASH_SALE_AT: self.flash_sale_at,
        }
        for place, chosen in enumerate(self.attributes):
            found |= chosen.bound(place, dialect)
        return found


def conditions(wanted: Wanted, *, dialect: str) -> list[ColumnElement[bool]]:
    """Everything but the search."""
    found = standing(wanted)
    if wanted.category is not None:
        found.append(in_subtree(wanted.category))
    if wanted.brands:
        found.append(is_of_brand(wanted, dialect=dialect))
    if wanted.priced:
        found.append(in_price_range(wanted))
    return found + [
        has_one_of(chosen, place, dialect=dialect) for place, chosen in enumerate(wanted.attributes)
    ]


def standing(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What no facet offers a choice of: it holds for every count."""
    found: list[ColumnElement[bool]] = [Product.status.in_(wanted.statuses)]
    if wanted.in_stock:
        found.append(can_be_bought())
    if wanted.flash_sale_at is not None:
        found.append(in_flash_sale(wanted.flash_sale_at, wanted.currency))
    return found


def is_of_brand(wanted: Wanted, *, dialect: str) -> ColumnElement[bool]:
    return is_among(Product.brand, BRANDS, dialect, packed(wanted.brands, dialect))


def in_flash_sale(moment: datetime.datetime, currency: CurrencyCode) -> ColumnElement[bool]:
    return Product.id.in_(
        select(Variant.product_id)
        .join(Offer, Offer.variant_id == Variant.id)
        .where(
            on_flash_sale(bindparam(FLASH_SALE_AT, moment, UtcDateTime)),
            Offer.currency == currency,
            Variant.archived_at.is_(None),
        )
    )


def in_subtree(path: str) -> ColumnElement[bool]:
    return Product.category_id.in_(subtree(path))


def subtree(path: str) -> Select[int]:
    return select(Category.id).where(Category.path.startswith(bindparam(CATEGORY, path, String)))


def in_price_range(wanted: Wanted) -> ColumnElement[bool]:
    priced = (
        select(literal(1))
        .join(Variant, Variant.id == Price.variant_id)
        .select_from(Price)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None))
        .where(Price.currency == wanted.currency)
    )
    if wanted.least is not None:
        priced = priced.where(Price.amount >= bindparam(LEAST_PRICE, wanted.least, BigInteger))
    if wanted.most is not None:
        priced = priced.where(Price.amount <= bindparam(MOST_PRICE, wanted.most, BigInteger))
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


def has_one_of(chosen: Chosen, place: int, *, dialect: str) -> ColumnElement[bool]:
    values = chosen.bound(place, dialect)

    def among(column: Any, name: str) -> ColumnElement[bool]:
        return is_among(column, f"{name}_{place}", dialect, values[f"{name}_{place}"])

    return (
        select(literal(1))
        .select_from(ProductAttribute)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id == Product.id, Attribute.code == coded(chosen, place))
        .where(
            or_(
                among(AttributeValue.code, "values"),
                among(ProductAttribute.text, "values"),
                among(ProductAttribute.number, "numbers"),
                among(ProductAttribute.boolean, "flags"),
                among(ProductAttribute.date, "dates"),
            )
        )
        .correlate(Product)
        .exists()
    )


def coded(chosen: Chosen, place: int) -> BindParameter[str]:
    """The code of the attribute that stands there among the choices."""
    return bindparam(f"code_{place}", chosen.code, String)


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
