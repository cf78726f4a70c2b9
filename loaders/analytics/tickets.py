"""Figures of tickets: what is kept of days, and what is counted of days that have changed since."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from math import ceil

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, literal_column, select, true

from loaders.analytics.period import DateRange, ReportInterval, split_days
from models import RESOLVED, RefundDay, RefundDimension, Ticket, TicketDay, TicketStatus
from models.counted_days import (
    BEST,
    DAY,
    AgentCount,
    DayCount,
    RefundCount,
    Times,
    count_days,
    read_day,
    spans_of,
)
from models.database import Reads
from models.money import CurrencyCode, Money
from models.sql.types import AnySelect
from models.ticket_figures import (
    Span,
    select_refunded_lines,
    select_refunded_parcels,
    select_sent_units,
)

OPEN = [status for status in TicketStatus if status not in RESOLVED]
"""What somebody has to do something for."""

AGE_LIMITS = (timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))
"""Where the ages of open tickets are divided."""


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """What was counted of the tickets opened in some days."""

    opened: int
    resolved: int
    reopened: int
    asked: int
    ratings: Sequence[int]
    answer_times: Sequence[Times]
    """Of each day, from the shortest."""
    resolution_times: Sequence[Times]


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units that were refunded, and those of the same kind that were sent."""

    key: str
    refunded: int
    sent: int
    amounts: Sequence[Money]


@dataclass(frozen=True, slots=True)
class BacklogLine:
    """Open tickets in one state, by their age."""

    status: TicketStatus
    counts: Sequence[int]
    """Younger than the first of AGE_LIMITS, than the next one, ..., and all others."""


@dataclass(frozen=True, slots=True)
class CountedDays:
    """The days of a report: what is kept of them, and which have to be counted as they are now."""

    kept: Mapping[date, DayCount]
    changed: frozenset[date]
    """Those of which a ticket has changed since, and those that nobody has counted yet."""
    counted: Mapping[date, DayCount]
    """What is true now of those that have changed."""
    uncounted: frozenset[date]
    """Those that nobody has counted yet: what left on a day that was counted never changes."""

    def of(self, days: DateRange) -> Sequence[DayCount]:
        """Those of which anything is known, the first day first."""
        every = (days.first + number * DAY for number in range(len(days)))
        found = (self.counted.get(day) if day in self.changed else self.kept.get(day) for day in every)
        return [day for day in found if day is not None]


async def load_counted_days(reads: Reads, days: DateRange, zone: tzinfo) -> CountedDays:
    """Three statements; two where nothing has changed."""
    first, after = day_bounds(days, zone)
    async with reads() as session:
        marked = await session.scalars(
            select(Ticket.opened_at).where(
                Ticket.recount_at.is_not(None), Ticket.opened_at >= first, Ticket.opened_at < after
            )
        )
        changed = {moment.astimezone(zone).date() for moment in marked}
        rows = (
            await session.scalars(
                select(TicketDay).where(TicketDay.day >= days.first, TicketDay.day <= days.last)
            )
        ).all()
        known = {row.day for row in rows}
        kept = {row.day: read_day(row) for row in rows if row.day not in changed}
        every = {days.first + number * DAY for number in range(len(days))}
        uncounted = every - known
        changed |= uncounted
        counted = await count_days(session, spans_of(changed, zone), zone) if changed else {}
    return CountedDays(kept, frozenset(changed), counted, frozenset(uncounted))


def day_bounds(days: DateRange, zone: tzinfo) -> tuple[datetime, datetime]:
    [(first, _)], [(_, after)] = spans_of([days.first], zone), spans_of([days.last], zone)
    return first, after


def sum_counts(days: Sequence[DayCount]) -> TicketCounts:
    return TicketCounts(
        sum(day.opened for day in days),
        sum(day.resolved for day in days),
        sum(day.reopened for day in days),
        sum(day.asked for day in days),
        [sum(day.ratings[place] for day in days) for place in range(BEST)],
        [day.answer_times for day in days if day.answer_times],
        [day.resolution_times for day in days if day.resolution_times],
    )


def find_percentile(times: Sequence[Times], percent: int) -> int | None:
    """The shortest time within which so many percent of all are; None where there are none.

    It is exact: found by bisecting the seconds, of which each sorted list says how many are not longer.
    """
    total = sum(map(len, times))
    if not total:
        return None
    rank = ceil(total * percent / 100)
    low, high = 0, max(each[-1] for each in times)
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_right(each, middle) for each in times) >= rank:
            high = middle
        else:
            low = middle + 1
    return low


def split_weeks(days: DateRange) -> Sequence[DateRange]:
    """Weeks from Monday to Sunday; the first and the last may be shorter."""
    return split_days(days, ReportInterval.WEEK)


def sum_agents(days: Iterable[DayCount]) -> dict[int, AgentCount]:
    """The counts of who has the tickets, by their ids."""
    sums: defaultdict[int, AgentCount] = defaultdict(AgentCount)
    for day in days:
        for agent_id, count in day.agents.items():
            found = sums[agent_id]
            found.tickets += count.tickets
            found.resolved += count.resolved
            found.reopened += count.reopened
            found.rated += count.rated
            found.rating_sum += count.rating_sum
    return dict(sums)


@dataclass(slots=True)
class RefundSum:
    """What was sent and refunded of one key, in all currencies."""

    sent: int = 0
    refunded: int = 0
    amounts: Counter[CurrencyCode] = field(default_factory=Counter)

    def add(self, currency: CurrencyCode, count: RefundCount) -> None:
        self.sent += count.sent
        self.refunded += count.refunded
        self.amounts[currency] += count.amount


