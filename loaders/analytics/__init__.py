"""Reports for staff: figures of products and categories, the sales funnel, and dead stock."""

from loaders.analytics.dead_stock import DeadStock, select_dead_stock
from loaders.analytics.figures import (
    Figures,
    IntervalFigures,
    ReportMeasure,
    load_figures,
    load_figures_over_time,
    select_by_measure,
)
from loaders.analytics.funnel import FunnelStage, FunnelStep, load_funnel
from loaders.analytics.period import DateRange, ReportInterval, ReportSelection, split_days
from loaders.analytics.sources import Grouping

__all__ = [
    "DateRange",
    "DeadStock",
    "Figures",
    "FunnelStage",
    "FunnelStep",
    "Grouping",
    "IntervalFigures",
    "ReportInterval",
    "ReportMeasure",
    "ReportSelection",
    "load_figures",
    "load_figures_over_time",
    "load_funnel",
    "select_by_measure",
    "select_dead_stock",
    "split_days",
]
