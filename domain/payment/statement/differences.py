"""Differences between statements and the books as tasks: each once, until it is resolved."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from domain.payment.fees import CORRECTED, ProviderFee, find_posted_fees, post_fees
from domain.payment.statement.books import find_booked
from domain.payment.statement.comparison import Difference
from domain.payment.statement.entries import PAGE, Period
from models import (
    CurrencyCode,
    DifferenceKind,
    Money,
    StatementDifference,
    StatementEntry,
    StatementKind,
)
from models.sql.upsert import upsert_into

NOTE_LIMIT = 2_000


async def store_differences(
    session: AsyncSession, period: Period, differences: Sequence[Difference], *, now: datetime
) -> None:
    """Make a task of each difference, once; one that a statement had resolved is open again."""
    if not differences:
        return
    table = StatementDifference
    statement = upsert_into(session, table)
    by_statement = table.resolved_by_id.is_(None)
    statement = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "seen_at": statement.excluded.seen_at,
            "line": statement.excluded.line,
            "resolved_at": case((by_statement, None), else_=table.resolved_at),
        },
    )
    await (await session.connection()).execute(
        statement, [describe_task(period, each, now) for each in differences]
    )


def describe_task(period: Period, difference: Difference, now: datetime) -> dict[str, object]:
    """The columns of a StatementDifference."""
    facts = (
        period.method,
        period.form,
        difference.subject,
        difference.kind,
        difference.reference,
        difference.expected,
        difference.found,
    )
    return {
        "method": period.method,
        "form": period.form,
        "subject": difference.subject,
        "kind": difference.kind,
        "reference": difference.reference,
        "order_id": difference.order_id,
        "expected": difference.expected,
        "found": difference.found,
        "happened_at": difference.happened_at,
        "line": difference.line,
        "key": "|".join(facts),
        "created_at": now,
        "seen_at": now,
        "note": "",
    }


async def resolve_agreed(session: AsyncSession, period: Period, *, now: datetime) -> int:
    """Resolve the open differences of what a period has and that differs no more; returns how many."""
    entry, table = StatementEntry, StatementDifference
    stated = exists().where(
        entry.method == period.method,
        entry.form == period.form,
        entry.reference == table.reference,
        period.contains(entry.happened_at),
    )
    resolved = await session.scalars(
        update(table)
        .where(
            table.method == period.method,
            table.form == period.form,
            table.resolved_at.is_(None),
            table.seen_at < now,
            or_(period.contains(table.happened_at), stated),
        )
        .values(resolved_at=now)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    )
    return len(resolved.all())


async def find_open_differences(
    session: AsyncSession, period: Period, *, seen_at: datetime, after: int
) -> Sequence[StatementDifference]:
    """The next differences that a comparison has found and nobody has resolved."""
    table = StatementDifference
    rows = await session.scalars(
        select(table)
        .where(table.method == period.method, table.form == period.form, table.seen_at >= seen_at)
        .where(table.resolved_at.is_(None), table.id > after)
        .order_by(table.id)
        .limit(PAGE)
    )
    return rows.all()


async def resolve_difference(
    session: AsyncSession, difference_id: int, *, note: str, cause: Cause
) -> StatementDifference:
    """Resolve a difference with a note; one of fees is booked as the provider states it.

    WrongState when it is resolved already.
    """
    difference = await session.get(
        StatementDifference, difference_id, with_for_update=True, populate_existing=True
    )
    if difference is None:
        raise NotFound("difference", field=("id",))
    if difference.resolved_at is not None:
        raise WrongState("This difference is resolved already.", field=("id",))
    difference.note = required_note(note)
    difference.resolved_at, difference.resolved_by_id = cause.now, cause.person
    if difference.kind is DifferenceKind.FEE:
        await correct_fee(session, difference, now=cause.now)
    return difference


async def correct_fee(session: AsyncSession, difference: StatementDifference, *, now: datetime) -> None:
    """Post what the fees of a reference in the statements differ by from those that were posted."""
    period = Period(
        method=difference.method,
        form=difference.form,
        starts_at=difference.happened_at,
        ends_at=now,
        time_zone=UTC,
    )
    booked = await find_booked(session, period, difference.subject, [difference.reference])
    row = booked.get(difference.reference)
    if row is None:
        return
    fees = await find_posted_fees(session, {row.order_id})
    posted = sum(fees.get(reference, 0) for reference in row.fee_references)
    stated = await sum_stated_fees(session, difference, row.amount.currency)
    correction = ProviderFee(
        order_id=row.order_id,
        payment_id=row.payment_id,
        reference=f"{row.fee_references[0]}{CORRECTED}{difference.id}",
        fee=Money(stated - posted, row.amount.currency),
    )
    await post_fees(session, [correction], now=now)


async def sum_stated_fees(
    session: AsyncSession, difference: StatementDifference, currency: CurrencyCode
) -> int:
    """Minor units of the fees that the statements have under the reference of a difference."""
    entry = StatementEntry
    in_own_line = difference.subject is StatementKind.FEE
    fee, of_fee = (-entry.amount, entry.currency) if in_own_line else (entry.fee_amount, entry.fee_currency)
    stated = await session.scalar(
        select(func.coalesce(func.sum(fee), 0)).where(
            entry.method == difference.method,
            entry.form == difference.form,
            entry.kind == difference.subject,
            entry.reference == difference.reference,
            of_fee == currency,
        )
    )
    return int(stated or 0)


def required_note(note: str) -> str:
    """The note without surrounding space; Invalid where it is empty or too long."""
    text = note.strip()
    if not 1 <= len(text) <= NOTE_LIMIT:
        raise Invalid("A note has 1 to {limit} characters.", limit=NOTE_LIMIT, field=("note",))
    return text
