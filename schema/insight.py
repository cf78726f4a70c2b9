"""Figures for staff: what sells, and what the catalogue lacks."""

import strawberry

from loaders.insight import CatalogGap as Gap
from loaders.insight import ProductQuality as Quality
from loaders.insight import ProductSales as Sales
from resolvers import insight as resolve
from resolvers.described import describe_enum
from resolvers.guard import CATALOGUE
from schema.catalog import Attribute, Product
from schema.rows import field, loaded, row_type
from schema.scalars import Money

CatalogGap = describe_enum(Gap)


@row_type(Sales)
class ProductSales:
    """What was sold of a product."""

    product: Product = loaded("product", key="product_id")
    """Of what."""
    units: int
    """How many units."""
    orders: int
    """In how many orders."""
    revenue: list[Money]
    """What they cost together, discounts taken off, once per currency."""


@row_type(Quality)
class ProductQuality:
    """How complete a product is."""

    product: Product
    """Which."""
    score: int
    """How much of what a complete product has, in percent."""
    missing: list[Gap]
    """What it lacks."""
    missing_attributes: list[Attribute]
    """The attributes its category asks for in vain."""


@strawberry.type
class InsightQuery:
    product_report: list[ProductSales] = field(resolve.product_report, allow=CATALOGUE)
    catalog_quality: list[ProductQuality] = field(resolve.catalog_quality, allow=CATALOGUE)
