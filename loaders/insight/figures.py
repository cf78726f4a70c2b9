"""Sums over views, orders and returns: by product, by category with everything below it, or of all."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.functions import FunctionElement

from loaders.insight.period import Days, ReportInterval, Selection, parts
from loaders.page import Key, Sort
from loaders.prepared import Reads
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

RETURNS = (TicketType.RETURN_REFUND, TicketType.EXCHANGE)
ACCEPTED = (
    TicketStatus.REFUNDING,
    TicketStatus.REFUND_FAILED,
    TicketStatus.RESHIPPING,
    TicketStatus.COMPLETED,
)
"""The states of a ticket whose goods have come back."""

EPOCH = date(1970, 1, 1)
DAY_SECONDS = 86_400

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
    """By line and part of the time; the database adds up days, and the days of a part are added up here."""
    members = members_of(selection, grouping, ids)
    daily = len(cut) > 1
    part_of = numbered(cut)
    async with reads() as session:

        async def sums(statement: Select[Any]) -> list[tuple[LineAt, Sequence[Any]]]:
            rows = await session.execute(statement)
            return [((key, part_of(day)), rest) for key, day, *rest in rows]

        seen = together(await sums(seen_in(members, selection, daily=daily)), 2)
        sold = together(await sums(sold_in(members, selection, daily=daily)), 2)
        returned = together(await sums(returned_in(members, selection, daily=daily)), 1)
        revenue: defaultdict[LineAt, Counter[CurrencyCode]] = defaultdict(Counter)
        for at, (currency, minor) in await sums(revenue_in(members, selection, daily=daily)):
            revenue[at][CurrencyCode(currency)] += minor
    return {
        at: Figures(
            [Money(minor, currency) for currency, minor in sorted(revenue[at].items())],
            *seen[at],
            *sold[at],
            *returned[at],
        )
        for at in {*seen, *sold, *returned}
    }


def together(rows: Sequence[tuple[LineAt, Sequence[int]]], sums: int) -> defaultdict[LineAt, list[int]]:
    """So many sums for each line and part of the time, zeros where there is nothing to add up."""
    found: defaultdict[LineAt, list[int]] = defaultdict(lambda: [0] * sums)
    for at, added in rows:
        found[at] = [a + b for a, b in zip(found[at], added, strict=True)]
    return found


def numbered(cut: Sequence[Days]) -> Callable[[int], int]:
    """Which part a day belongs to, by its number since 1970."""
    firsts = [(part.first - EPOCH).days for part in cut]
    return lambda day: bisect_right(firsts, day) - 1 if len(firsts) > 1 else 0


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
    members = members_of(selection, grouping)
    match measure:
        case ReportMeasure.VIEWS | ReportMeasure.ADDS:
            sums = seen_in(members, selection).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.ORDERS | ReportMeasure.UNITS:
            sums = sold_in(members, selection).subquery()
            return select(sums.c.key, sums.c[measure.value.lower()].label("value")).subquery()
        case ReportMeasure.REVENUE:
            sums = revenue_in(members, selection).subquery()
            return (
                select(sums.c.key, sums.c.amount.label("value")).where(sums.c.currency == currency).subquery()
            )
        case ReportMeasure.RETURNED:
            sums = returned_in(members, selection).subquery()
            return select(sums.c.key, sums.c.returned.label("value")).subquery()
        case ReportMeasure.RETURN_RATE:
            sums, sold = returned_in(members, selection).subquery(), sold_in(members, selection).subquery()
            part = case((sold.c.units == 0, 0), else_=sums.c.returned * POINTS // sold.c.units)
            return select(sums.c.key, part.label("value")).join(sold, sold.c.key == sums.c.key).subquery()


@dataclass(frozen=True, slots=True)
class Members:
    """Which product counts for which line: a table of `product_id` and `key`."""

    table: CTE
    few: Sequence[int] | None
    """The products in it, where they are few and known: said once more, for the plan."""

    def joined(self, statement: Select[*tuple[Any, ...]], product_id: Any) -> Select[Any]:
        wanted: Select[Any] = statement.join(self.table, self.table.c.product_id == product_id)
        return wanted if self.few is None else wanted.where(product_id.in_(self.few))

    @property
    def key(self) -> ColumnElement[int]:
        found: ColumnElement[int] = self.table.c.key
        return found


def members_of(selection: Selection, grouping: Grouping, ids: Sequence[int] | None = None) -> Members:
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
    few = ids if grouping is Grouping.PRODUCT and ids is not None else selection.product_ids
    return Members(wanted.cte("members"), few)


def chosen(selection: Selection) -> list[ColumnElement[bool]]:
    """Whether a product is one the report is about."""
    which: list[ColumnElement[bool]] = []
    if selection.product_ids is not None:
        which.append(Product.id.in_(selection.product_ids))
    if selection.category_path is not None:
        below = select(Category.id).where(Category.path.startswith(selection.category_path, autoescape=True))
        which.append(Product.category_id.in_(below))
    return which


def total(amount: Any) -> ColumnElement[int]:
    return cast(func.sum(amount), BigInteger)


def seen_in(members: Members, selection: Selection, *, daily: bool = False) -> Select[Any]:
    """Views and adds by line, and by day where that is wanted."""
    by = [members.key, day_number(ProductDay.day) if daily else literal_column("0")]
    columns = [total(ProductDay.views).label("views"), total(ProductDay.adds).label("adds")]
    return (
        members.joined(select(*by, *columns).select_from(ProductDay), ProductDay.product_id)
        .where(ProductDay.day >= selection.days.first, ProductDay.day <= selection.days.last)
        .group_by(*by[: 1 + daily])
    )


def lines_in(
    members: Members, selection: Selection, *sums: Any, daily: bool, also_by: Sequence[Any] = ()
) -> Select[Any]:
    """Lines of orders placed within the time; cancelled ones do not count."""
    by = [members.key, local_day(Order.placed_at, selection) if daily else literal_column("0")]
    return (
        members.joined(select(*by, *also_by, *sums).select_from(OrderLine), OrderLine.product_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= selection.begin(selection.days.first))
        .where(Order.placed_at < selection.end(selection.days.last))
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(*by[: 1 + daily], *also_by)
    )


def sold_in(members: Members, selection: Selection, *, daily: bool = False) -> Select[Any]:
    orders = func.count(OrderLine.order_id.distinct()).label("orders")
    return lines_in(
        members,
        selection,
        orders,
        total(OrderLine.quantity - OrderLine.cancelled).label("units"),
        daily=daily,
    )


def revenue_in(members: Members, selection: Selection, *, daily: bool = False) -> Select[Any]:
    """Once per currency; discounts are taken off."""
    amount = OrderLine.unit_amount * OrderLine.quantity - OrderLine.discount_amount
    amount = amount - OrderLine.cancelled_amount
    sums = total(amount).label("amount")
    return lines_in(members, selection, sums, daily=daily, also_by=[OrderLine.currency])


def returned_in(members: Members, selection: Selection, *, daily: bool = False) -> Select[Any]:
    """Units that came back, whenever they did, of orders placed within the time."""
    return (
        lines_in(members, selection, total(TicketLine.quantity).label("returned"), daily=daily)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.type.in_(RETURNS), Ticket.status.in_(ACCEPTED))
    )


def local_day(moment: Any, selection: Selection) -> ColumnElement[int]:
    """The day of a moment in the time zone of the shop, as its number since 1970."""
    *changes, (_, last) = selection.offsets()
    offset: Any = (
        case(*((moment < until, seconds) for until, seconds in changes), else_=last) if changes else last
    )
    return cast(epoch_seconds(moment) + offset, BigInteger) // DAY_SECONDS


def day_number(day: Any) -> ColumnElement[int]:
    return cast(epoch_seconds(day), BigInteger) // DAY_SECONDS


class epoch_seconds(FunctionElement[int]):
    """Whole seconds since 1970, in UTC."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch_seconds, "postgresql")
def _postgresql(element: epoch_seconds, compiler: Any, **options: Any) -> str:
    return f"FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)}))"


@compiles(epoch_seconds, "sqlite")
def _sqlite(element: epoch_seconds, compiler: Any, **options: Any) -> str:
    return f"CAST(STRFTIME('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"
