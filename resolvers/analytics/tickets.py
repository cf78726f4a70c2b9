"""The ticket report: how soon customers are answered, what is refunded, and how content they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from domain.errors import LimitReached
from loaders.analytics import DateRange
from loaders.analytics.tickets import (
    BacklogLine,
    CountedDays,
    RefundLine,
    TicketCounts,
    find_percentile,
    load_backlog,
    load_counted_days,
    load_open_by_agent,
    load_refunds,
    split_weeks,
    sum_agents,
    sum_counts,
)
from loaders.page import PAGE_LIMIT
from models import Account, Money, Product, RefundDimension, TicketReason, Warehouse
from models.counted_days import AgentCount, Times
from resolvers.analytics.report import report_days
from resolvers.context import Info

MEDIAN, NINETIETH = 50, 90
LINES_SHOWN = 20


def rate_of(part: int, whole: int) -> float | None:
    """Rounded to four digits; None where the whole is 0."""
    return round(part / whole, 4) if whole else None


@dataclass(frozen=True, slots=True)
class TicketTimes:
    """Times of some tickets."""

    times: Sequence[Times]

    @property
    def count(self) -> int:
        return sum(map(len, self.times))

    @property
    def median(self) -> int | None:
        return find_percentile(self.times, MEDIAN)

    @property
    def ninetieth(self) -> int | None:
        return find_percentile(self.times, NINETIETH)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What customers say about their tickets."""

    asked: int
    ratings: Sequence[int]

    @property
    def rated(self) -> int:
        return sum(self.ratings)

    @property
    def average(self) -> float | None:
        total = sum(rating * count for rating, count in enumerate(self.ratings, 1))
        return round(total / self.rated, 2) if self.rated else None


@dataclass(frozen=True, slots=True)
class TicketFigures:
    """The figures of the tickets opened in some days."""

    counts: TicketCounts

    @property
    def opened(self) -> int:
        return self.counts.opened

    @property
    def resolved(self) -> int:
        return self.counts.resolved

    @property
    def reopened(self) -> int:
        return self.counts.reopened

    @property
    def reopen_rate(self) -> float | None:
        return rate_of(self.counts.reopened, self.counts.resolved)

    @property
    def first_answer(self) -> TicketTimes:
        return TicketTimes(self.counts.answer_times)

    @property
    def resolution(self) -> TicketTimes:
        return TicketTimes(self.counts.resolution_times)

    @property
    def satisfaction(self) -> Satisfaction:
        return Satisfaction(self.counts.asked, self.counts.ratings)


@dataclass(frozen=True, slots=True)
class TicketWeek:
    """The figures of a week."""

    days: DateRange
    figures: TicketFigures

    @property
    def first(self) -> date:
        return self.days.first

    @property
    def last(self) -> date:
        return self.days.last


@dataclass(frozen=True, slots=True, eq=False)
class RefundRate:
    """What was refunded of one reason, product, warehouse or carrier."""

    dimension: RefundDimension
    line: RefundLine

    @property
    def key(self) -> str:
        return self.line.key

    @property
    def reason(self) -> TicketReason | None:
        return TicketReason(self.key) if self.dimension is RefundDimension.REASON else None

    @property
    def carrier(self) -> str | None:
        return self.key if self.dimension is RefundDimension.CARRIER else None

    @property
    def product_id(self) -> int | None:
        return int(self.key) if self.dimension is RefundDimension.PRODUCT else None

    @property
    def warehouse_id(self) -> int | None:
        return int(self.key) if self.dimension is RefundDimension.WAREHOUSE else None

    @property
    def refunded(self) -> int:
        return self.line.refunded

    @property
    def sent(self) -> int:
        return self.line.sent

    @property
    def rate(self) -> float | None:
        return rate_of(self.line.refunded, self.line.sent)

    @property
    def amounts(self) -> Sequence[Money]:
        return self.line.amounts


@dataclass(frozen=True, slots=True, eq=False)
class AgentFigures:
    """The figures of somebody of the staff."""

    agent_id: int
    open_now: int
    counts: AgentCount

    @property
    def tickets(self) -> int:
        return self.counts.tickets

    @property
    def resolved(self) -> int:
        return self.counts.resolved

    @property
    def reopen_rate(self) -> float | None:
        return rate_of(self.counts.reopened, self.counts.resolved)

    @property
    def rated(self) -> int:
        return self.counts.rated

    @property
    def average_rating(self) -> float | None:
        return round(self.counts.rating_sum / self.counts.rated, 2) if self.counts.rated else None


