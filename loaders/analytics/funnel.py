"""The sales funnel: from views to completed orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import case, func, or_, select

from loaders.analytics.figures import ratio_of
from loaders.analytics.period import ReportSelection
from loaders.analytics.sources import Grouping, select_members, select_views
from models import Order, OrderLine
from models.database import Reads


class FunnelStage(StrEnum):
    """A stage of the sales funnel."""

    VIEWED = "VIEWED"
    """Products were viewed."""
    ADDED = "ADDED"
    """Products were added to a cart."""
    ORDERED = "ORDERED"
    """Orders were placed, including those cancelled later."""
    PAID = "PAID"
    """Orders were paid, or accepted as cash on delivery."""
    COMPLETED = "COMPLETED"
    """Orders were delivered and their receipt was confirmed."""


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How often a stage was reached."""

    stage: FunnelStage
    count: int
    of_previous: float | None
    of_first: float | None


async def load_funnel(reads: Reads, selection: ReportSelection) -> Sequence[FunnelStep]:
    """The funnel of the products of a report; two statements."""
    members = select_members(selection, Grouping.ALL)
    # An order that opens again keeps when its receipt was confirmed; release 0.2.0 wrote `completed_at` only.
    received = or_(Order.completed_at.is_not(None), Order.receipt_confirmed_at.is_not(None))
    counts = select(
        func.count(Order.id.distinct()),
        func.count(case((Order.confirmed_at.is_not(None), Order.id)).distinct()),
        func.count(case((received, Order.id)).distinct()),
    ).join(OrderLine, OrderLine.order_id == Order.id)
    placed = (
        members.join_to(counts, OrderLine.product_id)
        .where(Order.placed_at >= selection.start_of(selection.days.first))
        .where(Order.placed_at < selection.end_of(selection.days.last))
    )
    async with reads() as session:
        viewed = (await session.execute(select_views(members, selection))).one_or_none()
        ordered = (await session.execute(placed)).one()
    reached = [*(viewed[2:] if viewed else (0, 0)), *ordered]
    return [
        FunnelStep(stage, count, ratio_of(count, previous), ratio_of(count, reached[0]))
        for stage, count, previous in zip(FunnelStage, reached, [reached[0], *reached], strict=False)
    ]
