"""Figures for staff: how each field is answered."""

from resolvers.insight.quality import catalog_quality
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
    "CategoryLine",
    "ProductLine",
    "ProductReport",
    "catalog_quality",
    "product_report",
    "report_categories",
    "report_dead_stock",
    "report_figures",
    "report_funnel",
    "report_parts",
    "report_products",
]
