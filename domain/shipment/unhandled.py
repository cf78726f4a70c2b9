"""What carriers report that the shop cannot follow: kept as it came, counted, and deleted in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.history import TrackingFact
from domain.shipment.tracking import ParcelReport
from models import CarrierConnection, UnhandledKind, UnhandledReport
from models.sql.batches import in_batches
from models.sql.types import AnySelect, NewRow
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


async def count_unhandled(
    session: AsyncSession, times: Mapping[tuple[CarrierConnection, Unhandled], int], *, now: datetime
) -> None:
    """Keep reports, or add to those that have come before how often they have come now."""
    rows: dict[tuple[str, str, str, str], NewRow] = {}
    for (connection, each), count in times.items():
        detail = each.detail[:DETAIL_LIMIT]
        detail_hash = sha256(detail.encode()).hexdigest()
        row = rows.setdefault(
            (connection, each.kind, each.tracking_number, detail_hash),
            {
                "connection": connection,
                "kind": each.kind,
                "tracking_number": each.tracking_number,
                "detail": detail,
                "detail_hash": detail_hash,
                "times": 0,
                "first_at": now,
                "last_at": now,
            },
        )
        row["times"] += count
    for batch in in_batches(sorted(rows)):
        stored = upsert_into(session, UnhandledReport).values([rows[key] for key in batch])
        counted = UnhandledReport.times + stored.excluded.times
        await session.execute(
            stored.on_conflict_do_update(
                index_elements=["connection", "kind", "tracking_number", "detail_hash"],
                set_={"times": counted, "last_at": now},
            )
        )


def sift_facts(
    facts: Sequence[TrackingFact], *, number: str | None, since: datetime, now: datetime
) -> tuple[list[TrackingFact], list[Unhandled]]:
    """The facts that can have happened to the parcel of this number, which is there since then, and what
    cannot be followed of all."""
    possible, unhandled = [], []
    for fact in facts:
        if not since - BEFORE_PACKING <= fact.occurred_at <= now + AHEAD:
            unhandled.append(describe_fact(UnhandledKind.IMPOSSIBLE_TIME, number, fact))
            continue
        possible.append(fact)
        if fact.status is None and fact.code:
            unhandled.append(Unhandled(UnhandledKind.UNKNOWN_CODE, fact.code))
    return possible, unhandled


def describe_surplus(report: ParcelReport) -> list[Unhandled]:
    """The facts that were not stored, since their parcel has too many."""
    return describe_too_many(report.surplus, report.shipment.tracking_number)


def describe_too_many(surplus: Sequence[TrackingFact], number: str | None) -> list[Unhandled]:
    return [describe_fact(UnhandledKind.TOO_MANY_EVENTS, number, fact) for fact in surplus]


def describe_fact(kind: UnhandledKind, number: str | None, fact: TrackingFact) -> Unhandled:
    detail = f"{fact.occurred_at.isoformat()} {fact.code} {fact.description}"
    return Unhandled(kind, detail, number or "")


def select_old_reports(now: datetime) -> AnySelect:
    """Select the ids of reports that have not come for REPORTS_KEPT."""
    return select(UnhandledReport.id).where(UnhandledReport.last_at <= now - REPORTS_KEPT)


async def delete_old_report(session: AsyncSession, report_id: int, *, now: datetime) -> None:
    await session.execute(
        delete(UnhandledReport)
        .where(UnhandledReport.id == report_id)
        .where(UnhandledReport.last_at <= now - REPORTS_KEPT)
    )
