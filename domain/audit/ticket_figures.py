"""What tickets keep for their figures against their events, and what is kept of days against the tickets."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    Subquery,
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
from domain.events import EVENT_TYPES, TicketEvent
from models import (
    RESOLVED,
    ArchivedEvent,
    Delivery,
    Event,
    RefundDay,
    RefundDimension,
    Shipment,
    ShipmentLine,
    Subject,
    Ticket,
    TicketDay,
    TicketLine,
    TicketRating,
    TicketStatus,
)
from models.sql.types import AnyColumn, AnySelect
from models.ticket_figures import (
    IS_COUNTED,
    IS_OF_CUSTOMER,
    IS_REFUNDED,
    REFUNDED_AMOUNT,
    REFUNDED_UNITS,
    seconds_of,
)

ANSWERS = [
    event_type.name
    for event_type in EVENT_TYPES.values()
    if issubclass(event_type, TicketEvent) and event_type.answers
]


def select_ticket_events() -> Subquery:
    """All events of tickets, archived ones too."""
    parts = [
        select(
            table.subject_id,
            table.version,
            table.name,
            table.actor_id,
            table.occurred_at,
            table.payload["status"].as_string().label("status"),
        ).where(table.subject == Subject.TICKET)
        for table in (Event, ArchivedEvent)
    ]
    return union_all(*parts).subquery("ticket_events")


def find_wrong_first_answers() -> AnySelect:
    """Tickets that were answered first at another moment than their events say."""
    events = select_ticket_events()
    by_customer = events.c.actor_id == Ticket.account_id
    first = (
        select(events.c.subject_id, func.min(seconds_of(events.c.occurred_at)).label("at"))
        .join(Ticket, Ticket.id == events.c.subject_id)
        .where(events.c.name.in_(ANSWERS), or_(events.c.actor_id.is_(None), ~by_customer))
        .group_by(events.c.subject_id)
        .subquery()
    )
    return (
        select_rows(Ticket.number, expected=first.c.at, found=seconds_of(Ticket.first_answered_at))
        .outerjoin(first, first.c.subject_id == Ticket.id)
        .where(seconds_of(Ticket.first_answered_at).is_distinct_from(first.c.at))
    )


def find_wrong_reopens() -> AnySelect:
    """Tickets that came back more or less often than their events say, or are resolved unlike their state."""
    events = select_ticket_events()
    is_resolved = case((events.c.status.in_([each.value for each in RESOLVED]), 1), else_=0)
    before = func.lag(is_resolved).over(partition_by=events.c.subject_id, order_by=events.c.version)
    steps = select(events.c.subject_id, case((before > is_resolved, 1), else_=0).label("back")).subquery()
    counted = (
        select(steps.c.subject_id, cast(func.sum(steps.c.back), BigInteger).label("reopens"))
        .group_by(steps.c.subject_id)
        .subquery()
    )
    reopens = func.coalesce(counted.c.reopens, 0)
    expected = describe_reopens(reopens, Ticket.status.in_(RESOLVED))
    found = describe_reopens(Ticket.reopens, Ticket.resolved_at.is_not(None))
    return (
        select_rows(Ticket.number, expected=expected, found=found)
        .outerjoin(counted, counted.c.subject_id == Ticket.id)
        .where(expected != found)
    )


def describe_reopens(reopens: AnyColumn, resolved: ColumnElement[bool]) -> ColumnElement[str]:
    return cast(reopens, String) + case((resolved, literal(", resolved")), else_=literal(", open"))


IS_OF_DAY = and_(Ticket.opened_at >= TicketDay.starts_at, Ticket.opened_at < TicketDay.ends_at)


def has_changed() -> ColumnElement[bool]:
    """Whether a ticket of a day has changed since it was counted."""
    changed = aliased(Ticket)
    is_of_day = and_(changed.opened_at >= TicketDay.starts_at, changed.opened_at < TicketDay.ends_at)
    of_day = select(changed.id).where(is_of_day, changed.recount_at.is_not(None))
    return of_day.correlate(TicketDay).exists()


def find_wrong_days() -> AnySelect:
    """Days of which something else is kept than their tickets say; those with a changed ticket are counted
    again."""
    opened = seconds_of(Ticket.opened_at)
    answer = case((IS_OF_CUSTOMER, seconds_of(Ticket.first_answered_at) - opened))
    is_settled = Ticket.status != TicketStatus.CANCELLED
    resolution = case((is_settled, seconds_of(Ticket.resolved_at) - opened))
    found: list[tuple[AnyColumn, ColumnElement[int]]] = [
        (TicketDay.opened, func.count(Ticket.id)),
        (
            TicketDay.resolved,
            func.count(case((or_(Ticket.resolved_at.is_not(None), Ticket.reopens > 0), 1))),
        ),
        (TicketDay.reopened, func.count(case((Ticket.reopens > 0, 1)))),
        (TicketDay.asked, func.count(TicketRating.asked_at)),
        (TicketDay.answered, func.count(answer)),
        (TicketDay.settled, func.count(resolution)),
        (func.length(TicketDay.answer_times), func.count(answer) * 4),
        (func.length(TicketDay.resolution_times), func.count(resolution) * 4),
        (TicketDay.answer_seconds, func.coalesce(func.sum(answer), 0)),
        (TicketDay.resolution_seconds, func.coalesce(func.sum(resolution), 0)),
    ]
    wrong = or_(*(kept != counted for kept, counted in found))
    return (
        select_rows(cast(TicketDay.day, String), expected=func.count(Ticket.id), found=TicketDay.opened)
        .outerjoin(Ticket, and_(IS_OF_DAY, IS_COUNTED))
        .outerjoin(TicketRating, TicketRating.ticket_id == Ticket.id)
        .where(~has_changed())
        .group_by(TicketDay.day)
        .having(wrong)
    )


def find_wrong_refund_days() -> AnySelect:
    """Days of which other refunds are kept, by reason or by product, than their tickets brought."""
    booked = (
        select(
            TicketDay.day,
            func.sum(REFUNDED_UNITS).label("units"),
            func.sum(REFUNDED_AMOUNT).label("amount"),
        )
        .join(Ticket, IS_OF_DAY)
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .where(IS_REFUNDED)
        .group_by(TicketDay.day)
        .subquery()
    )
    parts = []
    for dimension in (RefundDimension.REASON, RefundDimension.PRODUCT):
        kept = (
            select(
                RefundDay.day,
                func.sum(RefundDay.refunded).label("units"),
                func.sum(RefundDay.amount).label("amount"),
            )
            .where(RefundDay.dimension == dimension)
            .group_by(RefundDay.day)
            .subquery()
        )
        units, amount = (
            (func.coalesce(booked.c[name], 0), func.coalesce(kept.c[name], 0)) for name in ("units", "amount")
        )
        parts.append(
            select_rows(
                cast(TicketDay.day, String) + literal(f" by {dimension.value.lower()}"),
                expected=units[0],
                found=units[1],
            )
            .outerjoin(booked, booked.c.day == TicketDay.day)
            .outerjoin(kept, kept.c.day == TicketDay.day)
            .where(or_(units[0] != units[1], amount[0] != amount[1]), ~has_changed())
        )
    return select(union_all(*parts).subquery())


def find_wrong_sent_days() -> AnySelect:
    """Days of which other units are kept, by product or by warehouse, than have left on them."""
    booked = (
        select(TicketDay.day, func.sum(ShipmentLine.quantity).label("units"))
        .join(
            Shipment,
            and_(Shipment.dispatched_at >= TicketDay.starts_at, Shipment.dispatched_at < TicketDay.ends_at),
        )
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Delivery, and_(Delivery.id == Shipment.delivery_id, ~Delivery.sends_back))
        .group_by(TicketDay.day)
        .subquery()
    )
    parts = []
    for dimension in (RefundDimension.PRODUCT, RefundDimension.WAREHOUSE):
        kept = (
            select(RefundDay.day, func.sum(RefundDay.sent).label("units"))
            .where(RefundDay.dimension == dimension)
            .group_by(RefundDay.day)
            .subquery()
        )
        sent, found = func.coalesce(booked.c.units, 0), func.coalesce(kept.c.units, 0)
        row = cast(TicketDay.day, String) + literal(f" by {dimension.value.lower()}")
        parts.append(
            select_rows(row, expected=sent, found=found)
            .outerjoin(booked, booked.c.day == TicketDay.day)
            .outerjoin(kept, kept.c.day == TicketDay.day)
            .where(sent != found)
        )
    return select(union_all(*parts).subquery())
