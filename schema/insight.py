"""Figures for staff: what sells, and what the catalogue lacks."""

from datetime import date, datetime

import strawberry

import domain.quality as quality
import loaders.insight as loaders
from resolvers import insight as resolve
from resolvers.described import describe_enum
from resolvers.guard import CATALOGUE
from schema.catalog import Category, Product, Variant
from schema.connection import Connection
from schema.rows import batched, field, loaded, row_type
from schema.scalars import Money

QualityReason = describe_enum(quality.QualityReason)
ReportInterval = describe_enum(loaders.ReportInterval)
ReportMeasure = describe_enum(loaders.ReportMeasure)
FunnelStage = describe_enum(loaders.FunnelStage)


@row_type(loaders.Figures)
class Figures:
    """What was looked at, bought and sent back."""

    views: int
    """How often customers looked at it; staff and robots do not count."""
    adds: int
    """How often it was put into a cart."""
    orders: int
    """How many orders have it."""
    units: int
    """How many units were ordered."""
    revenue: list[Money]
    """What they cost together, discounts taken off, once per currency; refunds are not taken off."""
    returned: int
    """How many of these units came back, whenever they did."""
    return_rate: float | None
    """Which part of the units came back, from 0 to 1; null where none was sold."""
    conversion: float | None
    """Orders for each view; null where nobody looked."""


@row_type(loaders.Part)
class FiguresOverTime:
    """The figures of some days in a row."""

    first: date
    """The first of them."""
    last: date
    """The last of them."""
    figures: Figures
    """What happened."""


@row_type(loaders.FunnelStep)
class FunnelStep:
    """How often a stage was reached."""

    stage: loaders.FunnelStage
    """Which."""
    count: int
    """How often."""
    of_previous: float | None
    """For each time the stage before was reached."""
    of_first: float | None
    """For each view."""


@row_type(resolve.ProductLine)
class ProductFigures:
    """How one product did."""

    product: Product
    """Which."""
    figures: Figures = batched(resolve.report_figures)
    over_time: list[FiguresOverTime] = batched(resolve.report_parts)


@row_type(resolve.CategoryLine)
class CategoryFigures:
    """How one category did, with everything below it."""

    category: Category
    """Which."""
    figures: Figures = batched(resolve.report_figures)
    over_time: list[FiguresOverTime] = batched(resolve.report_parts)


@row_type(loaders.DeadStock)
class DeadStock:
    """A variant that lies in the warehouses and nobody has ordered for long."""

    variant: Variant
    """Of what."""
    on_hand: int
    """How many lie there, in all warehouses together."""
    value: Money | None
    """What they would cost at today's price; null where it is not sold in the viewer's currency."""
    last_sold_at: datetime | None
    """When one was ordered last; null if never."""
    days_unsold: int | None
    """Days since then; null if never."""


@row_type(resolve.ProductReport)
class ProductReport:
    """How products do; each part is worked out only when it is asked for."""

    first: date
    """The first day of it."""
    last: date
    """The last day of it, included."""
    time_zone: str
    """Where its days begin and end."""
    figures: Figures = batched(resolve.report_figures)
    over_time: list[FiguresOverTime] = batched(resolve.report_parts)
    funnel: list[FunnelStep] = batched(resolve.report_funnel)
    products: Connection[ProductFigures] = batched(resolve.report_products)
    categories: Connection[CategoryFigures] = batched(resolve.report_categories)
    dead_stock: Connection[DeadStock] = batched(resolve.report_dead_stock)


@row_type(quality.Issue)
class QualityIssue:
    """One thing to put right in the catalogue."""

    product: Product = loaded("product", key="product_id")
    """Where."""
    reason: quality.QualityReason
    """What is wrong, for programs."""
    field: str
    """Which part of the product it is about, such as "attributes.colour"."""
    words: str
    """What is wrong, for people."""
    other: Product | None = loaded("product", key="other_id")
    """The product it seems to be a duplicate of."""
    gain: float
    """What putting it right would bring, in percent of the shop's views, sales and stock: a rule of thumb."""


@row_type(quality.ProductScore)
class ProductQuality:
    """How complete a product is, and what there is to do about it."""

    product: Product = loaded("product", key="product_id")
    """Which."""
    score: int
    """How much it has of what its category asks for, in percent."""
    issues: list[QualityIssue]
    """What there is to put right, what brings most first."""
    gain: float
    """What all of that would bring together."""


@row_type(resolve.ReasonCount)
class QualityReasonCount:
    """How much there is to do for one reason."""

    reason: quality.QualityReason
    """Which reason."""
    count: int
    """How many issues."""
    gain: float
    """What putting all of them right would bring."""


@row_type(resolve.CatalogQuality)
class CatalogQuality:
    """What is incomplete, inconsistent or there twice."""

    score: int
    """How complete an average product is, in percent."""
    reasons: list[QualityReasonCount]
    """How much there is to do, by reason; what brings most first."""
    issues: Connection[QualityIssue] = field(resolve.quality_issues)
    products: Connection[ProductQuality] = field(resolve.quality_products)


@strawberry.type
class InsightQuery:
    product_report: ProductReport = field(resolve.product_report, allow=CATALOGUE)
    catalog_quality: CatalogQuality = field(resolve.catalog_quality, allow=CATALOGUE)
