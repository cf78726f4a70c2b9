"""The filters of a product list as conditions of a statement."""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

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

from loaders.promotion import is_on_flash_sale
from loaders.search import plan_parameters, plan_shape
from models import (
    Attribute,
    AttributeValue,
    Category,
    CategoryAttribute,
    CurrencyCode,
    Price,
    Product,
    ProductAttribute,
    ProductStatus,
    Promotion,
    Variant,
    is_available,
)
from models.base import UtcDateTime
from models.database import Reads
from models.sql.parameters import encode_values, is_among
from models.sql.types import AnyColumn, AnyExpression, Parameters
from text.query_plan import QueryPlan

FLAGS = {"true": True, "false": False}
CATEGORY, BRANDS, FLASH_SALE_AT = "category", "brands", "flash_sale_at"
MIN_PRICE, MAX_PRICE = "min_price", "max_price"
ANY_MOMENT = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class AttributeChoice:
    """Values of one attribute; a product must have at least one of them."""

    code: str
    values: tuple[str, ...]

    def parameters(self, place: int, dialect: str) -> Parameters:
        """The parameters of the condition; `place` is its place among the attribute choices."""
        numbers: Sequence[Decimal | float] = parse_numbers(self.values)
        if dialect == "sqlite":
            numbers = [float(number) for number in numbers]
        flags = [FLAGS[value] for value in self.values if value in FLAGS]
        return {
            f"code_{place}": self.code,
            f"values_{place}": encode_values(self.values, dialect),
            f"numbers_{place}": encode_values(numbers, dialect),
            f"flags_{place}": encode_values(flags, dialect),
            f"dates_{place}": encode_values(parse_dates(self.values), dialect),
        }


@dataclass(frozen=True, slots=True)
class ProductCriteria:
    """Which products a list has; everything given must hold."""

    currency: CurrencyCode
    plan: QueryPlan | None = None
    """What a search looks for."""
    statuses: tuple[ProductStatus, ...] = (ProductStatus.ACTIVE,)
    category: str | None = None
    """The path of a category: products in it or below it."""
    brands: tuple[str, ...] = ()
    min_price: int | None = None
    """In minor units, like `max_price`."""
    max_price: int | None = None
    attributes: tuple[AttributeChoice, ...] = ()
    in_stock: bool = False
    flash_sale_at: datetime.datetime | None = None
    """Products in a flash sale that is active at this moment, in `currency`."""

    @property
    def has_price_range(self) -> bool:
        return self.min_price is not None or self.max_price is not None

    @property
    def shape(self) -> "ProductCriteria":
        """The criteria without what statements take as parameters: the key of a compiled statement."""
        return replace(
            self,
            plan=plan_shape(self.plan),
            category=self.category and "/",
            brands=self.brands and ("",),
            min_price=None if self.min_price is None else 0,
            max_price=None if self.max_price is None else 0,
            attributes=(AttributeChoice("", ()),) * len(self.attributes),
            flash_sale_at=self.flash_sale_at and ANY_MOMENT,
        )

    def parameters(self, dialect: str) -> Parameters:
        """The parameters of a statement that was compiled for the shape of these criteria."""
        parameters = {
            **plan_parameters(self.plan, dialect=dialect),
            CATEGORY: self.category,
            BRANDS: encode_values(self.brands, dialect),
            MIN_PRICE: self.min_price,
            MAX_PRICE: self.max_price,
            FLASH_SALE_AT: self.flash_sale_at,
        }
        for place, choice in enumerate(self.attributes):
            parameters |= choice.parameters(place, dialect)
        return parameters


def filter_conditions(criteria: ProductCriteria, *, dialect: str) -> list[ColumnElement[bool]]:
    """All conditions but the search."""
    found = fixed_conditions(criteria)
    if criteria.category is not None:
        found.append(in_subtree(criteria.category))
    if criteria.brands:
        found.append(is_of_brand(criteria, dialect=dialect))
    if criteria.has_price_range:
        found.append(in_price_range(criteria))
    return found + [
        has_attribute_value(choice, place, dialect=dialect)
        for place, choice in enumerate(criteria.attributes)
    ]


def fixed_conditions(criteria: ProductCriteria) -> list[ColumnElement[bool]]:
    """The conditions that have no facet: they hold for every count of the facets."""
    found: list[ColumnElement[bool]] = [Product.status.in_(criteria.statuses)]
    if criteria.in_stock:
        found.append(has_available_variant())
    if criteria.flash_sale_at is not None:
        found.append(in_flash_sale(criteria.flash_sale_at, criteria.currency))
    return found


def is_of_brand(criteria: ProductCriteria, *, dialect: str) -> ColumnElement[bool]:
    return is_among(Product.brand, BRANDS, dialect, encode_values(criteria.brands, dialect))


