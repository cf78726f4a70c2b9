"""Lines of statements as they are stored: what was read last is what a provider states of a day."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import ColumnElement, and_, case, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    CurrencyCode,
    Money,
    PaymentMethod,
    StatementDifference,
    StatementEntry,
    StatementForm,
    StatementKind,
    StatementLine,
)
from models.sql.types import AnyColumn
from models.sql.upsert import upsert_into

PAGE = 500
"""How many lines are stored, or references compared, at once."""

LineOfFile = tuple[StatementLine, int]
"""A line, and which one it is of those in the file that say the same, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a statement of a provider covers: from the first moment to before the last."""

    method: PaymentMethod
    form: StatementForm
    starts_at: datetime
    ends_at: datetime
    time_zone: tzinfo

    def day_of(self, moment: datetime) -> date:
        """The day of a moment, as the provider counts days."""
        return moment.astimezone(self.time_zone).date()

    def contains(self, moment: AnyColumn) -> ColumnElement[bool]:
        """Whether a moment is in it, as a condition in SQL."""
        return and_(moment >= self.starts_at, moment < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTotal:
    """All that a provider states under one reference."""

    subject: StatementKind
    reference: str
    amount: Money
    by_then: Money
    """As much of it as the provider had stated by the end of the period."""
    fee: Money
    happened_at: datetime
    line: int | None
    """Where it stands in the statement of the period."""
    currencies: int


def number_lines(lines: Sequence[StatementLine]) -> Iterator[Sequence[LineOfFile]]:
    """The lines in their order, PAGE at a time, those that say the same numbered."""
    seen = Counter[tuple[object, ...]]()
    for start in range(0, len(lines), PAGE):
        page: list[LineOfFile] = []
        for line in lines[start : start + PAGE]:
            facts = facts_of(line)
            seen[facts] += 1
            page.append((line, seen[facts]))
        yield page


def facts_of(line: StatementLine) -> tuple[object, ...]:
    """What a line says, wherever it stands."""
    moment = int(line.happened_at.timestamp())
    return (line.kind, line.reference, line.provider_reference, moment, str(line.amount), str(line.fee))


async def store_lines(
    session: AsyncSession, period: Period, lines: Sequence[LineOfFile], *, now: datetime
) -> None:
    """Store lines of a statement, each once, however often it is read."""
    rows = [describe_line(period, line, number, now) for line, number in lines]
    if not rows:
        return
    statement = upsert_into(session, StatementEntry)
    read = {"line": statement.excluded.line, "read_at": statement.excluded.read_at}
    statement = statement.on_conflict_do_update(index_elements=["key"], set_=read)
    await (await session.connection()).execute(statement, rows)


def describe_line(period: Period, line: StatementLine, number: int, now: datetime) -> dict[str, object]:
    """The columns of a StatementEntry."""
    return {
        "method": period.method,
        "form": period.form,
        "kind": line.kind,
        "reference": name_of(line),
        "provider_reference": line.provider_reference,
        "currency": line.amount.currency,
        "amount": line.amount.minor,
        "fee_currency": line.fee.currency,
        "fee_amount": line.fee.minor,
        "happened_at": line.happened_at,
        "line": line.line,
        "read_at": now,
        "key": "|".join(str(fact or "") for fact in (period.method, period.form, *facts_of(line), number)),
    }


def name_of(line: StatementLine) -> str:
    """Under which a line is compared: a dispute has a name of its own at the provider, a fee has none."""
    match line.kind:
        case StatementKind.DISPUTE:
            return line.provider_reference or line.reference or ""
        case StatementKind.FEE:
            return line.reference or ""
        case _:
            return line.reference or line.provider_reference or ""


async def drop_replaced_lines(session: AsyncSession, period: Period, *, now: datetime) -> None:
    """Drop the lines of a period that the statement read `now` has no more."""
    entry = StatementEntry
    await session.execute(
        delete(entry).where(
            entry.method == period.method,
            entry.form == period.form,
            period.contains(entry.happened_at),
            entry.read_at < now,
        )
    )
    # Without statistics of what has just been stored, PostgreSQL takes 11 s for each page of references.
    await session.execute(text(f"ANALYZE {entry.__tablename__}"))


async def sum_next_references(
    session: AsyncSession, period: Period, subject: StatementKind, *, after: str
) -> list[StatedTotal]:
    """What is stated under the next references that a statement of the period has, in their order.

    All that was ever stated counts: a refund that came back later, a dispute that was won.
    """
    entry = StatementEntry
    here = and_(entry.method == period.method, entry.form == period.form, entry.kind == subject)
    page = await session.scalars(
        select(entry.reference)
        .where(here, entry.reference > after, period.contains(entry.happened_at))
        .group_by(entry.reference)
        .order_by(entry.reference)
        .limit(PAGE)
    )
    rows = await session.execute(
        select(
            entry.reference,
            func.sum(entry.amount),
            func.sum(case((entry.happened_at < period.ends_at, entry.amount), else_=0)),
            func.sum(entry.fee_amount),
            func.min(entry.currency),
            func.min(entry.fee_currency),
            func.min(entry.happened_at),
            func.min(case((period.contains(entry.happened_at), entry.line))),
            func.count(entry.currency.distinct()),
        )
        .where(here, entry.reference.in_(page.all()))
        .group_by(entry.reference)
        .order_by(entry.reference)
    )
    return [
        StatedTotal(
            subject=subject,
            reference=reference,
            amount=Money(int(amount), CurrencyCode(currency)),
            by_then=Money(int(by_then), CurrencyCode(currency)),
            fee=Money(int(fee), CurrencyCode(fee_currency)),
            happened_at=happened_at,
            line=line,
            currencies=currencies,
        )
        for reference, amount, by_then, fee, currency, fee_currency, happened_at, line, currencies in rows
    ]


async def find_charged_apart(session: AsyncSession, period: Period, references: Sequence[str]) -> set[str]:
    """Those of the references whose fees stand in lines of their own."""
    entry = StatementEntry
    rows = await session.scalars(
        select(entry.reference)
        .distinct()
        .where(
            entry.method == period.method,
            entry.form == period.form,
            entry.kind == StatementKind.FEE,
            entry.reference.in_(references),
        )
    )
    return set(rows)


async def find_reading_moment(session: AsyncSession, method: PaymentMethod, now: datetime) -> datetime:
    """The moment of a new reading: now, but later than that of every former one."""
    entries = select(func.max(StatementEntry.read_at)).where(StatementEntry.method == method)
    tasks = select(func.max(StatementDifference.seen_at)).where(StatementDifference.method == method)
    moments = [await session.scalar(statement) for statement in (entries, tasks)]
    later = [moment + timedelta(microseconds=1) for moment in moments if moment is not None]
    return max([now, *later])
