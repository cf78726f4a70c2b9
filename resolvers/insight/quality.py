"""What the catalogue lacks: looked through once for each state of it, then read from memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Float, Integer, String, column

from domain.quality import Assessment, Issue, ProductScore, QualityReason, counted
from events.assessing import assessment
from loaders.page import PAGE_DEFAULT, Key, Page, Sort
from resolvers.context import Info
from resolvers.inputs.insight import QualityFilter
from resolvers.insight.report import chosen_category
from resolvers.paging import paged_list

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
    """How much there is to do for one reason."""

    reason: QualityReason
    count: int
    gain: float


@dataclass(frozen=True, slots=True)
class CatalogQuality:
    """What there is to say of the catalogue."""

    found: Assessment

    @property
    def score(self) -> int:
        return self.found.score

    @property
    def reasons(self) -> Sequence[ReasonCount]:
        return [ReasonCount(*row) for row in counted(self.found.issues)]


async def catalog_quality(info: Info, filter: QualityFilter | None = None) -> CatalogQuality:
    """What is incomplete, inconsistent or there twice in the catalogue; archived products do not count.

    filter: which products; all of them without it
    """
    category = await chosen_category(info, filter.category if filter else None)
    found = await assessment(info.context.shop)
    return CatalogQuality(found.within(category.id if category else None))


def quality_issues(
    root: CatalogQuality,
    reasons: list[QualityReason] | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Issue]:
    """Everything to put right, what brings most first.

    reasons: for one of these reasons only
    first: how many, at most 100
    after: the cursor of the last one seen
    """
    issues = [each for each in root.found.issues if reasons is None or each.reason in reasons]
    return paged_list(issues, ISSUES, of=lambda issue: (-issue.gain, issue.key), first=first, after=after)


def quality_products(
    root: CatalogQuality, first: int = PAGE_DEFAULT, after: str | None = None
) -> Page[ProductScore]:
    """The products, the least complete first.

    first: how many, at most 100
    after: the cursor of the last one seen
    """
    return paged_list(
        root.found.products,
        SCORES,
        of=lambda each: (each.score, -each.gain, each.product_id),
        first=first,
        after=after,
    )
