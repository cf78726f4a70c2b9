"""Comparing what a provider states of a period with the shop's books, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.payment.fees import ProviderFee, find_posted_fees
from domain.payment.statement.books import BookedRow, find_booked, select_unstated
from domain.payment.statement.entries import (
    PAGE,
    Period,
    StatedTotal,
    find_charged_apart,
    sum_next_references,
)
from models import DifferenceKind, Money, StatementKind

COMPARED = (StatementKind.PAYMENT, StatementKind.REFUND, StatementKind.FEE, StatementKind.DISPUTE)
"""What the shop has books of; other lines are stored and counted only."""
EXPECTED = (StatementKind.PAYMENT, StatementKind.REFUND, StatementKind.DISPUTE)
"""What a statement is to have where the shop has it."""
NOTHING = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A way in which a statement differs from the books."""

    subject: StatementKind
    kind: DifferenceKind
    reference: str
    order_id: int | None
    expected: str
    found: str
    happened_at: datetime
    line: int | None = None


@dataclass(slots=True)
class ComparedPage:
    """What came of comparing a page of references."""

    last: str | None
    """The last reference; None after the last page."""
    compared: int
    differences: list[Difference] = field(default_factory=list)
    new_fees: list[ProviderFee] = field(default_factory=list)
    """Fees that were not posted yet."""
    foreign_fees: int = 0
    """How many fees are in another currency than their payment, and are not in the books."""


async def compare_page(
    session: AsyncSession, period: Period, subject: StatementKind, *, after: str
) -> ComparedPage:
    """Compare the next references after `after` that a provider states in a period."""
    stated = await sum_next_references(session, period, subject, after=after)
    if subject is StatementKind.FEE:
        stated = [replace(total, fee=-total.amount) for total in stated]
    references = [total.reference for total in stated]
    booked = await find_booked(session, period, subject, references)
    charged_apart = await find_charged_apart(session, period, references)
    fees = await find_posted_fees(session, {row.order_id for row in booked.values()})
    page = ComparedPage(stated[-1].reference if len(stated) == PAGE else None, len(stated))
    for total in stated:
        row = booked.get(total.reference)
        if row is None:
            unknown = DifferenceKind.UNKNOWN_HERE
            page.differences.append(describe(total, unknown, None, NOTHING, str(total.amount)))
            continue
        if subject is not StatementKind.FEE:
            page.differences += compare(period, total, row)
        if subject is StatementKind.FEE or total.reference not in charged_apart:
            compare_fee(page, total, row, fees)
    return page


def compare(period: Period, total: StatedTotal, row: BookedRow) -> list[Difference]:
    """How what is stated differs from what is booked, but for fees."""
    amount = total.by_then if row.is_up_to_end else total.amount
    if row.is_missing:
        missing = DifferenceKind.MISSING_HERE
        # What came and went back again is as if it had never been.
        return [describe(total, missing, row.order_id, row.status, str(amount))] if amount.minor else []
    differences = []
    if amount != row.amount or total.currencies > 1:
        kind = DifferenceKind.AMOUNT
        differences.append(describe(total, kind, row.order_id, str(row.amount), str(amount)))
    day = period.day_of(total.happened_at)
    days = [period.day_of(moment) for moment in row.moments]
    if days and not days[0] <= day <= days[-1]:
        differences.append(describe(total, DifferenceKind.DAY, row.order_id, f"{days[-1]}", f"{day}"))
    return differences


def compare_fee(page: ComparedPage, total: StatedTotal, row: BookedRow, fees: Mapping[str, int]) -> None:
    """Note a fee that is to be posted, or that differs from what was posted."""
    if total.fee.currency is not row.amount.currency:
        page.foreign_fees += bool(total.fee.minor)
        return
    posted = [fees[reference] for reference in row.fee_references if reference in fees]
    if total.fee.minor and not posted:
        page.new_fees.append(
            ProviderFee(
                order_id=row.order_id,
                payment_id=row.payment_id,
                reference=row.fee_references[0],
                fee=total.fee,
            )
        )
    elif total.fee.minor != sum(posted):
        expected = str(Money(sum(posted), row.amount.currency))
        page.differences.append(describe(total, DifferenceKind.FEE, row.order_id, expected, str(total.fee)))


def describe(
    total: StatedTotal, kind: DifferenceKind, order_id: int | None, expected: str, found: str
) -> Difference:
    return Difference(
        subject=total.subject,
        kind=kind,
        reference=total.reference,
        order_id=order_id,
        expected=expected,
        found=found,
        happened_at=total.happened_at,
        line=total.line,
    )


async def find_unstated(
    session: AsyncSession, period: Period, subject: StatementKind, *, after: int
) -> tuple[int | None, list[Difference]]:
    """The next rows that are booked in a period and in no statement; and the last id, None at the end."""
    rows = (await session.execute(select_unstated(period, subject, after).limit(PAGE))).all()
    differences = [
        Difference(
            subject=subject,
            kind=DifferenceKind.MISSING_THERE,
            reference=row.reference,
            order_id=row.order_id,
            expected=str(Money(row.amount, row.currency)),
            found=NOTHING,
            happened_at=row.happened_at,
        )
        for row in rows
    ]
    return (rows[-1].id if len(rows) == PAGE else None), differences