def in_flash_sale(moment: datetime.datetime, currency: CurrencyCode) -> ColumnElement[bool]:
    return Product.id.in_(
        select(Variant.product_id)
        .join(Promotion, Promotion.variant_id == Variant.id)
        .where(
            is_on_flash_sale(bindparam(FLASH_SALE_AT, moment, UtcDateTime)),
            Promotion.currency == currency,
            Variant.archived_at.is_(None),
        )
    )


def in_subtree(path: str) -> ColumnElement[bool]:
    return Product.category_id.in_(select_subtree(path))


def select_subtree(path: str) -> Select[int]:
    """The ids of the category with this path and of all below it."""
    return select(Category.id).where(Category.path.startswith(bindparam(CATEGORY, path, String)))


def in_price_range(criteria: ProductCriteria) -> ColumnElement[bool]:
    prices = (
        select(literal(1))
        .join(Variant, Variant.id == Price.variant_id)
        .select_from(Price)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None))
        .where(Price.currency == criteria.currency)
    )
    if criteria.min_price is not None:
        prices = prices.where(Price.amount >= bindparam(MIN_PRICE, criteria.min_price, BigInteger))
    if criteria.max_price is not None:
        prices = prices.where(Price.amount <= bindparam(MAX_PRICE, criteria.max_price, BigInteger))
    return prices.correlate(Product).exists()


def price_figure(figure: ColumnElement[int], currency: CurrencyCode) -> AnyExpression:
    """A figure over the prices of a product's variants, such as the lowest; NULL where it has none."""
    return (
        select(figure)
        .select_from(Variant)
        .join(Price, Price.variant_id == Variant.id)
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), Price.currency == currency)
        .correlate(Product)
        .scalar_subquery()
    )


def has_available_variant() -> ColumnElement[bool]:
    return (
        select(literal(1))
        .where(Variant.product_id == Product.id, Variant.archived_at.is_(None), is_available())
        .correlate(Product)
        .exists()
    )


def has_attribute_value(choice: AttributeChoice, place: int, *, dialect: str) -> ColumnElement[bool]:
    parameters = choice.parameters(place, dialect)

    def is_one_of(column: AnyColumn, name: str) -> ColumnElement[bool]:
        return is_among(column, f"{name}_{place}", dialect, parameters[f"{name}_{place}"])

    return (
        select(literal(1))
        .select_from(ProductAttribute)
        .join(Attribute, Attribute.id == ProductAttribute.attribute_id)
        .outerjoin(AttributeValue, AttributeValue.id == ProductAttribute.value_id)
        .where(ProductAttribute.product_id == Product.id)
        .where(Attribute.code == attribute_code_parameter(choice, place))
        .where(
            or_(
                is_one_of(AttributeValue.code, "values"),
                is_one_of(ProductAttribute.text, "values"),
                is_one_of(ProductAttribute.number, "numbers"),
                is_one_of(ProductAttribute.boolean, "flags"),
                is_one_of(ProductAttribute.date, "dates"),
            )
        )
        .correlate(Product)
        .exists()
    )


def attribute_code_parameter(choice: AttributeChoice, place: int) -> BindParameter[str]:
    return bindparam(f"code_{place}", choice.code, String)


def parse_numbers(values: Sequence[str]) -> list[Decimal]:
    """Those values that are numbers a column can hold."""
    numbers = []
    for value in values:
        with suppress(InvalidOperation):
            numbers.append(Decimal(value))
    return [number for number in numbers if number.is_finite() and abs(number) < 10**9]


def parse_dates(values: Sequence[str]) -> list[datetime.date]:
    """Those values that are dates in ISO 8601."""
    dates = []
    for value in values:
        with suppress(ValueError):
            dates.append(datetime.date.fromisoformat(value))
    return dates


async def load_attribute_applicability(
    reads: Reads, codes: Sequence[str], category: str | None
) -> Mapping[str, bool]:
    """The codes of those attributes that exist, and whether products of a category have them.

    They do when the category, one above or one below has the attribute, or when one of its products does.
    """
    is_applicable: ColumnElement[bool] = literal(value=True)
    if category is not None:
        line = [int(step) for step in category.strip("/").split("/")]
        in_categories = (
            select(CategoryAttribute.category_id)
            .where(CategoryAttribute.attribute_id == Attribute.id)
            .where(
                or_(
                    CategoryAttribute.category_id.in_(line),
                    CategoryAttribute.category_id.in_(select_subtree(category)),
                )
            )
        )
        in_products = (
            select(ProductAttribute.product_id)
            .join(Product, Product.id == ProductAttribute.product_id)
            .where(ProductAttribute.attribute_id == Attribute.id, in_subtree(category))
        )
        is_applicable = or_(in_categories.exists(), in_products.exists())
    async with reads() as session:
        rows = await session.execute(select(Attribute.code, is_applicable).where(Attribute.code.in_(codes)))
        return {code: bool(applies) for code, applies in rows}
