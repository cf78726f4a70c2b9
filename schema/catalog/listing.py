"""Types of product lists, facets and search suggestions."""

import strawberry

from resolvers import catalog as resolve
from resolvers.descriptions import describe_enum
from resolvers.paging import AnyPage
from schema.catalog.product import Attribute, Category, PriceRange, Product
from schema.connection import Connection, Edge
from schema.limits.sizes import FACETS, PAGE, SOME
from schema.rows import field, plain_list, row_type

ProductSort = describe_enum(resolve.ProductSort)


@row_type(resolve.CategoryFacet)
class CategoryFacet:
    """The number of products in a category or below it."""

    category: Category
    """The category."""
    count: int
    """How many products."""


@row_type(resolve.BrandFacet)
class BrandFacet:
    """The number of products of a brand."""

    brand: str
    """The brand."""
    count: int
    """How many products."""


@row_type(resolve.AttributeValueFacet)
class AttributeValueFacet:
    """The number of products with a value of an attribute."""

    value: str
    """The text that stands for it in `AttributeFilter.values`."""
    label: str
    """The text people read, in the viewer's language."""
    count: int
    """How many products."""
    selected: bool
    """Whether the filter has chosen it."""


@row_type(resolve.AttributeFacet)
class AttributeFacet:
    """The values that products have of an attribute."""

    attribute: Attribute
    """The attribute."""
    values: list[AttributeValueFacet] = plain_list(size=SOME)
    """Its values, the most frequent first."""


@row_type(resolve.ProductFacets)
class ProductFacets:
    """The choices to filter by; each facet is counted as if no choice of its own kind were made."""

    categories: list[CategoryFacet] = plain_list(size=SOME)
    """Those right below the category that is shown, or the roots; the largest first."""
    brands: list[BrandFacet] = plain_list(size=SOME)
    """Brands, the most frequent first."""
    attributes: list[AttributeFacet] = plain_list(size=SOME)
    """Attributes that can be filtered by."""
    price: PriceRange | None
    """The lowest and the highest price of a variant."""


@strawberry.type(description="A product in a list, with its cursor.")
class ProductEdge(Edge[Product]):
    partial_match: bool = strawberry.field(
        description="Whether it does not have all words of the query; such products follow those that have."
    )


def product_edges(root: AnyPage) -> list[ProductEdge]:
    """The products of this page with cursors."""
    return [
        ProductEdge(node=row, cursor=cursor, partial_match=resolve.lacks_words(root, row))
        for row, cursor in zip(root.rows, root.cursors, strict=True)
    ]


@strawberry.type(description="A page of products, with the facets of the whole list.")
class ProductConnection(Connection[Product]):
    edges: list[ProductEdge] = field(product_edges, size=PAGE)  # type: ignore[assignment]  # nobody adds to it
    facets: ProductFacets = field(resolve.facets, price=FACETS)
    corrected_query: str | None = field(resolve.corrected_query)
    partial_match: bool = field(resolve.is_partial_match)


@row_type(resolve.SearchSuggestion)
class SearchSuggestion:
    """A suggestion for a query that is still being typed."""

    text: str
    """The text to show."""
    product: Product | None
    """The product, where it suggests one."""
    category: Category | None
    """The category, where it suggests one."""
    brand: str | None
    """The brand, where it suggests one, as `ProductFilter.brands` takes it."""
