"""Assessing the catalogue: incomplete, inconsistent and duplicate products, and the gain of fixing them."""

from domain.quality.assess import ProductScore, QualityAssessment, assess, count_by_reason
from domain.quality.issue import QualityIssue, QualityReason
from domain.quality.reading import catalogue_state, read_catalogue

__all__ = [
    "ProductScore",
    "QualityAssessment",
    "QualityIssue",
    "QualityReason",
    "assess",
    "catalogue_state",
    "count_by_reason",
    "read_catalogue",
]