@dataclass(frozen=True, slots=True, eq=False)
class TicketReport:
    """What was counted of the days of a report."""

    days: DateRange
    zone: ZoneInfo
    counted: CountedDays

    @property
    def first(self) -> date:
        return self.days.first

    @property
    def last(self) -> date:
        return self.days.last

    @property
    def time_zone(self) -> str:
        return self.zone.key

    @property
    def total(self) -> TicketFigures:
        return TicketFigures(sum_counts(self.counted.of(self.days)))

    @property
    def weeks(self) -> Sequence[TicketWeek]:
        return [
            TicketWeek(week, TicketFigures(sum_counts(self.counted.of(week))))
            for week in split_weeks(self.days)
        ]


async def ticket_report(
    info: Info,
    first_day: Annotated[date, strawberry.argument(name="from")],
    last_day: Annotated[date, strawberry.argument(name="to")],
) -> TicketReport:
    """Figures of the tickets opened in these days, exact as of now, whatever became of them since.

    first_day: the first day, in the shop's time zone
    last_day: the last day; it is included
    """
    days, zone = report_days(first_day, last_day), info.context.shop.settings.locale.zone
    return TicketReport(days, zone, await load_counted_days(info.context.shop.database.reads, days, zone))


async def ticket_refund_rates(
    reports: Sequence[TicketReport], info: Info, by: RefundDimension, first: int = LINES_SHOWN
) -> Sequence[Sequence[RefundRate]]:
    """Units refunded by the tickets of these days, the most first, and how many were sent in these days.

    by: what they are counted by
    first: how many lines, at most 100
    """
    if not 1 <= first <= PAGE_LIMIT:
        raise LimitReached("From 1 to {limit} lines.", limit=PAGE_LIMIT, field=("first",))
    return [(await find_refund_rates(report, info, by))[:first] for report in reports]


async def find_refund_rates(report: TicketReport, info: Info, by: RefundDimension) -> Sequence[RefundRate]:
    reads = info.context.shop.database.reads
    lines = await load_refunds(reads, report.days, report.zone, report.counted, by)
    return [RefundRate(by, line) for line in lines]


async def rate_products(rates: Sequence[RefundRate], info: Info) -> Sequence[Product | None]:
    """The product; null where it is counted by something else."""
    ids = [rate.product_id for rate in rates if rate.product_id is not None]
    found = dict(zip(ids, await info.context.load.product.load_many(ids), strict=True))
    return [found[rate.product_id] if rate.product_id else None for rate in rates]


async def rate_warehouses(rates: Sequence[RefundRate], info: Info) -> Sequence[Warehouse | None]:
    """The warehouse it was packed in; null where it is counted by something else."""
    ids = [rate.warehouse_id for rate in rates if rate.warehouse_id is not None]
    found = dict(zip(ids, await info.context.load.warehouse.load_many(ids), strict=True))
    return [found[rate.warehouse_id] if rate.warehouse_id else None for rate in rates]


async def ticket_backlog(reports: Sequence[TicketReport], info: Info) -> Sequence[Sequence[BacklogLine]]:
    """Tickets that wait for somebody now, by state and age, whenever they were opened."""
    found = await load_backlog(info.context.shop.database.reads, info.context.now)
    return [found for _ in reports]


async def ticket_agents(reports: Sequence[TicketReport], info: Info) -> Sequence[Sequence[AgentFigures]]:
    """Who of the staff has tickets of these days or open ones, most open ones first; at most 100."""
    open_now = await load_open_by_agent(info.context.shop.database.reads)
    return [list_agents(report, open_now)[:PAGE_LIMIT] for report in reports]


def list_agents(report: TicketReport, open_now: Mapping[int, int]) -> list[AgentFigures]:
    counts = sum_agents(report.counted.of(report.days))
    agents = [
        AgentFigures(id, open_now.get(id, 0), counts.get(id, AgentCount()))
        for id in sorted(open_now.keys() | counts.keys())
    ]
    return sorted(agents, key=lambda each: (-each.open_now, -each.tickets, each.agent_id))


async def agent_accounts(agents: Sequence[AgentFigures], info: Info) -> Sequence[Account | None]:
    """Who it is; null for an account that does not exist any more."""
    return await info.context.load.account.load_many([agent.agent_id for agent in agents])
