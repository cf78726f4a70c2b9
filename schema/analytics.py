"""Types of reports and of the quality of the catalogue."""

from datetime import date, datetime

import strawberry

from resolvers import analytics as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.catalog import Category, Product, Variant
from schema.connection import Connection
from schema.limits.sizes import COUNT, FEW, MANY, REPORT, SOME
from schema.rows import batched, field, loaded, plain_list, row_type
from schema.scalars import Money

QualityReason = describe_enum(resolve.QualityReason)
ReportInterval = describe_enum(resolve.ReportInterval)
ReportMeasure = describe_enum(resolve.ReportMeasure)
FunnelStage = describe_enum(resolve.FunnelStage)


@row_type(resolve.Figures)
class Figures:
    """Views, cart additions, orders, revenue and returns."""

    views: int
    """Views by customers; staff and robots do not count."""
    cart_additions: int
    """How often it was added to a cart."""
    orders: int
    """Orders that contain it."""
    units: int
    """Units ordered."""
    revenue: list[Money] = plain_list(size=FEW)
    """Revenue of these units, one amount per currency: after discounts, before refunds."""
    returned: int
    """How many of these units were returned, at any time."""
    return_rate: float | None
    """Returned units divided by units, from 0 to 1; null where none was ordered."""
    conversion: float | None
    """Orders divided by views; null where there were no views."""


@row_type(resolve.IntervalFigures)
class IntervalFigures:
    """The figures of one interval of a report."""

    first: date
    """Its first day."""
    last: date
    """Its last day, included."""
    figures: Figures
    """The figures of these days."""


@row_type(resolve.FunnelStep)
class FunnelStep:
    """How often a stage of the sales funnel was reached."""

    stage: resolve.FunnelStage
    """The stage."""
    count: int
    """How often it was reached."""
    of_previous: float | None
    """Divided by the count of the stage before; null where that is 0."""
    of_first: float | None
    """Divided by the number of views; null where there were none."""


@row_type(resolve.ProductLine)
class ProductFigures:
    """The figures of one product."""

    product: Product
    """The product."""
    figures: Figures = batched(resolve.report_figures)
    over_time: list[IntervalFigures] = batched(resolve.report_over_time, size=MANY, price=COUNT)


@row_type(resolve.CategoryLine)
class CategoryFigures:
    """The figures of one category with everything below it."""

    category: Category
    """The category."""
    figures: Figures = batched(resolve.report_figures)
    over_time: list[IntervalFigures] = batched(resolve.report_over_time, size=MANY, price=COUNT)


@row_type(resolve.DeadStock)
class DeadStock:
    """A variant in stock that nobody has ordered for a long time."""

    variant: Variant
    """The variant."""
    on_hand: int
    """Units on hand in all warehouses together."""
    value: Money | None
    """Their value at the present price; null where it is not sold in the viewer's currency."""
    last_sold_at: datetime | None
    """When it was last ordered; null if never."""
    days_unsold: int | None
    """Days since then; null if never."""


@row_type(resolve.ProductReport)
class ProductReport:
    """Figures of products; each part is computed only when it is asked for."""

    first: date
    """Its first day."""
    last: date
    """Its last day, included."""
    time_zone: str
    """The time zone its days are in."""
    figures: Figures = batched(resolve.report_figures, price=REPORT)
    over_time: list[IntervalFigures] = batched(resolve.report_over_time, size=MANY, price=REPORT)
    funnel: list[FunnelStep] = batched(resolve.report_funnel, size=FEW, price=REPORT)
    products: Connection[ProductFigures] = batched(resolve.report_products, price=REPORT)
    categories: Connection[CategoryFigures] = batched(resolve.report_categories, price=REPORT)
    dead_stock: Connection[DeadStock] = batched(resolve.report_dead_stock, price=REPORT)


@row_type(resolve.QualityIssue)
class QualityIssue:
    """An issue of the catalogue that should be fixed."""

    product: Product = loaded("product", key="product_id")
    """The product it is about."""
    reason: resolve.QualityReason
    """The kind of issue, for programs."""
    field: str
    """The field of the product it is about, such as "attributes.colour"."""
    message: str = batched(resolve.issue_messages)
    other: Product | None = loaded("product", key="other_id")
    """The product it seems to be a duplicate of; null for other issues."""
    gain: float
    """A rough estimate of what fixing it brings, in percent of the shop's views, sales and stock."""


@row_type(resolve.ProductScore)
class ProductQuality:
    """How complete a product is, and its issues."""

    product: Product = loaded("product", key="product_id")
    """The product."""
    score: int
    """How much of what its category requires it has, in percent."""
    issues: list[QualityIssue] = plain_list(size=FEW)
    """Its issues, those with the highest gain first."""
    gain: float
    """The gain of all its issues together."""


@row_type(resolve.ReasonCount)
class QualityReasonCount:
    """The issues of one reason, counted."""

    reason: resolve.QualityReason
    """The reason."""
    count: int
    """How many issues there are."""
    gain: float
    """The gain of all of them together."""


@row_type(resolve.CatalogQuality)
class CatalogQuality:
    """The quality of the catalogue: incomplete, inconsistent and duplicate products."""

    score: int
    """The average completeness of the products, in percent."""
    reasons: list[QualityReasonCount] = plain_list(size=SOME)
    """The issues counted by reason, the highest gain first."""
    issues: Connection[QualityIssue] = field(resolve.quality_issues)
    products: Connection[ProductQuality] = field(resolve.quality_products)


@strawberry.type
class AnalyticsQuery:
    product_report: ProductReport = field(resolve.product_report, allow=Permission.ANALYTICS_VIEW)
    catalog_quality: CatalogQuality = field(
        resolve.catalog_quality, allow=Permission.ANALYTICS_VIEW, price=REPORT
    )
