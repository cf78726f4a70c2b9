"""Whom carriers are asked about, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import CarrierCode, CarrierPolls, ReturnParcel, Shipment
from models.sql.types import NewRow
from models.sql.upsert import upsert_into

PolledTable = type[Shipment] | type[ReturnParcel]
"""Parcels that leave, or come back."""

LATELY = timedelta(days=1)
RARELY = 6
"""A parcel whose carrier has lately reported by itself is asked about after so many intervals."""


@dataclass(frozen=True, slots=True)
class PollPlan:
    """How often a carrier is asked about one parcel, and about all of them."""

    carrier: CarrierCode
    interval: timedelta
    shortest: timedelta = timedelta(0)
    """Never sooner after the last question about the same parcel."""
    per_day: int | None = None
    """Questions about all parcels in one day (UTC)."""


@dataclass(frozen=True, slots=True)
class DueParcel:
    """What decides when a parcel is asked about."""

    id: int
    polled_at: datetime | None
    subscribed_at: datetime | None
    last_event_at: datetime | None

    def allowed_at(self, plan: PollPlan, now: datetime) -> datetime:
        return self.polled_at + plan.shortest if self.polled_at else now

    def next_at(self, plan: PollPlan, now: datetime) -> datetime:
        """When it is asked about next, once it is asked about now."""
        reports = self.subscribed_at is not None and self.polled_at is not None
        lately = self.last_event_at is not None and self.last_event_at >= now - LATELY
        return now + (plan.interval * RARELY if reports and lately else plan.interval)


async def claim_polls(
    session: AsyncSession,
    parcel_ids: Sequence[int],
    *,
    now: datetime,
    plan: PollPlan,
    table: PolledTable = Shipment,
) -> list[int]:
    """Those of these parcels about which it is this caller's turn to ask; then nobody's until the plan says.

    What another process is claiming is left to it. Where a parcel was asked about less than `shortest` ago,
    it is nobody's turn until that is over; beyond `per_day`, parcels stay due.
    """
    left = len(parcel_ids)
    if plan.per_day is not None:
        left = max(plan.per_day - await lock_polls_of_day(session, plan.carrier, now), 0)
    rows = await session.execute(
        select(table.id, table.polled_at, table.subscribed_at, table.last_event_at)
        .where(table.id.in_(parcel_ids), table.poll_at <= now)
        .order_by(table.poll_at)
        .with_for_update(skip_locked=True)
    )
    due = [DueParcel(*row) for row in rows]
    early = [each for each in due if each.allowed_at(plan, now) > now]
    claimed = [each for each in due if each.allowed_at(plan, now) <= now][:left]
    moved: list[NewRow] = [{"id": each.id, "poll_at": each.allowed_at(plan, now)} for each in early]
    asked: list[NewRow] = [
        {"id": each.id, "poll_at": each.next_at(plan, now), "polled_at": now} for each in claimed
    ]
    for values in filter(None, (moved, asked)):
        await session.execute(update(table), values)
    if plan.per_day is not None and claimed:
        await session.execute(
            update(CarrierPolls)
            .where(CarrierPolls.carrier == plan.carrier, CarrierPolls.day == now.date())
            .values(polls=CarrierPolls.polls + len(claimed))
        )
    return [each.id for each in claimed]


async def lock_polls_of_day(session: AsyncSession, carrier: CarrierCode, now: datetime) -> int:
    """How many questions a carrier was asked today, locked: processes claim one after the other."""
    new = upsert_into(session, CarrierPolls).values(carrier=carrier, day=now.date(), polls=0)
    await session.execute(new.on_conflict_do_nothing())
    found = select(CarrierPolls.polls).where(CarrierPolls.carrier == carrier, CarrierPolls.day == now.date())
    return await session.scalar(found.with_for_update()) or 0


async def record_subscribed(
    session: AsyncSession, parcel_id: int, *, now: datetime, table: PolledTable = Shipment
) -> None:
    """The carrier of a parcel has agreed to report by itself."""
    await session.execute(update(table).where(table.id == parcel_id).values(subscribed_at=now))


def resubscribe(shipment: Shipment | ReturnParcel, *, company_code: str, poll_at: datetime) -> None:
    """The connection has found that another carrier has a locked parcel, or has given it up: it is asked
    anew."""
    if shipment.poll_at is None:
        return
    shipment.poll_at = poll_at
    if company_code:
        shipment.company_code = company_code
    else:
        shipment.subscribed_at = None
