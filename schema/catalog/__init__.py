"""Queries and mutations of products, prices, categories and attributes."""

import strawberry

from resolvers import catalog as resolve
from resolvers.guard import Permission
from schema.cache_control import MINUTE, MINUTES
from schema.catalog.listing import ProductConnection, SearchSuggestion
from schema.catalog.product import Attribute, Category, Media, PriceChange, Product, Variant
from schema.catalog.updates import CatalogSubscription
from schema.limits.sizes import IMPORT, MANY, SEARCH, SUGGESTIONS
from schema.mutation import ARCHIVED_THING, REMOVAL_OUTCOME, mutation
from schema.rows import field, plain_list, row_type

__all__ = [
    "CatalogMutation",
    "CatalogQuery",
    "CatalogSubscription",
    "Category",
    "Media",
    "Product",
    "Variant",
]


@strawberry.type
class CatalogQuery:
    product: Product | None = field(resolve.product, allow=Permission.PUBLIC, public=MINUTE)
    products: ProductConnection = field(
        resolve.products, allow=Permission.PUBLIC, public=MINUTE, price=SEARCH
    )
    category: Category | None = field(resolve.category, allow=Permission.PUBLIC, public=MINUTES)
    categories: list[Category] = field(resolve.categories, allow=Permission.PUBLIC, public=MINUTES, size=MANY)
    attributes: list[Attribute] = field(resolve.attributes, allow=Permission.CATALOG_EDIT, size=MANY)
    search_suggestions: list[SearchSuggestion] = field(
        resolve.search_suggestions, allow=Permission.PUBLIC, public=MINUTE, price=SUGGESTIONS
    )


@row_type(resolve.FileProblem)
class ImportProblem:
    """A problem in a product file, or something in it that was interpreted."""

    file: str
    """The name of the file."""
    line: int
    """The line where the row begins."""
    column: str
    """The column, as the file names it; empty for the whole row."""
    reason: str = field(resolve.problem_reason)


@row_type(resolve.ImportResult)
class ProductsImportResult:
    """The result of an import: the whole file was imported, or nothing and `problems` says why."""

    created: int
    """Products created."""
    updated: int
    """Products changed."""
    unchanged: int
    """Products that were the same already."""
    problems: list[ImportProblem] = plain_list(size=MANY)
    """Why nothing was imported; empty when the file was."""
    notes: list[ImportProblem] = plain_list(size=MANY)
    """Entries that were interpreted in another way than they are written."""


@strawberry.type
class CatalogMutation:
    product_view = mutation(resolve.product_view, returns=Product, allow=Permission.PUBLIC)
    product_create = mutation(resolve.product_create, returns=Product, allow=Permission.CATALOG_EDIT)
    product_update = mutation(resolve.product_update, returns=Product, allow=Permission.CATALOG_EDIT)
    product_publish = mutation(resolve.product_publish, returns=Product, allow=Permission.CATALOG_EDIT)
    product_archive = mutation(resolve.product_archive, returns=Product, allow=Permission.CATALOG_EDIT)
    variant_save = mutation(resolve.variant_save, returns=Variant, allow=Permission.CATALOG_EDIT)
    variant_archive = mutation(resolve.variant_archive, returns=Variant, allow=Permission.CATALOG_EDIT)
    price_set = mutation(resolve.price_set, returns=Variant, allow=Permission.CATALOG_EDIT)
    price_remove = mutation(resolve.price_remove, returns=Variant, allow=Permission.CATALOG_EDIT)
    price_change_schedule = mutation(
        resolve.price_change_schedule, returns=PriceChange, allow=Permission.CATALOG_EDIT
    )
    price_change_cancel = mutation(
        resolve.price_change_cancel, returns=PriceChange, allow=Permission.CATALOG_EDIT
    )
    category_save = mutation(resolve.category_save, returns=Category, allow=Permission.CATALOG_EDIT)
    attribute_save = mutation(resolve.attribute_save, returns=Attribute, allow=Permission.CATALOG_EDIT)
    category_remove = mutation(
        resolve.category_remove,
        returns=Category,
        allow=Permission.CATALOG_EDIT,
        field_description=ARCHIVED_THING,
        further_fields=REMOVAL_OUTCOME,
    )
    category_restore = mutation(resolve.category_restore, returns=Category, allow=Permission.CATALOG_EDIT)
    attribute_remove = mutation(
        resolve.attribute_remove,
        returns=Attribute,
        allow=Permission.CATALOG_EDIT,
        field_description=ARCHIVED_THING,
        further_fields=REMOVAL_OUTCOME,
    )
    attribute_restore = mutation(resolve.attribute_restore, returns=Attribute, allow=Permission.CATALOG_EDIT)
    products_import = mutation(
        resolve.products_import,
        returns=ProductsImportResult,
        allow=Permission.CATALOG_EDIT,
        field_name="result",
        price=IMPORT,
    )
