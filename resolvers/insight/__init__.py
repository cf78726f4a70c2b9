"""Figures for staff: how each field is answered."""

from resolvers.insight.quality import (
    CatalogQuality,
    ReasonCount,
    catalog_quality,
    quality_issues,
    quality_products,
)
from resolvers.insight.report import (
    CategoryLine,
    ProductLine,
    ProductReport,
    product_report,
    report_categories,
    report_dead_stock,
    report_figures,
    report_funnel,
    report_parts,
    report_products,
)

__all__ = [
    "CatalogQuality",
    "CategoryLine",
    "ProductLine",
    "ProductReport",
    "ReasonCount",
    "catalog_quality",
    "product_report",
    "quality_issues",
    "quality_products",
    "report_categories",
    "report_dead_stock",
    "report_figures",
    "report_funnel",
    "report_parts",
    "report_products",
]
