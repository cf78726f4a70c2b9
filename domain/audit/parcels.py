"""Parcels against their orders and against what was reported of them."""

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, literal, or_

from domain.audit.comparison import select_rows
from domain.shipment.due import UNCALLED
from domain.shipment.states import FINAL
from models import Carrier, Delivery, Shipment, ShipmentStatus, ShippingMethod, TrackingEvent
from models.sql.types import AnySelect

S = ShipmentStatus


def find_foreign_deliveries() -> AnySelect:
    """Parcels with what is to be delivered for another order."""
    return (
        select_rows(
            Shipment.number,
            expected=literal("order ") + cast(Shipment.order_id, String),
            found=literal("order ") + cast(Delivery.order_id, String),
        )
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.order_id != Shipment.order_id)
    )


def find_unnumbered_parcels() -> AnySelect:
    """Parcels that were sent without a carrier or without its number."""
    sent = Delivery.method.not_in((ShippingMethod.PICKUP, ShippingMethod.NONE))
    return (
        select_rows(
            Shipment.number,
            expected=literal("a carrier and its number"),
            found=func.coalesce(Shipment.carrier, literal("no carrier")),
        )
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.dispatched_at.is_not(None), sent)
        .where(or_(Shipment.carrier.is_(None), Shipment.tracking_number.is_(None)))
    )


def find_unreported_statuses() -> AnySelect:
    """Parcels with a status that no event has given them. What is not sent has none."""
    return (
        select_rows(Shipment.number, expected=literal("an event"), found=Shipment.status)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.status != S.PENDING, Delivery.method != ShippingMethod.NONE)
        .where(~has_event(TrackingEvent.status == Shipment.status))
    )


def find_wrong_arrivals() -> AnySelect:
    """Parcels that have arrived at another time than was reported, or arrived and are not delivered.

    One that was reported for a later moment had arrived when it was reported, at the earliest.
    """
    arrival = case(
        (Shipment.delivered_at.is_(None), literal("never")), else_=cast(Shipment.delivered_at, String)
    )
    reported = has_event(
        TrackingEvent.status == S.DELIVERED,
        or_(
            Shipment.delivered_at == TrackingEvent.occurred_at,
            and_(
                Shipment.delivered_at < TrackingEvent.occurred_at,
                Shipment.delivered_at >= TrackingEvent.received_at,
            ),
        ),
    )
    is_sent = Delivery.method != ShippingMethod.NONE
    is_delivered = Shipment.status == S.DELIVERED
    wrong = or_(
        and_(is_delivered, Shipment.delivered_at.is_(None)),
        and_(is_delivered, is_sent, ~reported),
        and_(~is_delivered, Shipment.delivered_at.is_not(None)),
    )
    return (
        select_rows(Shipment.number, expected=literal("as reported"), found=arrival)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(wrong)
    )


def find_unasked_parcels() -> AnySelect:
    """Parcels under way about which their carrier was asked, and will never be again."""
    return (
        select_rows(Shipment.number, expected=literal("a time to ask"), found=Shipment.status)
        .join(Carrier, Carrier.code == Shipment.carrier)
        .where(
            Carrier.connection.not_in(UNCALLED),
            Shipment.polled_at.is_not(None),
            Shipment.poll_at.is_(None),
            Shipment.ended_at.is_(None),
            Shipment.status.not_in(FINAL),
        )
    )


def has_event(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a parcel has an event like this that was not taken back."""
    return exists().where(
        TrackingEvent.shipment_id == Shipment.id, TrackingEvent.revoked_at.is_(None), *conditions
    )
