"""Reading the statement of a payment provider and comparing it with the shop's books."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from domain.payment import post_fees
from domain.payment.statement import (
    COMPARED,
    EXPECTED,
    Period,
    compare_page,
    drop_replaced_lines,
    find_reading_moment,
    find_unstated,
    number_lines,
    resolve_agreed,
    store_differences,
    store_lines,
)
from events.types import Resources
from gateways.payment.provider import Statement
from models import CurrencyCode, Money, StatementKind

Progress = Callable[[int], None]
"""Is told how many lines or references more are done."""


@dataclass(slots=True)
class Reconciliation:
    """What came of comparing a statement."""

    period: Period
    compared_at: datetime
    lines: Counter[StatementKind] = field(default_factory=Counter)
    amounts: Counter[tuple[StatementKind, CurrencyCode]] = field(default_factory=Counter)
    """Minor units stated, by what the lines tell."""
    fees: Counter[CurrencyCode] = field(default_factory=Counter)
    """Minor units kept, as lines state them beside their amounts."""
    fees_posted: int = 0
    foreign_fees: int = 0
    resolved: int = 0

    def totals_of(self, kind: StatementKind) -> list[Money]:
        """What the lines of a kind add up to, by currency."""
        return [Money(minor, currency) for (of, currency), minor in self.amounts.items() if of is kind]


async def reconcile_statement(
    resources: Resources, statement: Statement, *, day: date | None = None, progress: Progress
) -> Reconciliation | None:
    """Store a statement, compare the days it covers, make tasks of differences and post its fees.

    `day` is the day that was asked for; without it the days of its lines are compared, and None is returned
    where it has no line.
    """
    period = find_period(statement, day)
    if period is None:
        return None
    async with resources.database.reads() as session:
        now = await find_reading_moment(session, statement.method, resources.clock())
    done = Reconciliation(period, now)
    for page in number_lines(statement.lines):
        async with resources.database.writes.begin() as session:
            await store_lines(session, period, page, now=now)
        for line, _ in page:
            done.lines[line.kind] += 1
            done.amounts[line.kind, line.amount.currency] += line.amount.minor
            done.fees[line.fee.currency] += line.fee.minor
        progress(len(page))
    async with resources.database.writes.begin() as session:
        await drop_replaced_lines(session, period, now=now)
    for subject in COMPARED:
        await compare_stated(resources, subject, done, progress)
    for subject in EXPECTED:
        await compare_booked(resources, subject, done)
    async with resources.database.writes.begin() as session:
        done.resolved = await resolve_agreed(session, period, now=now)
    return done


async def compare_stated(
    resources: Resources, subject: StatementKind, done: Reconciliation, progress: Progress
) -> None:
    """Compare all that is stated of one kind, a page in each transaction."""
    period, now = done.period, done.compared_at
    after: str | None = ""
    while after is not None:
        async with resources.database.writes.begin() as session:
            page = await compare_page(session, period, subject, after=after)
            posted = await post_fees(session, page.new_fees, now=now)
            await store_differences(session, period, page.differences, now=now)
        after = page.last
        done.fees_posted += posted
        done.foreign_fees += page.foreign_fees
        progress(page.compared)


async def compare_booked(resources: Resources, subject: StatementKind, done: Reconciliation) -> None:
    """Find all that is booked of one kind and not stated, a page in each transaction."""
    after: int | None = 0
    while after is not None:
        async with resources.database.writes.begin() as session:
            after, differences = await find_unstated(session, done.period, subject, after=after)
            await store_differences(session, done.period, differences, now=done.compared_at)


def find_period(statement: Statement, day: date | None) -> Period | None:
    """The days that a statement covers, in the time zone of its provider; None where it has no line."""
    zone = statement.time_zone
    days = [line.happened_at.astimezone(zone).date() for line in statement.lines]
    if day is not None:
        days.append(day)
    if not days:
        return None
    return Period(
        method=statement.method,
        form=statement.form,
        starts_at=datetime.combine(min(days), time(), zone),
        ends_at=datetime.combine(max(days) + timedelta(days=1), time(), zone),
        time_zone=zone,
    )
