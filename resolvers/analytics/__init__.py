"""Resolvers of reports and of the quality of the catalogue."""

from domain.quality import ProductScore, QualityIssue, QualityReason
from loaders.analytics import (
    DeadStock,
    Figures,
    FunnelStage,
    FunnelStep,
    IntervalFigures,
    ReportInterval,
    ReportMeasure,
)
from resolvers.analytics.quality import (
    CatalogQuality,
    ReasonCount,
    catalog_quality,
    issue_messages,
    quality_issues,
    quality_products,
)
from resolvers.analytics.report import (
    CategoryLine,
    ProductLine,
    ProductReport,
    product_report,
    report_categories,
    report_dead_stock,
    report_figures,
    report_funnel,
    report_over_time,
    report_products,
)

__all__ = [
    "CatalogQuality",
    "CategoryLine",
    "DeadStock",
    "Figures",
    "FunnelStage",
    "FunnelStep",
    "IntervalFigures",
    "ProductLine",
    "ProductReport",
    "ProductScore",
    "QualityIssue",
    "QualityReason",
    "ReasonCount",
    "ReportInterval",
    "ReportMeasure",
    "catalog_quality",
    "issue_messages",
    "product_report",
    "quality_issues",
    "quality_products",
    "report_categories",
    "report_dead_stock",
    "report_figures",
    "report_funnel",
    "report_over_time",
    "report_products",
]
