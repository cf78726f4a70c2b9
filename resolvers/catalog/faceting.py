"""What there is to choose from among the products of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.catalog.numbers import spelled
from loaders.listing import CountedValue, Wanted
from loaders.listing import facets as count_facets
from loaders.page import Page
from models import Attribute, AttributeType, Category, Money, Product
from resolvers.catalog.browsing import PriceRange, spoken
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
class ValueFacet:
    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class AttributeFacet:
    attribute: Attribute
    values: Sequence[ValueFacet]


@dataclass(frozen=True, slots=True)
class ProductFacets:
    categories: Sequence[CategoryFacet]
    brands: Sequence[BrandFacet]
    attributes: Sequence[AttributeFacet]
    price: PriceRange | None


async def facets(root: Page[Product], info: Info) -> ProductFacets:
    """What there is to choose from among all that was found, each choice counted as if it were not made."""
    wanted: Wanted = root.extra["wanted"]
    found = await count_facets(info.context.shop.database.reads, wanted)
    least, most = found.least, found.most
    return ProductFacets(
        [CategoryFacet(category, count) for category, count in found.categories],
        [BrandFacet(brand, count) for brand, count in found.brands],
        attribute_facets(info, found.values, wanted),
        None
        if least is None or most is None
        else PriceRange(Money(least, wanted.currency), Money(most, wanted.currency)),
    )


def attribute_facets(info: Info, values: Sequence[CountedValue], wanted: Wanted) -> list[AttributeFacet]:
    picked = {(each.code, value) for each in wanted.attributes for value in each.values}
    return [
        AttributeFacet(attribute, [value_facet(info, each, picked) for each in counted])
        for attribute, counted in groupby(values, key=lambda value: value.attribute)
    ]


def value_facet(info: Info, counted: CountedValue, picked: set[tuple[str, str]]) -> ValueFacet:
    value = value_text(counted)
    return ValueFacet(
        value,
        spoken(info, counted.attribute, counted.value, counted),
        counted.count,
        (counted.attribute.code, value) in picked,
    )


def value_text(counted: CountedValue) -> str:
    """What a filter asks for this value with."""
    match counted.attribute.type:
        case AttributeType.ENUM:
            return counted.value.code if counted.value else ""
        case AttributeType.NUMBER:
            return spelled(counted.number) if counted.number is not None else ""
        case AttributeType.BOOLEAN:
            return "true" if counted.boolean else "false"
        case AttributeType.DATE:
            return counted.date.isoformat() if counted.date else ""
        case AttributeType.TEXT:
            return counted.text or ""