async def load_refunds(
    reads: Reads, days: DateRange, zone: tzinfo, counted: CountedDays, dimension: RefundDimension
) -> Sequence[RefundLine]:
    """What was refunded by a dimension, the most units first; four statements, one where nothing has changed.

    Of reasons nothing is sent: all that was sent counts for each.
    """
    changed = counted.changed - counted.uncounted
    statements = [select_kept_refunds(dimension, days, changed, counted.uncounted)]
    if counted.changed:
        statements.append(select_fresh_refunds(dimension, spans_of(counted.changed, zone)))
    if counted.uncounted:
        statements.append(select_fresh_sent(dimension, spans_of(counted.uncounted, zone)))
    sums: defaultdict[str, RefundSum] = defaultdict(RefundSum)
    async with reads() as session:
        for statement in statements:
            for key, currency, sent, refunded, amount in await session.execute(statement):
                sums[str(key)].add(CurrencyCode(currency), RefundCount(sent, refunded, amount))
    sent_units = sums.pop(ANYTHING, RefundSum()).sent
    is_reason = dimension is RefundDimension.REASON
    lines = [
        RefundLine(
            key,
            each.refunded,
            sent_units if is_reason else each.sent,
            [Money(amount, currency) for currency, amount in sorted(each.amounts.items()) if amount],
        )
        for key, each in sums.items()
        if each.refunded
    ]
    return sorted(lines, key=lambda line: (-line.refunded, line.key))


ANYTHING = ""
"""The key of what was sent where it is not divided: of reasons."""


NONE = literal_column("0", BigInteger)
NO_REFUNDS = NONE.label("refunded"), NONE.label("amount")


def select_kept_refunds(
    dimension: RefundDimension, days: DateRange, changed: AbstractSet[date], uncounted: AbstractSet[date]
) -> AnySelect:
    """What is kept of days: all that was sent, and refunds where no ticket has changed since.

    Days that were `uncounted` are counted besides, though somebody has counted them meanwhile.
    """
    of, key = [dimension], RefundDay.key.expression.label("key")
    counts: list[ColumnElement[bool]] = [RefundDay.day.not_in(changed) if changed else true()]
    if dimension is RefundDimension.REASON:
        # all that was sent stands in the rows of the warehouses
        of.append(RefundDimension.WAREHOUSE)
        counts.append(RefundDay.dimension == dimension)
        key = case((RefundDay.dimension == dimension, RefundDay.key), else_=ANYTHING).label("key")
    refunds = (
        func.coalesce(func.sum(each).filter(*counts), 0) for each in (RefundDay.refunded, RefundDay.amount)
    )
    sums = (cast(each, BigInteger) for each in (func.sum(RefundDay.sent), *refunds))
    return (
        select(key, RefundDay.currency, *sums)
        .where(
            RefundDay.dimension.in_(of),
            RefundDay.day >= days.first,
            RefundDay.day <= days.last,
            RefundDay.day.not_in(uncounted),
        )
        .group_by(key, RefundDay.currency)
    )


def select_fresh_refunds(dimension: RefundDimension, spans: Sequence[Span]) -> AnySelect:
    """The same of refunds as they are now."""
    of_parcels = dimension in {RefundDimension.WAREHOUSE, RefundDimension.CARRIER}
    rows = (select_refunded_parcels(spans) if of_parcels else select_refunded_lines(spans)).subquery()
    key = rows.c[KEYS[dimension]]
    sums = (cast(func.sum(each), BigInteger) for each in (rows.c.units, rows.c.amount))
    return (
        select(key, rows.c.currency, NONE.label("sent"), *sums)
        .where(key.is_not(None))
        .group_by(key, rows.c.currency)
    )


def select_fresh_sent(dimension: RefundDimension, spans: Sequence[Span]) -> AnySelect:
    """The same of what was sent, as it is now."""
    rows = select_sent_units(spans).subquery()
    units = cast(func.sum(rows.c.units), BigInteger)
    if dimension is RefundDimension.REASON:
        return select(literal_column("''"), rows.c.currency, units, *NO_REFUNDS).group_by(rows.c.currency)
    key = rows.c[KEYS[dimension]]
    return (
        select(key, rows.c.currency, units, *NO_REFUNDS)
        .where(key.is_not(None))
        .group_by(key, rows.c.currency)
    )


KEYS = {
    RefundDimension.REASON: "reason",
    RefundDimension.PRODUCT: "product_id",
    RefundDimension.WAREHOUSE: "warehouse_id",
    RefundDimension.CARRIER: "carrier",
}
"""The columns that are counted by."""


async def load_backlog(reads: Reads, now: datetime) -> Sequence[BacklogLine]:
    """Tickets that are open now, by state and age; one statement."""
    band = case(
        *((Ticket.opened_at > now - limit, place) for place, limit in enumerate(AGE_LIMITS)),
        else_=len(AGE_LIMITS),
    ).label("band")
    found: defaultdict[TicketStatus, list[int]] = defaultdict(lambda: [0] * (len(AGE_LIMITS) + 1))
    async with reads() as session:
        rows = await session.execute(
            select(Ticket.status, band, func.count())
            .where(Ticket.status.in_(OPEN))
            .group_by(Ticket.status, band)
        )
        for status, place, count in rows:
            found[status][place] += count
    return [BacklogLine(status, found[status]) for status in TicketStatus if status in found]


async def load_open_by_agent(reads: Reads) -> Mapping[int, int]:
    """How many open tickets each agent has now; one statement."""
    async with reads() as session:
        rows = await session.execute(
            select(Ticket.assignee_id, func.count())
            .where(Ticket.status.in_(OPEN), Ticket.assignee_id.is_not(None))
            .group_by(Ticket.assignee_id)
        )
        return {agent_id: count for agent_id, count in rows if agent_id is not None}
