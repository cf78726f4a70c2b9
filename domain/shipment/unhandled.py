"""What carriers report that the shop cannot follow: kept as it came, counted, and deleted in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.tracking import TrackingFact
from models import CarrierConnection, Shipment, UnhandledKind, UnhandledReport
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

REPORTS_KEPT = timedelta(days=90)
"""From when it last came."""
DETAIL_LIMIT = 2_000
BEFORE_PACKING = timedelta(days=1)
AHEAD = timedelta(days=1)
"""How wrong the clock or the time zone of a carrier may be."""


@dataclass(frozen=True, slots=True)
class Unhandled:
    """What could not be followed, and why."""

    kind: UnhandledKind
    detail: str
    tracking_number: str = ""


async def record_unhandled(
    session: AsyncSession, connection: CarrierConnection, found: Sequence[Unhandled], *, now: datetime
) -> None:
    """Keep reports, or count those that have come before."""
    for each in sorted(set(found), key=lambda each: (each.kind, each.tracking_number, each.detail)):
        detail = each.detail[:DETAIL_LIMIT]
        await session.execute(
            upsert_into(session, UnhandledReport)
            .values(
                connection=connection,
                kind=each.kind,
                tracking_number=each.tracking_number,
                detail=detail,
                detail_hash=sha256(detail.encode()).hexdigest(),
                times=1,
                first_at=now,
                last_at=now,
            )
            .on_conflict_do_update(
                index_elements=["connection", "kind", "tracking_number", "detail_hash"],
                set_={"times": UnhandledReport.times + 1, "last_at": now},
            )
        )


def sift_facts(
    shipment: Shipment, facts: Sequence[TrackingFact], *, now: datetime
) -> tuple[list[TrackingFact], list[Unhandled]]:
    """The facts that can have happened, and what cannot be followed of all."""
    possible, unhandled = [], []
    for fact in facts:
        if not shipment.packed_at - BEFORE_PACKING <= fact.occurred_at <= now + AHEAD:
            detail = f"{fact.occurred_at.isoformat()} {fact.code} {fact.description}"
            unhandled.append(Unhandled(UnhandledKind.IMPOSSIBLE_TIME, detail, shipment.tracking_number or ""))
            continue
        possible.append(fact)
        if fact.status is None and fact.code:
            unhandled.append(Unhandled(UnhandledKind.UNKNOWN_CODE, fact.code))
    return possible, unhandled


def select_old_reports(now: datetime) -> AnySelect:
    """Select the ids of reports that have not come for REPORTS_KEPT."""
    return select(UnhandledReport.id).where(UnhandledReport.last_at <= now - REPORTS_KEPT)


async def delete_old_report(session: AsyncSession, report_id: int, *, now: datetime) -> None:
    await session.execute(
        delete(UnhandledReport)
        .where(UnhandledReport.id == report_id)
        .where(UnhandledReport.last_at <= now - REPORTS_KEPT)
    )
