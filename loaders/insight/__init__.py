"""Figures: what sells, and what does not."""

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
from loaders.insight.period import Days, ReportInterval, Selection, parts

__all__ = [
    "Days",
    "DeadStock",
    "Figures",
    "FunnelStage",
    "FunnelStep",
    "Grouping",
    "Part",
    "ReportInterval",
    "ReportMeasure",
    "Selection",
    "dead_stock",
    "figures_of",
    "funnel",
    "parts",
    "parts_of",
    "ranked",
]
