"""Figures of a report by product, by category or in total, over all days or over time."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    case,
    func,
    select,
)

from loaders.analytics.period import DateRange, ReportInterval, ReportSelection, split_days
from loaders.analytics.sources import (
    Grouping,
    product_conditions,
    select_members,
    select_returns,
    select_revenue,
    select_sales,
    select_views,
)
from loaders.page import Key, Sort
from models import (
    Category,
    CurrencyCode,
    Money,
    Product,
)
from models.database import Reads
from models.sql.types import AnyRow, AnySelect

EPOCH = date(1970, 1, 1)

RATE_SCALE = 10_000
"""Rates are sorted by as whole numbers; this stands for a rate of 1."""


class ReportMeasure(StrEnum):
    """The figures by which a report can be sorted."""

    VIEWS = "VIEWS"
    """Views."""
    CART_ADDITIONS = "CART_ADDITIONS"
    """Additions to carts."""
    ORDERS = "ORDERS"
    """Orders."""
    UNITS = "UNITS"
    """Units ordered."""
    REVENUE = "REVENUE"
    """Revenue in the viewer's currency."""
    RETURNED = "RETURNED"
    """Units returned."""
    RETURN_RATE = "RETURN_RATE"
    """Share of the units that was returned."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one line of a report."""

    revenue: Sequence[Money] = ()
    views: int = 0
    cart_additions: int = 0
    orders: int = 0
    units: int = 0
    returned: int = 0

    @property
    def return_rate(self) -> float | None:
        return ratio_of(self.returned, self.units)

    @property
    def conversion(self) -> float | None:
        return ratio_of(self.orders, self.views)


@dataclass(frozen=True, slots=True)
class IntervalFigures:
    """The figures of one interval."""

    days: DateRange
    figures: Figures

    @property
    def first(self) -> date:
        return self.days.first

    @property
    def last(self) -> date:
        return self.days.last


LineInterval = tuple[int, int]
"""The id of the product or category of a line (0 for all products), and the number of the interval."""


def ratio_of(part: int, whole: int) -> float | None:
    """Rounded to four digits; None where the whole is 0."""
    return round(part / whole, 4) if whole else None


async def load_figures(
    reads: Reads, selection: ReportSelection, grouping: Grouping, ids: Sequence[int]
) -> Mapping[int, Figures]:
    """Id -> figures over all days; four statements."""
    found = await sum_figures(reads, selection, grouping, ids, [selection.days])
    return {key: found.get((key, 0), Figures()) for key in ids}


async def load_figures_over_time(
    reads: Reads, selection: ReportSelection, grouping: Grouping, ids: Sequence[int], interval: ReportInterval
) -> Mapping[int, Sequence[IntervalFigures]]:
    """Id -> figures of each interval, with zeros where nothing happened; four statements."""
    intervals = split_days(selection.days, interval)
    found = await sum_figures(reads, selection, grouping, ids, intervals)
    return {
        key: [
            IntervalFigures(days, found.get((key, number), Figures()))
            for number, days in enumerate(intervals)
        ]
        for key in ids
    }


async def sum_figures(
    reads: Reads,
    selection: ReportSelection,
    grouping: Grouping,
    ids: Sequence[int],
    intervals: Sequence[DateRange],
) -> Mapping[LineInterval, Figures]:
    """The figures by line and interval; the database sums up days, this function those of an interval."""
    members = select_members(selection, grouping, ids)
    daily = len(intervals) > 1
    interval_of = interval_finder(intervals)
    async with reads() as session:

        async def fetch_sums(statement: AnySelect) -> list[tuple[LineInterval, AnyRow]]:
            rows = await session.execute(statement)
            return [((key, interval_of(day)), rest) for key, day, *rest in rows]

        views = sum_rows(await fetch_sums(select_views(members, selection, daily=daily)), 2)
        sales = sum_rows(await fetch_sums(select_sales(members, selection, daily=daily)), 2)
        returns = sum_rows(await fetch_sums(select_returns(members, selection, daily=daily)), 1)
        revenue: defaultdict[LineInterval, Counter[CurrencyCode]] = defaultdict(Counter)
        for at, (currency, minor) in await fetch_sums(select_revenue(members, selection, daily=daily)):
            revenue[at][CurrencyCode(currency)] += minor
    return {
        at: Figures(
            [Money(minor, currency) for currency, minor in sorted(revenue[at].items())],
            *views[at],
            *sales[at],
            *returns[at],
        )
        for at in {*views, *sales, *returns}
    }


def sum_rows(
    rows: Sequence[tuple[LineInterval, Sequence[int]]], sums: int
) -> defaultdict[LineInterval, list[int]]:
    """The sums for each line and interval: lists of `sums` numbers, zeros where there are no rows."""
    found: defaultdict[LineInterval, list[int]] = defaultdict(lambda: [0] * sums)
    for at, added in rows:
        found[at] = [a + b for a, b in zip(found[at], added, strict=True)]
    return found


def interval_finder(intervals: Sequence[DateRange]) -> Callable[[int], int]:
    """A function from a day, as its number since 1970, to the number of its interval."""
    firsts = [(each.first - EPOCH).days for each in intervals]
    return lambda day: bisect_right(firsts, day) - 1 if len(firsts) > 1 else 0


def select_by_measure(
    selection: ReportSelection,
    grouping: Grouping,
    measure: ReportMeasure,
    *,
    ascending: bool,
    currency: CurrencyCode,
) -> tuple[AnySelect, Sort]:
    """The products of a report, or the categories right below its category, sorted by a measure."""
    sums = select_measure(selection, grouping, measure, currency)
    entity: type[Product] | type[Category] = Product if grouping is Grouping.PRODUCT else Category
    value: ColumnElement[int] = func.coalesce(sums.c.value, 0, type_=BigInteger)
    statement = select(entity).outerjoin(sums, sums.c.key == entity.id)
    if grouping is Grouping.PRODUCT:
        statement = statement.where(*product_conditions(selection))
    else:
        statement = statement.where(Category.parent_id == selection.category_id)
    name = f"{grouping}-{measure}-{currency}-{'up' if ascending else 'down'}"
    return statement, Sort(name, (Key(value, descending=not ascending), Key(entity.id)))


def select_measure(
    selection: ReportSelection, grouping: Grouping, measure: ReportMeasure, currency: CurrencyCode
) -> Subquery:
    """A table of `key` and `value`: the measure of each product or category that has any."""
    members = select_members(selection, grouping)
    match measure:
        case ReportMeasure.VIEWS | ReportMeasure.CART_ADDITIONS:
            sums = select_views(members, selection).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.ORDERS | ReportMeasure.UNITS:
            sums = select_sales(members, selection).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.REVENUE:
            sums = select_revenue(members, selection).subquery()
            return (
                select(sums.c.key, sums.c.amount.label("value")).where(sums.c.currency == currency).subquery()
            )
        case ReportMeasure.RETURNED:
            sums = select_returns(members, selection).subquery()
            return select(sums.c.key, sums.c.returned.label("value")).subquery()
        case ReportMeasure.RETURN_RATE:
            sums = select_returns(members, selection).subquery()
            sales = select_sales(members, selection).subquery()
            rate = case((sales.c.units == 0, 0), else_=sums.c.returned * RATE_SCALE // sales.c.units)
            return select(sums.c.key, rate.label("value")).join(sales, sales.c.key == sums.c.key).subquery()
