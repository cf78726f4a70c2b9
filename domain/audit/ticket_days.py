"""What is kept of days of tickets against the tickets and the parcels; days of which a ticket has changed
since are counted again, and not compared."""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from domain.audit.comparison import select_rows
from models import (
    OrderLine,
    RefundDay,
    RefundDimension,
    Shipment,
    Ticket,
    TicketDay,
    TicketLine,
    TicketRating,
    TicketStatus,
)
from models.counted_days import BEST
from models.sql.dialects import count_of_keys, text_at_key
from models.sql.hexadecimal import hex_of_bytes, hex_of_packed
from models.sql.types import AnyColumn, AnySelect
from models.ticket_figures import (
    IS_COUNTED,
    IS_OF_CUSTOMER,
    seconds_of,
    select_lines_refunded,
    select_parcels_refunded,
    select_units_sent,
)

IS_OF_DAY = and_(Ticket.opened_at >= TicketDay.starts_at, Ticket.opened_at < TicketDay.ends_at)
LEFT_ON_DAY = and_(Shipment.dispatched_at >= TicketDay.starts_at, Shipment.dispatched_at < TicketDay.ends_at)

OPENED = seconds_of(Ticket.opened_at)
ANSWER = case((IS_OF_CUSTOMER, seconds_of(Ticket.first_answered_at) - OPENED))
"""Seconds until the first answer; NULL where it does not count."""
RESOLUTION = case((Ticket.status != TicketStatus.CANCELLED, seconds_of(Ticket.resolved_at) - OPENED))
WAS_RESOLVED = or_(Ticket.resolved_at.is_not(None), Ticket.reopens > 0)

DAY_NAME = cast(TicketDay.day, String)


def count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


COUNTS: Mapping[str, tuple[AnyColumn, ColumnElement[int]]] = {
    "opened": (TicketDay.opened, func.count(Ticket.id)),
    "resolved": (TicketDay.resolved, count_if(WAS_RESOLVED)),
    "reopened": (TicketDay.reopened, count_if(Ticket.reopens > 0)),
    "asked": (TicketDay.asked, func.count(TicketRating.asked_at)),
    "answered": (TicketDay.answered, func.count(ANSWER)),
    "settled": (TicketDay.settled, func.count(RESOLUTION)),
    "seconds until answers": (TicketDay.answer_seconds, func.coalesce(func.sum(ANSWER), 0)),
    "seconds until ends": (TicketDay.resolution_seconds, func.coalesce(func.sum(RESOLUTION), 0)),
    **{
        f"ratings of {rating}": (
            TicketDay.ratings[rating - 1].as_integer(),
            count_if(TicketRating.rating == rating),
        )
        for rating in range(1, BEST + 1)
    },
}
"""What a day keeps, and the same counted."""


def has_changed() -> ColumnElement[bool]:
    """Whether a ticket of a day has changed since it was counted."""
    changed = aliased(Ticket)
    is_of_day = and_(changed.opened_at >= TicketDay.starts_at, changed.opened_at < TicketDay.ends_at)
    of_day = select(changed.id).where(is_of_day, changed.recount_at.is_not(None))
    return of_day.correlate(TicketDay).exists()


def find_wrong_days() -> AnySelect:
    """Days of which something else is kept than their tickets say; the first such figure is named."""
    wrong = {name: kept.is_distinct_from(counted) for name, (kept, counted) in COUNTS.items()}

    def first_wrong(values: Mapping[str, AnyColumn]) -> AnyColumn:
        return case(*((is_wrong, cast(values[name], String)) for name, is_wrong in wrong.items()))

    return (
        select_rows(
            DAY_NAME + literal(" ") + first_wrong({name: literal(name) for name in COUNTS}),
            expected=first_wrong({name: counted for name, (_, counted) in COUNTS.items()}),
            found=first_wrong({name: kept for name, (kept, _) in COUNTS.items()}),
        )
        .outerjoin(Ticket, and_(IS_OF_DAY, IS_COUNTED))
        .outerjoin(TicketRating, TicketRating.ticket_id == Ticket.id)
        .where(~has_changed())
        .group_by(TicketDay.day)
        .having(or_(*wrong.values()))
    )


def find_wrong_times() -> AnySelect:
    """Days of which other times are kept one by one, or in another order, than those of their tickets."""
    return union_of(
        [
            select_wrong_times("until answers", ANSWER, TicketDay.answer_times),
            select_wrong_times("until ends", RESOLUTION, TicketDay.resolution_times),
        ]
    )


def select_wrong_times(name: str, seconds: ColumnElement[int], kept: AnyColumn) -> AnySelect:
    place = func.row_number().over(partition_by=TicketDay.day, order_by=seconds)
    in_order = func.aggregate_strings(hex_of_packed(seconds), "")
    listed = (
        select(
            TicketDay.day,
            in_order.over(partition_by=TicketDay.day, order_by=seconds, rows=(None, None)).label("all"),
            place.label("place"),
        )
        .join(Ticket, and_(IS_OF_DAY, IS_COUNTED))
        .where(seconds.is_not(None))
        .subquery()
    )
    return (
        select_rows(
            DAY_NAME + literal(f" {name}"),
            expected=literal("the times of its tickets"),
            found=literal("other times"),
        )
        .select_from(TicketDay)
        .outerjoin(listed, and_(listed.c.day == TicketDay.day, listed.c.place == 1))
        .where(hex_of_bytes(kept) != func.coalesce(listed.c.all, ""), ~has_changed())
    )


