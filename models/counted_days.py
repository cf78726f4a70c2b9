"""Counting the tickets and refunds of days: what a day keeps, and what is counted of days as they are now."""

import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from models.money import CurrencyCode
from models.ticket_figures import (
    QUARTER_SECONDS,
    RefundDay,
    RefundDimension,
    Span,
    TicketDay,
    select_counted_tickets,
    select_refunded_lines,
    select_refunded_parcels,
    select_sent_units,
)

DAY = timedelta(days=1)
BEST = 5
"""The best rating; the worst is 1."""

RefundKey = tuple[RefundDimension, str, CurrencyCode]
if TYPE_CHECKING:
    Times = array[int]
else:
    # before Python 3.12 the class cannot be subscripted
    Times = array
"""Whole seconds, from the fewest."""


@dataclass(slots=True)
class AgentCount:
    """The tickets that somebody of the staff has."""

    tickets: int = 0
    resolved: int = 0
    reopened: int = 0
    rated: int = 0
    rating_sum: int = 0


@dataclass(slots=True)
class RefundCount:
    """Units that left, units that came back in money, and that money in minor units."""

    sent: int = 0
    refunded: int = 0
    amount: int = 0


@dataclass(slots=True)
class DayCount:
    """What is counted of the tickets opened on one day."""

    opened: int = 0
    resolved: int = 0
    reopened: int = 0
    asked: int = 0
    ratings: list[int] = field(default_factory=lambda: [0] * BEST)
    answer_times: Times = field(default_factory=lambda: array("I"))
    resolution_times: Times = field(default_factory=lambda: array("I"))
    agents: dict[int, AgentCount] = field(default_factory=dict)


def start_of(day: date, zone: tzinfo) -> datetime:
    """The moment a day of the shop begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def spans_of(days: Iterable[date], zone: tzinfo) -> list[Span]:
    """The spans that days are; days that follow each other are one."""
    spans: list[Span] = []
    for day in sorted(days):
        starts_at, ends_at = start_of(day, zone), start_of(day + DAY, zone)
        if spans and spans[-1][1] == starts_at:
            spans[-1] = (spans[-1][0], ends_at)
        else:
            spans.append((starts_at, ends_at))
    return spans


async def count_days(session: AsyncSession, spans: Sequence[Span], zone: tzinfo) -> dict[date, DayCount]:
    """What is true now of the tickets opened within the spans, by day; one statement."""
    days: defaultdict[date, DayCount] = defaultdict(DayCount)
    day_of = day_finder(zone)
    rows = await session.execute(select_counted_tickets(spans))
    for quarter, assignee_id, answer, resolution, is_resolved, is_reopened, is_asked, rating in rows:
        day = days[day_of(quarter)]
        day.opened += 1
        day.resolved += is_resolved
        day.reopened += is_reopened
        day.asked += is_asked
        if rating is not None:
            day.ratings[rating - 1] += 1
        if answer is not None:
            day.answer_times.append(max(0, answer))
        if resolution is not None:
            day.resolution_times.append(max(0, resolution))
        if assignee_id is not None:
            agent = day.agents.setdefault(assignee_id, AgentCount())
            agent.tickets += 1
            agent.resolved += is_resolved
            agent.reopened += is_reopened
            agent.rated += rating is not None
            agent.rating_sum += rating or 0
    for day in days.values():
        day.answer_times = array("I", sorted(day.answer_times))
        day.resolution_times = array("I", sorted(day.resolution_times))
    return days


def day_finder(zone: tzinfo) -> Callable[[int], date]:
    """A function from a quarter of an hour since 1970 to its day in a time zone."""
    return cache(lambda quarter: datetime.fromtimestamp(quarter * QUARTER_SECONDS, zone).date())


RefundCounts = defaultdict[date, defaultdict[RefundKey, RefundCount]]


def no_refunds() -> RefundCounts:
    return defaultdict(lambda: defaultdict(RefundCount))


async def count_refunds(
    session: AsyncSession, spans: Sequence[Span], zone: tzinfo, counts: RefundCounts
) -> None:
    """Add what is true now of the units refunded by tickets opened within the spans; two statements."""
    day_of = day_finder(zone)
    rows = await session.execute(select_refunded_lines(spans))
    for quarter, reason, product_id, currency, units, amount in rows:
        counted = counts[day_of(quarter)]
        for key in ((RefundDimension.REASON, reason.value), (RefundDimension.PRODUCT, str(product_id))):
            add_refund(counted[*key, currency], units, amount)
    rows = await session.execute(select_refunded_parcels(spans))
    for quarter, warehouse_id, carrier, currency, units, amount in rows:
        counted = counts[day_of(quarter)]
        add_refund(counted[RefundDimension.WAREHOUSE, str(warehouse_id), currency], units, amount)
        if carrier is not None:
            add_refund(counted[RefundDimension.CARRIER, carrier, currency], units, amount)


def add_refund(count: RefundCount, units: int, amount: int) -> None:
    count.refunded += units
    count.amount += amount


async def count_sent(
    session: AsyncSession, spans: Sequence[Span], zone: tzinfo, counts: RefundCounts
) -> None:
    """Add the units that left within the spans; one statement."""
    day_of = day_finder(zone)
    rows = await session.execute(select_sent_units(spans))
    for quarter, product_id, warehouse_id, carrier, currency, units in rows:
        counted = counts[day_of(quarter)]
        counted[RefundDimension.PRODUCT, str(product_id), currency].sent += units
        counted[RefundDimension.WAREHOUSE, str(warehouse_id), currency].sent += units
        if carrier is not None:
            counted[RefundDimension.CARRIER, carrier, currency].sent += units


def write_day(day: date, counted: DayCount, zone: tzinfo) -> TicketDay:
    """What a day keeps."""
    return TicketDay(
        day=day,
        starts_at=start_of(day, zone),
        ends_at=start_of(day + DAY, zone),
        opened=counted.opened,
        resolved=counted.resolved,
        reopened=counted.reopened,
        asked=counted.asked,
        ratings=counted.ratings,
        answered=len(counted.answer_times),
        answer_seconds=sum(counted.answer_times),
        answer_times=write_times(counted.answer_times),
        settled=len(counted.resolution_times),
        resolution_seconds=sum(counted.resolution_times),
        resolution_times=write_times(counted.resolution_times),
        agents={
            str(id): [each.tickets, each.resolved, each.reopened, each.rated, each.rating_sum]
            for id, each in sorted(counted.agents.items())
        },
    )


def read_day(row: TicketDay) -> DayCount:
    return DayCount(
        row.opened,
        row.resolved,
        row.reopened,
        row.asked,
        list(row.ratings),
        read_times(row.answer_times),
        read_times(row.resolution_times),
        {int(id): AgentCount(*counts) for id, counts in row.agents.items()},
    )


def write_refunds(day: date, counts: Mapping[RefundKey, RefundCount]) -> Iterator[RefundDay]:
    for (dimension, key, currency), count in sorted(counts.items()):
        yield RefundDay(
            dimension=dimension,
            day=day,
            key=key,
            currency=currency,
            sent=count.sent,
            refunded=count.refunded,
            amount=count.amount,
        )


def write_times(times: Times) -> bytes:
    return (times if sys.byteorder == "little" else swap_bytes(times)).tobytes()


def read_times(content: bytes) -> Times:
    times = array("I")
    times.frombytes(content)
    return times if sys.byteorder == "little" else swap_bytes(times)


def swap_bytes(times: Times) -> Times:
    swapped = array("I", times)
    swapped.byteswap()
    return swapped
