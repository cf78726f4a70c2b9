"""What the shop sells: products and their variants, categories, attributes, pictures."""

import strawberry

from domain.catalog.files import Import
from domain.catalog.interchange import Problem
from resolvers import catalog as resolve
from resolvers.guard import ANYONE, CATALOGUE
from schema.catalog.listing import ProductConnection, SearchSuggestion
from schema.catalog.product import Attribute, Category, Media, PriceChange, Product, Variant
from schema.freshness import MINUTE, MINUTES
from schema.mutation import mutation
from schema.rows import field, row_type

__all__ = ["CatalogMutation", "CatalogQuery", "Category", "Media", "Product", "Variant"]


@strawberry.type
class CatalogQuery:
    product: Product | None = field(resolve.product, allow=ANYONE, public=MINUTE)
    products: ProductConnection = field(resolve.products, allow=ANYONE, public=MINUTE)
    category: Category | None = field(resolve.category, allow=ANYONE, public=MINUTES)
    categories: list[Category] = field(resolve.categories, allow=ANYONE, public=MINUTES)
    attributes: list[Attribute] = field(resolve.attributes, allow=CATALOGUE)
    search_suggestions: list[SearchSuggestion] = field(
        resolve.search_suggestions, allow=ANYONE, public=MINUTE
    )


@row_type(Problem)
class ImportProblem:
    """Something in a product file that was not taken as it stands."""

    file: str
    """The name of the file."""
    line: int
    """The line its row begins on."""
    column: str
    """The column, as the file calls it; empty when it is about the whole row."""
    reason: str
    """What is wrong, or what was made of it."""


@row_type(Import)
class ProductsImportResult:
    """What came of a product file: products, or problems and nothing else."""

    created: int
    """How many products are new."""
    updated: int
    """How many are different now."""
    unchanged: int
    """How many were like this already."""
    problems: list[ImportProblem]
    """Why nothing was taken; empty when everything was."""
    notes: list[ImportProblem]
    """What was taken in another sense than its words."""


@strawberry.type
class CatalogMutation:
    product_view = mutation(resolve.product_view, returns=Product, allow=ANYONE)
    product_create = mutation(resolve.product_create, returns=Product, allow=CATALOGUE)
    product_update = mutation(resolve.product_update, returns=Product, allow=CATALOGUE)
    product_publish = mutation(resolve.product_publish, returns=Product, allow=CATALOGUE)
    product_archive = mutation(resolve.product_archive, returns=Product, allow=CATALOGUE)
    variant_save = mutation(resolve.variant_save, returns=Variant, allow=CATALOGUE)
    variant_archive = mutation(resolve.variant_archive, returns=Variant, allow=CATALOGUE)
    price_set = mutation(resolve.price_set, returns=Variant, allow=CATALOGUE)
    price_remove = mutation(resolve.price_remove, returns=Variant, allow=CATALOGUE)
    price_change_schedule = mutation(resolve.price_change_schedule, returns=PriceChange, allow=CATALOGUE)
    price_change_cancel = mutation(resolve.price_change_cancel, returns=PriceChange, allow=CATALOGUE)
    category_save = mutation(resolve.category_save, returns=Category, allow=CATALOGUE)
    attribute_save = mutation(resolve.attribute_save, returns=Attribute, allow=CATALOGUE)
    products_import = mutation(
        resolve.products_import, returns=ProductsImportResult, allow=CATALOGUE, thing="result"
    )
