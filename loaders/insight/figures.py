"""Sums over views, orders and returns: by product, by category with everything below it, or of all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import Reads
from loaders.insight.period import Days, ReportInterval, Selection, parts
from loaders.page import Key, Sort
from models import (
    Category,
    CurrencyCode,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    ProductDay,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
)
from models.base import UtcDateTime

RETURNS = (TicketType.RETURN_REFUND, TicketType.EXCHANGE)
ACCEPTED = (
    TicketStatus.REFUNDING,
    TicketStatus.REFUND_FAILED,
    TicketStatus.RESHIPPING,
    TicketStatus.COMPLETED,
)
"""The states of a ticket whose goods have come back."""

POINTS = 10_000
"""A rate of 1, while it is sorted by."""


class Grouping(StrEnum):
    """What a line of a report is about."""

    PRODUCT = "PRODUCT"
    CATEGORY = "CATEGORY"
    ALL = "ALL"


class ReportMeasure(StrEnum):
    """What a report can be sorted by."""

    VIEWS = "VIEWS"
    """How often it was looked at."""
    ADDS = "ADDS"
    """How often it was put into a cart."""
    ORDERS = "ORDERS"
    """In how many orders."""
    UNITS = "UNITS"
    """How many units were ordered."""
    REVENUE = "REVENUE"
    """What they cost, in the viewer's currency."""
    RETURNED = "RETURNED"
    """How many of them came back."""
    RETURN_RATE = "RETURN_RATE"
    """Which part of them came back."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was looked at, bought and sent back."""

    revenue: Sequence[Money] = ()
    views: int = 0
    adds: int = 0
    orders: int = 0
    units: int = 0
    returned: int = 0

    @property
    def return_rate(self) -> float | None:
        return rate(self.returned, self.units)

    @property
    def conversion(self) -> float | None:
        return rate(self.orders, self.views)


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of some days in a row."""

    days: Days
    figures: Figures

    @property
    def first(self) -> Any:
        return self.days.first

    @property
    def last(self) -> Any:
        return self.days.last


LineAt = tuple[int, int]
"""Id of what a line is about (0 for all), and number of the part of the time."""


def rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


async def figures_of(
    reads: Reads, selection: Selection, grouping: Grouping, ids: Sequence[int]
) -> Mapping[int, Figures]:
    """The figures of each, over all days; four statements."""
    found = await added_up(reads, selection, grouping, ids, [selection.days])
    return {key: found.get((key, 0), Figures()) for key in ids}


async def parts_of(
    reads: Reads, selection: Selection, grouping: Grouping, ids: Sequence[int], interval: ReportInterval
) -> Mapping[int, Sequence[Part]]:
    """The same over time; four statements, too. A part in which nothing happened is there with zeros."""
    cut = parts(selection.days, interval)
    found = await added_up(reads, selection, grouping, ids, cut)
    return {
        key: [Part(days, found.get((key, number), Figures())) for number, days in enumerate(cut)]
        for key in ids
    }


async def added_up(
    reads: Reads, selection: Selection, grouping: Grouping, ids: Sequence[int], cut: Sequence[Days]
) -> Mapping[LineAt, Figures]:
    members, spans = members_of(selection, grouping, ids), spans_of(selection, cut)
    async with reads() as session:
        seen = await by_key(session, seen_in(members, spans), 2)
        sold = await by_key(session, sold_in(members, spans), 2)
        returned = await by_key(session, returned_in(members, spans), 1)
        revenue: defaultdict[LineAt, list[Money]] = defaultdict(list)
        for key, number, currency, minor in await session.execute(revenue_in(members, spans)):
            revenue[key, number].append(Money(minor, CurrencyCode(currency)))
    return {
        key: Figures(revenue[key], *seen[key], *sold[key], *returned[key])
        for key in {*seen, *sold, *returned}
    }


async def by_key(session: AsyncSession, statement: Select[Any], sums: int) -> defaultdict[LineAt, list[int]]:
    """So many sums for each line and part of the time, zeros where there is nothing to add up."""
    found: defaultdict[LineAt, list[int]] = defaultdict(lambda: [0] * sums)
    for key, number, *added in await session.execute(statement):
        found[key, number] = added
    return found


def ranked(
    selection: Selection,
    grouping: Grouping,
    measure: ReportMeasure,
    *,
    ascending: bool,
    currency: CurrencyCode,
) -> tuple[Select[Any], Sort]:
    """The products chosen, or the categories right below the one chosen, by a measure."""
    sums = measured(selection, grouping, measure, currency)
    entity: Any = Product if grouping is Grouping.PRODUCT else Category
    value: ColumnElement[int] = func.coalesce(sums.c.value, 0, type_=BigInteger)
    wanted = select(entity).outerjoin(sums, sums.c.key == entity.id)
    if grouping is Grouping.PRODUCT:
        wanted = wanted.where(*chosen(selection))
    else:
        wanted = wanted.where(Category.parent_id == selection.category_id)
    name = f"{grouping}-{measure}-{currency}-{'up' if ascending else 'down'}"
    return wanted, Sort(name, (Key(value, descending=not ascending), Key(entity.id)))


def measured(
    selection: Selection, grouping: Grouping, measure: ReportMeasure, currency: CurrencyCode
) -> Subquery:
    """One number for each key."""
    members, spans = members_of(selection, grouping), spans_of(selection, [selection.days])
    match measure:
        case ReportMeasure.VIEWS | ReportMeasure.ADDS:
            sums = seen_in(members, spans).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.ORDERS | ReportMeasure.UNITS:
            sums = sold_in(members, spans).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.REVENUE:
            sums = revenue_in(members, spans).subquery()
            return (
                select(sums.c.key, sums.c.amount.label("value")).where(sums.c.currency == currency).subquery()
            )
        case ReportMeasure.RETURNED:
            sums = returned_in(members, spans).subquery()
            return select(sums.c.key, sums.c.returned.label("value")).subquery()
        case ReportMeasure.RETURN_RATE:
            sums, sold = returned_in(members, spans).subquery(), sold_in(members, spans).subquery()
            part = case((sold.c.units == 0, 0), else_=sums.c.returned * POINTS // sold.c.units)
            return select(sums.c.key, part.label("value")).join(sold, sold.c.key == sums.c.key).subquery()


def members_of(selection: Selection, grouping: Grouping, ids: Sequence[int] | None = None) -> CTE:
    """Which product counts for which line: `product_id` and `key`."""
    own, above = aliased(Category), aliased(Category)
    keys: Mapping[Grouping, ColumnElement[int]] = {
        Grouping.ALL: literal(0),
        Grouping.PRODUCT: Product.id.expression,
        Grouping.CATEGORY: above.id.expression,
    }
    key = keys[grouping]
    wanted = select(Product.id.label("product_id"), key.label("key")).where(*chosen(selection))
    if grouping is Grouping.CATEGORY:
        wanted = (
            wanted.join(own, own.id == Product.category_id)
            .join(above, func.substr(own.path, 1, func.length(above.path)) == above.path)
            .where(above.parent_id == selection.category_id)
        )
    if ids is not None and grouping is not Grouping.ALL:
        wanted = wanted.where(key.in_(ids))
    return wanted.cte("members")


def chosen(selection: Selection) -> list[ColumnElement[bool]]:
    """Whether a product is one the report is about."""
    which: list[ColumnElement[bool]] = []
    if selection.product_ids is not None:
        which.append(Product.id.in_(selection.product_ids))
    if selection.category_path is not None:
        below = select(Category.id).where(Category.path.startswith(selection.category_path, autoescape=True))
        which.append(Product.category_id.in_(below))
    return which


def spans_of(selection: Selection, cut: Sequence[Days]) -> CTE:
    """The parts of the time as a table: days for what is kept by day, moments for what is not."""
    columns = (
        column("number", Integer),
        column("first_day", Date),
        column("last_day", Date),
        column("begins", UtcDateTime),
        column("ends", UtcDateTime),
    )
    rows = [
        (number, days.first, days.last, selection.begin(days.first), selection.end(days.last))
        for number, days in enumerate(cut)
    ]
    return values(*columns, name="spans").data(rows).cte("spans")


def total(amount: Any) -> ColumnElement[int]:
    return cast(func.sum(amount), BigInteger)


def seen_in(members: CTE, spans: CTE) -> Select[Any]:
    within = and_(ProductDay.day >= spans.c.first_day, ProductDay.day <= spans.c.last_day)
    return (
        select(
            members.c.key,
            spans.c.number,
            total(ProductDay.views).label("views"),
            total(ProductDay.adds).label("adds"),
        )
        .select_from(ProductDay)
        .join(members, members.c.product_id == ProductDay.product_id)
        .join(spans, within)
        .group_by(members.c.key, spans.c.number)
    )


def lines_in(members: CTE, spans: CTE, *sums: Any) -> Select[Any]:
    """Lines of orders placed within the time; cancelled ones do not count."""
    within = and_(Order.placed_at >= spans.c.begins, Order.placed_at < spans.c.ends)
    return (
        select(members.c.key, spans.c.number, *sums)
        .select_from(OrderLine)
        .join(members, members.c.product_id == OrderLine.product_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(spans, within)
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(members.c.key, spans.c.number)
    )


def sold_in(members: CTE, spans: CTE) -> Select[Any]:
    orders = func.count(OrderLine.order_id.distinct()).label("orders")
    return lines_in(members, spans, orders, total(OrderLine.quantity).label("units"))


def revenue_in(members: CTE, spans: CTE) -> Select[Any]:
    """Once per currency; discounts are taken off."""
    amount = OrderLine.unit_amount * OrderLine.quantity - OrderLine.discount_amount
    sums = (OrderLine.currency.label("currency"), total(amount).label("amount"))
    return lines_in(members, spans, *sums).group_by(OrderLine.currency).order_by(OrderLine.currency)


def returned_in(members: CTE, spans: CTE) -> Select[Any]:
    """Units that came back, whenever they did, of orders placed within the time."""
    return (
        lines_in(members, spans, total(TicketLine.quantity).label("returned"))
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.type.in_(RETURNS), Ticket.status.in_(ACCEPTED))
    )
