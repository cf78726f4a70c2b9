"""Parcels that come back against what was reported of them and the tickets that wait for them."""

from sqlalchemy import ColumnElement, exists, func, literal, or_, select

from domain.aftersales.return_parcel import AWAITS_GOODS
from domain.audit.comparison import select_rows
from domain.events import TicketReturnDelivered
from domain.shipment.due import UNCALLED
from domain.shipment.states import FINAL
from models import (
    ArchivedEvent,
    Carrier,
    Event,
    ReturnCollection,
    ReturnEvent,
    ReturnParcel,
    ShipmentStatus,
    Subject,
    Ticket,
    TicketStatus,
    Waybill,
    WaybillStatus,
)
from models.sql.types import AnySelect


def find_unreported_returns() -> AnySelect:
    """Parcels with a status that no event has given them, or that are delivered at no time."""
    reported = exists().where(
        ReturnEvent.return_parcel_id == ReturnParcel.id,
        ReturnEvent.revoked_at.is_(None),
        ReturnEvent.status == ReturnParcel.status,
    )
    is_pending = ReturnParcel.status == ShipmentStatus.PENDING
    is_delivered = ReturnParcel.status == ShipmentStatus.DELIVERED
    return select_rows(
        ReturnParcel.tracking_number, expected=literal("an event"), found=ReturnParcel.status
    ).where(or_(~is_pending & ~reported, is_delivered != ReturnParcel.delivered_at.is_not(None)))


def find_unasked_returns() -> AnySelect:
    """Parcels under way about which their carrier was asked, and will never be again."""
    return (
        select_rows(
            ReturnParcel.tracking_number, expected=literal("a time to ask"), found=ReturnParcel.status
        )
        .join(Carrier, Carrier.code == ReturnParcel.carrier)
        .where(
            Carrier.connection.not_in(UNCALLED),
            ReturnParcel.polled_at.is_not(None),
            ReturnParcel.poll_at.is_(None),
            ReturnParcel.contested_at.is_(None),
            ReturnParcel.ended_at.is_(None),
            ReturnParcel.status.not_in(FINAL),
        )
    )


def find_unawaited_returns() -> AnySelect:
    """Parcels that are followed though no ticket waits for them any more."""
    follows = exists().where(
        Event.subject == Subject.TICKET, Event.subject_id == Ticket.id, Event.relayed_at.is_(None)
    )
    awaited = exists().where(
        Ticket.return_parcel_id == ReturnParcel.id, or_(Ticket.status.in_(AWAITS_GOODS), follows)
    )
    return select_rows(
        ReturnParcel.tracking_number, expected=literal("a ticket"), found=literal("none")
    ).where(or_(ReturnParcel.poll_at.is_not(None), ReturnParcel.attend_at.is_not(None)), ~awaited)


def find_unfollowed_collections() -> AnySelect:
    """Waybills by which carriers collect what tickets wait for, without a number that is followed."""
    followed = exists().where(
        ReturnParcel.account_id == Ticket.account_id,
        ReturnParcel.carrier == Waybill.carrier,
        ReturnParcel.tracking_number == Waybill.number,
    )
    return (
        select_rows(
            Waybill.reference,
            expected=literal("a number that is followed"),
            found=func.coalesce(Waybill.number, literal("none")),
        )
        .join(ReturnCollection, ReturnCollection.id == Waybill.return_collection_id)
        .join(Ticket, Ticket.id == ReturnCollection.ticket_id)
        .where(Waybill.status == WaybillStatus.BOOKED, Ticket.status.in_(AWAITS_GOODS), ~followed)
    )


def find_unrecorded_arrivals() -> AnySelect:
    """Tickets whose goods have reached the warehouse, and whose timeline does not say so."""
    return (
        select_rows(
            Ticket.number, expected=literal(TicketReturnDelivered.name), found=ReturnParcel.tracking_number
        )
        .join(ReturnParcel, ReturnParcel.id == Ticket.return_parcel_id)
        .where(Ticket.status == TicketStatus.RETURN_SHIPPED, ReturnParcel.delivered_at.is_not(None))
        .where(ReturnParcel.contested_at.is_(None), ReturnParcel.ended_at.is_(None))
        .where(~is_recorded(Event), ~is_recorded(ArchivedEvent))
    )


def is_recorded(events: type[Event] | type[ArchivedEvent]) -> ColumnElement[bool]:
    """Whether a ticket says that its goods have arrived."""
    return exists(
        select(events.id).where(
            events.subject == Subject.TICKET,
            events.subject_id == Ticket.id,
            events.name == TicketReturnDelivered.name,
        )
    )
