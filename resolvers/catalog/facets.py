"""The facets of a product list."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.catalog.numbers import format_number
from loaders.listing import AttributeValueCount, ProductCriteria, load_facets
from loaders.page import Page
from models import Attribute, AttributeType, Category, Money, Product
from resolvers.catalog.attribute import display_text
from resolvers.catalog.product import PriceRange
from resolvers.context import Info


@dataclass(frozen=True, slots=True)
class CategoryFacet:
    category: Category
    count: int


@dataclass(frozen=True, slots=True)
class BrandFacet:
    brand: str
    count: int


@dataclass(frozen=True, slots=True)
class AttributeValueFacet:
    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class AttributeFacet:
    attribute: Attribute
    values: Sequence[AttributeValueFacet]


@dataclass(frozen=True, slots=True)
class ProductFacets:
    categories: Sequence[CategoryFacet]
    brands: Sequence[BrandFacet]
    attributes: Sequence[AttributeFacet]
    price: PriceRange | None


async def facets(root: Page[Product], info: Info) -> ProductFacets:
    """The choices to filter by among all products found; each is counted as if it were not made yet."""
    criteria: ProductCriteria = root.extra["criteria"]
    found = await load_facets(root.extra["index"], info.context.shop.database.reads, criteria)
    lowest, highest = found.min_price, found.max_price
    return ProductFacets(
        [CategoryFacet(category, count) for category, count in found.categories],
        [BrandFacet(brand, count) for brand, count in found.brands],
        attribute_facets(info, found.values, criteria),
        None
        if lowest is None or highest is None
        else PriceRange(Money(lowest, criteria.currency), Money(highest, criteria.currency)),
    )


def attribute_facets(
    info: Info, values: Sequence[AttributeValueCount], criteria: ProductCriteria
) -> list[AttributeFacet]:
    selected = {(choice.code, value) for choice in criteria.attributes for value in choice.values}
    return [
        AttributeFacet(attribute, [value_facet(info, each, selected) for each in of_attribute])
        for attribute, of_attribute in groupby(values, key=lambda value: value.attribute)
    ]


def value_facet(
    info: Info, value: AttributeValueCount, selected: set[tuple[str, str]]
) -> AttributeValueFacet:
    text = filter_text(value)
    return AttributeValueFacet(
        text,
        display_text(info, value.attribute, value.value, value),
        value.count,
        (value.attribute.code, text) in selected,
    )


def filter_text(value: AttributeValueCount) -> str:
    """The text that stands for the value in `AttributeFilter.values`."""
    match value.attribute.type:
        case AttributeType.ENUM:
            return value.value.code if value.value else ""
        case AttributeType.NUMBER:
            return format_number(value.number) if value.number is not None else ""
        case AttributeType.BOOLEAN:
            return "true" if value.boolean else "false"
        case AttributeType.DATE:
            return value.date.isoformat() if value.date else ""
        case AttributeType.TEXT:
            return value.text or ""
