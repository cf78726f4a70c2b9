"""Figures: what sells, what does not, and what the catalogue lacks."""

from loaders.insight.dead import DeadStock, dead_stock
from loaders.insight.figures import (
    Figures,
    Grouping,
    Part,
    ReportMeasure,
    figures_of,
    parts_of,
    ranked,
)
from loaders.insight.funnel import FunnelStage, FunnelStep, funnel
from loaders.insight.gaps import CatalogGap, ProductQuality, product_quality
from loaders.insight.period import Days, ReportInterval, Selection, parts

__all__ = [
    "CatalogGap",
    "Days",
    "DeadStock",
    "Figures",
    "FunnelStage",
    "FunnelStep",
    "Grouping",
    "Part",
    "ProductQuality",
    "ReportInterval",
    "ReportMeasure",
    "Selection",
    "dead_stock",
    "figures_of",
    "funnel",
    "parts",
    "parts_of",
    "product_quality",
    "ranked",
]
