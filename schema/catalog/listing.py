"""Lists of products, and what there is to choose from."""

import strawberry

from loaders.listing import ProductSort as Sort
from resolvers import catalog as resolve
from resolvers.described import describe_enum
from schema.catalog.product import Attribute, Category, PriceRange, Product
from schema.connection import Connection
from schema.rows import field, row_type

ProductSort = describe_enum(Sort)


@row_type(resolve.CategoryFacet)
class CategoryFacet:
    """How many of the products stand in a category or below it."""

    category: Category
    """Where."""
    count: int
    """How many."""


@row_type(resolve.BrandFacet)
class BrandFacet:
    """How many of the products are of a brand."""

    brand: str
    """Who makes them."""
    count: int
    """How many."""


@row_type(resolve.ValueFacet)
class AttributeValueFacet:
    """How many of the products have a value of an attribute."""

    value: str
    """What to put into `AttributeFilter.values`."""
    label: str
    """What people read, in their language."""
    count: int
    """How many."""
    selected: bool
    """Whether the filter asks for it."""


@row_type(resolve.AttributeFacet)
class AttributeFacet:
    """The values of an attribute among the products."""

    attribute: Attribute
    """Which attribute."""
    values: list[AttributeValueFacet]
    """Its values, the most frequent first."""


@row_type(resolve.ProductFacets)
class ProductFacets:
    """What there is to choose from; each choice is counted as if it were not made yet."""

    categories: list[CategoryFacet]
    """Categories, the roots first."""
    brands: list[BrandFacet]
    """Brands, the most frequent first."""
    attributes: list[AttributeFacet]
    """Attributes customers can choose by."""
    price: PriceRange | None
    """The least and the most a variant costs, in the currency asked for."""


@strawberry.type(description="A page of products, and what there is to choose from among all of them.")
class ProductConnection(Connection[Product]):
    facets: ProductFacets = field(resolve.facets)
    searched_for: str | None = field(resolve.searched_for)
    nearest: bool = field(resolve.is_nearest)


@row_type(resolve.SearchSuggestion)
class SearchSuggestion:
    """What somebody may mean who is still typing."""

    text: str
    """What to show."""
    product: Product | None
    """The product it names, if it names one."""
    category: Category | None
    """The category it names, if it names one."""
    brand: str | None
    """The brand it names, if it names one; what to put into `ProductFilter.brands`."""
