"""What is incomplete, inconsistent or twice in the catalogue, and what fixing it would bring."""

from domain.quality.assess import Assessment, ProductScore, assess, counted
from domain.quality.issue import Issue, QualityReason
from domain.quality.reading import read_catalogue, state_of_catalogue

__all__ = [
    "Assessment",
    "Issue",
    "ProductScore",
    "QualityReason",
    "assess",
    "counted",
    "read_catalogue",
    "state_of_catalogue",
]
