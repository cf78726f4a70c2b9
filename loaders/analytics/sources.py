"""Statements that sum up views, orders and returns of the products of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from loaders.analytics.period import ReportSelection
from models import (
    Category,
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
from models.sql.dialects import epoch_seconds
from models.sql.types import AnyColumn, AnySelect

RETURNS = (TicketType.RETURN_REFUND, TicketType.EXCHANGE)
ACCEPTED = (
    TicketStatus.REFUNDING,
    TicketStatus.REFUND_FAILED,
    TicketStatus.RESHIPPING,
    TicketStatus.AWAITING_CHOICE,
    TicketStatus.AWAITING_STOCK,
    TicketStatus.AWAITING_PAYMENT,
    TicketStatus.COMPLETED,
)
"""The states of a ticket whose returned units were accepted."""

DAY_SECONDS = 86_400


class Grouping(StrEnum):
    """What a line of a report is about: one product, one category with all below it, or all products."""

    PRODUCT = "PRODUCT"
    CATEGORY = "CATEGORY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class ReportMembers:
    """The products of each line: a table of `product_id` and `key`, the id of the line."""

    table: CTE
    few: Sequence[int] | None
    """The products in it, where they are few and known: named in the statement, too, for a better plan."""

    def join_to(self, statement: AnySelect, product_id: AnyColumn) -> AnySelect:
        joined: AnySelect = statement.join(self.table, self.table.c.product_id == product_id)
        return joined if self.few is None else joined.where(product_id.in_(self.few))

    @property
    def key(self) -> ColumnElement[int]:
        key: ColumnElement[int] = self.table.c.key
        return key


def select_members(
    selection: ReportSelection, grouping: Grouping, ids: Sequence[int] | None = None
) -> ReportMembers:
    own, above = aliased(Category), aliased(Category)
    keys: Mapping[Grouping, ColumnElement[int]] = {
        Grouping.ALL: literal(0),
        Grouping.PRODUCT: Product.id.expression,
        Grouping.CATEGORY: above.id.expression,
    }
    key = keys[grouping]
    statement = select(Product.id.label("product_id"), key.label("key")).where(*product_conditions(selection))
    if grouping is Grouping.CATEGORY:
        statement = (
            statement.join(own, own.id == Product.category_id)
            .join(above, func.substr(own.path, 1, func.length(above.path)) == above.path)
            .where(above.parent_id == selection.category_id)
        )
    if ids is not None and grouping is not Grouping.ALL:
        statement = statement.where(key.in_(ids))
    few = ids if grouping is Grouping.PRODUCT and ids is not None else selection.product_ids
    return ReportMembers(statement.cte("members"), few)


def product_conditions(selection: ReportSelection) -> list[ColumnElement[bool]]:
    """The conditions for a product to be in the report."""
    conditions: list[ColumnElement[bool]] = []
    if selection.product_ids is not None:
        conditions.append(Product.id.in_(selection.product_ids))
    if selection.category_path is not None:
        below = select(Category.id).where(Category.path.startswith(selection.category_path, autoescape=True))
        conditions.append(Product.category_id.in_(below))
    return conditions


def sum_of(amount: AnyColumn) -> ColumnElement[int]:
    return cast(func.sum(amount), BigInteger)


def select_views(members: ReportMembers, selection: ReportSelection, *, daily: bool = False) -> AnySelect:
    """Views and cart additions by line and, with `daily`, by day."""
    by = [members.key, day_number(ProductDay.day) if daily else literal_column("0")]
    columns = [
        sum_of(ProductDay.views).label("views"),
        sum_of(ProductDay.cart_additions).label("cart_additions"),
    ]
    return (
        members.join_to(select(*by, *columns).select_from(ProductDay), ProductDay.product_id)
        .where(ProductDay.day >= selection.days.first, ProductDay.day <= selection.days.last)
        .group_by(*by[: 1 + daily])
    )


def select_order_lines(
    members: ReportMembers,
    selection: ReportSelection,
    *sums: AnyColumn,
    daily: bool,
    also_by: Sequence[AnyColumn] = (),
) -> AnySelect:
    """Sums over the lines of orders placed in the days of the report, without cancelled orders."""
    by = [members.key, local_day(Order.placed_at, selection) if daily else literal_column("0")]
    return (
        members.join_to(select(*by, *also_by, *sums).select_from(OrderLine), OrderLine.product_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= selection.start_of(selection.days.first))
        .where(Order.placed_at < selection.end_of(selection.days.last))
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(*by[: 1 + daily], *also_by)
    )


def select_sales(members: ReportMembers, selection: ReportSelection, *, daily: bool = False) -> AnySelect:
    orders = func.count(OrderLine.order_id.distinct()).label("orders")
    return select_order_lines(
        members,
        selection,
        orders,
        sum_of(OrderLine.quantity - OrderLine.cancelled).label("units"),
        daily=daily,
    )


def select_revenue(members: ReportMembers, selection: ReportSelection, *, daily: bool = False) -> AnySelect:
    """Revenue by currency, without discounts and cancelled units."""
    amount = OrderLine.unit_amount * OrderLine.quantity - OrderLine.discount_amount
    amount = amount - OrderLine.cancelled_amount
    sums = sum_of(amount).label("amount")
    return select_order_lines(members, selection, sums, daily=daily, also_by=[OrderLine.currency])


def select_returns(members: ReportMembers, selection: ReportSelection, *, daily: bool = False) -> AnySelect:
    """Units returned at any time of orders placed in the days of the report."""
    return (
        select_order_lines(members, selection, sum_of(TicketLine.quantity).label("returned"), daily=daily)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.type.in_(RETURNS), Ticket.status.in_(ACCEPTED))
    )


def local_day(moment: AnyColumn, selection: ReportSelection) -> ColumnElement[int]:
    """The day of a moment in the time zone of the report, as its number since 1970."""
    *changes, (_, last) = selection.offsets()
    offset: ColumnElement[int] | int = (
        case(*((moment < until, seconds) for until, seconds in changes), else_=last) if changes else last
    )
    return cast(epoch_seconds(moment) + offset, BigInteger) // DAY_SECONDS


def day_number(day: AnyColumn) -> ColumnElement[int]:
    return cast(epoch_seconds(day), BigInteger) // DAY_SECONDS
