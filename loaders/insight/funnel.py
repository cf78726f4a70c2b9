"""How many come one step further: from looking to having."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import case, func, select

from loaders.insight.figures import Grouping, members_of, rate, seen_in
from loaders.insight.period import Selection
from loaders.prepared import Reads
from models import Order, OrderLine


class FunnelStage(StrEnum):
    """How far a purchase has come."""

    VIEWED = "VIEWED"
    """Products were looked at."""
    ADDED = "ADDED"
    """Products were put into a cart."""
    ORDERED = "ORDERED"
    """Orders were placed, those included that were cancelled later."""
    PAID = "PAID"
    """Orders were paid, or accepted as cash on delivery."""
    COMPLETED = "COMPLETED"
    """Orders have arrived, and their receipt was confirmed."""


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How often a stage was reached."""

    stage: FunnelStage
    count: int
    of_previous: float | None
    of_first: float | None


async def funnel(reads: Reads, selection: Selection) -> Sequence[FunnelStep]:
    """Two statements."""
    members = members_of(selection, Grouping.ALL)
    counts = select(
        func.count(Order.id.distinct()),
        func.count(case((Order.confirmed_at.is_not(None), Order.id)).distinct()),
        func.count(case((Order.completed_at.is_not(None), Order.id)).distinct()),
    ).join(OrderLine, OrderLine.order_id == Order.id)
    placed = (
        members.joined(counts, OrderLine.product_id)
        .where(Order.placed_at >= selection.begin(selection.days.first))
        .where(Order.placed_at < selection.end(selection.days.last))
    )
    async with reads() as session:
        seen = (await session.execute(seen_in(members, selection))).one_or_none()
        ordered = (await session.execute(placed)).one()
    reached = [*(seen[2:] if seen else (0, 0)), *ordered]
    return [
        FunnelStep(stage, count, rate(count, previous), rate(count, reached[0]))
        for stage, count, previous in zip(FunnelStage, reached, [reached[0], *reached], strict=False)
    ]
