"""The quality of the catalogue: assessed once for each state of it, then read from memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Float, Integer, String, column

from domain.quality import ProductScore, QualityAssessment, QualityIssue, QualityReason, count_by_reason
from loaders.page import FIRST_PAGE, Key, Page, PageRequest, Sort
from resolvers.analytics.report import find_filter_category
from resolvers.context import Info
from resolvers.inputs.analytics import QualityFilter
from resolvers.paging import list_page

ISSUES = Sort("issues", (Key(column("gain", Float), descending=True), Key(column("key", String))))
SCORES = Sort(
    "scores",
    (
        Key(column("score", Integer)),
        Key(column("gain", Float), descending=True),
        Key(column("product_id", Integer)),
    ),
)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The number and the gain of the issues of one reason."""

    reason: QualityReason
    count: int
    gain: float


@dataclass(frozen=True, slots=True)
class CatalogQuality:
    """The assessment of the catalogue, or of a part of it."""

    assessment: QualityAssessment

    @property
    def score(self) -> int:
        return self.assessment.score

    @property
    def reasons(self) -> Sequence[ReasonCount]:
        return [ReasonCount(*row) for row in count_by_reason(self.assessment.issues)]


async def catalog_quality(info: Info, filter: QualityFilter | None = None) -> CatalogQuality:
    """Incomplete, inconsistent and duplicate products of the catalogue, without archived ones.

    filter: which products; all when left out
    """
    category = await find_filter_category(info, filter.category if filter else None)
    assessment = await info.context.shop.quality.assess()
    return CatalogQuality(assessment.within(category.id if category else None))


def quality_issues(
    root: CatalogQuality,
    reasons: list[QualityReason] | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[QualityIssue]:
    """The issues to fix, those with the highest gain first.

    reasons: only issues of these reasons
    """
    issues = [each for each in root.assessment.issues if reasons is None or each.reason in reasons]
    return list_page(issues, ISSUES, page, of=lambda issue: (-issue.gain, issue.key))


async def issue_messages(issues: Sequence[QualityIssue], info: Info) -> list[str]:
    """The issue, for people."""
    viewer = info.context.viewer_of(info)
    return [viewer.text_of(issue.message) for issue in issues]


def quality_products(root: CatalogQuality, page: PageRequest = FIRST_PAGE) -> Page[ProductScore]:
    """The products, the least complete first."""
    return list_page(
        root.assessment.products,
        SCORES,
        page,
        of=lambda each: (each.score, -each.gain, each.product_id),
    )