def find_wrong_agents() -> AnySelect:
    """Days of which other figures of an agent are kept than of the tickets they have, or of another agent."""
    agent = cast(Ticket.assignee_id, String)
    figures = [
        func.count(Ticket.id),
        count_if(WAS_RESOLVED),
        count_if(Ticket.reopens > 0),
        func.count(TicketRating.rating),
        func.coalesce(func.sum(TicketRating.rating), 0),
    ]
    written: ColumnElement[str] = literal("[")
    for place, figure in enumerate(figures):
        written = written + literal("," if place else "") + cast(figure, String)
    counted = (
        select(TicketDay.day, agent.label("agent"), (written + literal("]")).label("figures"))
        .join(Ticket, and_(IS_OF_DAY, IS_COUNTED, Ticket.assignee_id.is_not(None)))
        .outerjoin(TicketRating, TicketRating.ticket_id == Ticket.id)
        .group_by(TicketDay.day, Ticket.assignee_id)
        .cte("counted")
    )
    kept = text_at_key(TicketDay.agents, counted.c.agent)
    wrong = (
        select_rows(
            DAY_NAME + literal(" account ") + counted.c.agent,
            expected=counted.c.figures,
            found=func.coalesce(kept, "nothing"),
        )
        .join(counted, counted.c.day == TicketDay.day)
        .where(counted.c.figures.is_distinct_from(kept), ~has_changed())
    )
    agents = select(counted.c.day, func.count().label("total")).group_by(counted.c.day).subquery()
    expected, found = func.coalesce(agents.c.total, 0), count_of_keys(TicketDay.agents)
    others = (
        select_rows(DAY_NAME + literal(" agents"), expected=cast(expected, String), found=cast(found, String))
        .outerjoin(agents, agents.c.day == TicketDay.day)
        .where(expected != found, ~has_changed())
    )
    return union_of([wrong, others])


def find_wrong_refund_days() -> AnySelect:
    """Days of which other refunds are kept of a reason, product, warehouse or carrier than there were."""
    lines = (
        select_lines_refunded(TicketDay.day, Ticket.reason, OrderLine.product_id, TicketLine.currency)
        .join(TicketDay, IS_OF_DAY)
        .cte("refunded_lines")
    )
    parcels = (
        select_parcels_refunded(TicketDay.day, Shipment.warehouse_id, Shipment.carrier, TicketLine.currency)
        .join(TicketDay, IS_OF_DAY)
        .cte("refunded_parcels")
    )
    kept = select_kept_days(RefundDay.refunded, RefundDay.amount)
    booked = [
        select_booked(RefundDimension.REASON, lines, lines.c.reason, lines.c.amount),
        select_booked(RefundDimension.PRODUCT, lines, lines.c.product_id, lines.c.amount),
        select_booked(RefundDimension.WAREHOUSE, parcels, parcels.c.warehouse_id, parcels.c.amount),
        select_booked(RefundDimension.CARRIER, parcels, parcels.c.carrier, parcels.c.amount),
    ]
    return select_wrong_keys([kept, *booked]).where(~has_changed())


def find_wrong_sent_days() -> AnySelect:
    """Days of which other units are kept of a product, warehouse or carrier than have left on them."""
    by = (TicketDay.day, OrderLine.product_id, Shipment.warehouse_id, Shipment.carrier, OrderLine.currency)
    sent = select_units_sent(*by).join(TicketDay, LEFT_ON_DAY).cte("sent")
    nothing = literal(0, BigInteger)
    kept = select_kept_days(RefundDay.sent, nothing)
    booked = [
        select_booked(RefundDimension.PRODUCT, sent, sent.c.product_id, nothing),
        select_booked(RefundDimension.WAREHOUSE, sent, sent.c.warehouse_id, nothing),
        select_booked(RefundDimension.CARRIER, sent, sent.c.carrier, nothing),
    ]
    return select_wrong_keys([kept, *booked])


def select_kept_days(units: AnyColumn, amount: AnyColumn) -> AnySelect:
    """What is kept, as one side of a comparison."""
    return select(
        RefundDay.day.label("day"),
        cast(RefundDay.dimension, String).label("dimension"),
        RefundDay.key.label("key"),
        cast(RefundDay.currency, String).label("currency"),
        units.label("units"),
        amount.label("amount"),
        literal(True).label("is_kept"),
    )


def select_booked(dimension: RefundDimension, rows: CTE, key: AnyColumn, amount: AnyColumn) -> AnySelect:
    """What is true, as the other side of it."""
    return select(
        rows.c.day,
        literal(dimension.value),
        cast(key, String),
        cast(rows.c.currency, String),
        rows.c.units,
        amount,
        literal(False),
    ).where(key.is_not(None))


def select_wrong_keys(sides: Sequence[AnySelect]) -> AnySelect:
    """What is kept otherwise than it is true: its day, dimension and key, with units and amounts."""
    rows = union_all(*sides).subquery()

    def total_of(name: str, *, is_kept: bool) -> ColumnElement[int]:
        side = rows.c.is_kept if is_kept else ~rows.c.is_kept
        return func.coalesce(func.sum(case((side, rows.c[name]))), 0)

    def describe(*, is_kept: bool) -> AnyColumn:
        units, amount = (cast(total_of(name, is_kept=is_kept), String) for name in ("units", "amount"))
        return units + literal(" for ") + amount + literal(" ") + rows.c.currency

    expected, found = describe(is_kept=False), describe(is_kept=True)
    by = (rows.c.day, rows.c.dimension, rows.c.key, rows.c.currency)
    name = DAY_NAME + literal(" by ") + func.lower(rows.c.dimension) + literal(" ") + rows.c.key
    return (
        select_rows(name, expected=expected, found=found)
        .select_from(rows)
        .join(TicketDay, TicketDay.day == rows.c.day)
        .group_by(TicketDay.day, *by)
        .having(expected != found)
    )


def union_of(parts: Sequence[AnySelect]) -> AnySelect:
    return select(union_all(*parts).subquery())
