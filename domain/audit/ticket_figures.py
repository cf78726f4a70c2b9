"""What tickets keep for their figures against their events."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from domain.audit.comparison import select_rows
from domain.events import EVENT_TYPES, TicketEvent
from models import RESOLVED, ArchivedEvent, Event, Subject, Ticket
from models.sql.types import AnyColumn, AnySelect
from models.ticket_figures import seconds_of

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
