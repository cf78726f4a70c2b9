"""What was counted of the tickets of each day is kept, and counted again when one of them changes.

A ticket that has changed is marked in the transaction that changes it, so reports never show what is out of
date: they count days with a mark themselves (loaders/analytics/tickets.py).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import RefundDay, Shipment, Ticket, TicketDay
from models.counted_days import (
    DAY,
    DayCount,
    count_days,
    count_refunds,
    count_sent,
    no_refunds,
    spans_of,
    write_day,
    write_refunds,
)
from models.sql.batches import in_batches
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

LONGEST_DAY = timedelta(hours=26)
"""After so long every day has ended on which something happened, and what was under way in it."""

GAP_LIMIT = 40
"""Days that nobody has counted which are counted in one transaction."""


def select_changed(now: datetime) -> AnySelect:
    """Tickets of days that have ended, which were to be counted again by then, the first to be so first."""
    return (
        select(Ticket.id)
        .where(Ticket.recount_at <= now, Ticket.opened_at < now - LONGEST_DAY)
        .order_by(Ticket.recount_at, Ticket.id)
    )


async def recount_ticket(session: AsyncSession, ticket_id: int, *, zone: tzinfo, now: datetime) -> None:
    """Count the day of a ticket unless that was done meanwhile, and days that have ended uncounted."""
    ticket = await session.get(Ticket, ticket_id, populate_existing=True)
    if ticket is None or ticket.recount_at is None:
        return
    await recount_days(session, [ticket.opened_at.astimezone(zone).date()], zone=zone)
    newest = await session.scalar(select(func.max(TicketDay.day)))
    if newest is not None:
        last = (now - LONGEST_DAY).astimezone(zone).date()
        missing = [newest + number * DAY for number in range(1, min((last - newest).days, GAP_LIMIT) + 1)]
        await recount_days(session, missing, zone=zone)


async def recount_days(session: AsyncSession, days: Sequence[date], *, zone: tzinfo) -> None:
    """Keep what is true now of days; whoever counts them at the same time does so one after the other.

    Tickets that somebody changes meanwhile keep their marks, so these days are counted once more.
    """
    if not days:
        return
    await lock_days(session, days, zone)
    spans = spans_of(days, zone)
    for starts_at, ends_at in spans:
        await clear_marks(session, starts_at, ends_at)
    counted, refunds = await count_days(session, spans, zone), no_refunds()
    await count_refunds(session, spans, zone, refunds)
    await count_sent(session, spans, zone, refunds)
    await session.execute(delete(RefundDay).where(RefundDay.day.in_(days)))
    for day in days:
        await session.merge(write_day(day, counted.get(day, DayCount()), zone))
    await session.flush()
    session.add_all(row for day in days for row in write_refunds(day, refunds.get(day, {})))
    await session.flush()


async def lock_days(session: AsyncSession, days: Sequence[date], zone: tzinfo) -> None:
    """Add the days that are new, and lock them all."""
    for day in sorted(days):
        row = write_day(day, DayCount(), zone)
        values = {column.name: getattr(row, column.name) for column in TicketDay.__table__.columns}
        await session.execute(upsert_into(session, TicketDay).values(**values).on_conflict_do_nothing())
    await session.execute(
        select(TicketDay.day).where(TicketDay.day.in_(days)).order_by(TicketDay.day).with_for_update()
    )


async def clear_marks(session: AsyncSession, starts_at: datetime, ends_at: datetime) -> None:
    """Take the marks off before anything is counted; what somebody has locked keeps its mark."""
    marked = (
        select(Ticket.id)
        .where(Ticket.recount_at.is_not(None), Ticket.opened_at >= starts_at, Ticket.opened_at < ends_at)
        .order_by(Ticket.id)
        .with_for_update(skip_locked=True)
    )
    for batch in in_batches((await session.scalars(marked)).all()):
        await session.execute(
            update(Ticket)
            .where(Ticket.id.in_(batch))
            .values(recount_at=None)
            .execution_options(synchronize_session=False)
        )


async def find_countable_days(
    session: AsyncSession, *, zone: tzinfo, now: datetime, anew: bool
) -> list[date]:
    """The days that have ended since the first ticket or parcel: all, or those that nobody has counted."""
    firsts = [
        await session.scalar(select(func.min(Ticket.opened_at))),
        await session.scalar(select(func.min(Shipment.dispatched_at))),
    ]
    known = [each for each in firsts if each is not None]
    if not known:
        return []
    first, last = min(known).astimezone(zone).date(), (now - LONGEST_DAY).astimezone(zone).date()
    counted = set() if anew else set(await session.scalars(select(TicketDay.day)))
    days = (first + number * DAY for number in range((last - first).days + 1))
    return [day for day in days if day not in counted]
