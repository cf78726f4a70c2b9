"""Waybills: none is forgotten, and no parcel has one too many."""

from sqlalchemy import and_, case, exists, func, literal, or_
from sqlalchemy.orm import aliased

from domain.audit.comparison import is_long_past, select_rows
from domain.shipment.waybills import ANSWERED_WITHIN, LIVE, LONGEST_PAUSE
from models import Shipment, Waybill, WaybillStatus
from models.sql.types import AnySelect

ENDED_WITHIN = ANSWERED_WITHIN + 2 * LONGEST_PAUSE
"""For longer, no booking may wait for its answer: somebody has to ask the carrier."""


def find_forgotten_waybills() -> AnySelect:
    """Waybills that wait for their carrier and about which nobody will call it."""
    waiting = Waybill.status.in_((WaybillStatus.REQUESTED, WaybillStatus.CANCELLING))
    return select_rows(Waybill.reference, expected=literal("a time to call"), found=Waybill.status).where(
        waiting, Waybill.call_at.is_(None), Waybill.mother_id.is_(None)
    )


def find_unanswered_waybills() -> AnySelect:
    """Waybills that are asked for although the shop has recorded an event ENDED_WITHIN later."""
    return select_rows(Waybill.reference, expected=literal("answered"), found=Waybill.status).where(
        Waybill.status == WaybillStatus.REQUESTED, is_long_past(Waybill.requested_at, ENDED_WITHIN)
    )


def find_useless_waybills() -> AnySelect:
    """Live waybills of parcels that have left by another number, or ended before they left."""
    used = (Shipment.carrier == Waybill.carrier) & (Shipment.tracking_number == Waybill.number)
    elsewhere = Shipment.dispatched_at.is_not(None) & or_(~used, Waybill.number.is_(None))
    ended = Shipment.dispatched_at.is_(None) & Shipment.ended_at.is_not(None)
    return (
        select_rows(Waybill.reference, expected=literal("cancelled"), found=Waybill.status)
        .join(Shipment, Shipment.id == Waybill.shipment_id)
        .where(Waybill.status.in_(LIVE), or_(elsewhere, ended))
    )


def find_wrong_children() -> AnySelect:
    """Waybills that go along on one that is not booked any more, and are live all the same.

    One that its carrier does not cancel, since parcels have left on it, still takes the others along.
    """
    mother, sibling = aliased(Waybill), aliased(Waybill)
    has_left = (
        exists()
        .where(sibling.mother_id == mother.id, sibling.status.in_(LIVE))
        .where(Shipment.id == sibling.shipment_id, Shipment.dispatched_at.is_not(None))
    )
    goes_on = and_(mother.status == WaybillStatus.CANCEL_REFUSED, has_left)
    return (
        select_rows(Waybill.reference, expected=mother.status, found=Waybill.status)
        .join(mother, mother.id == Waybill.mother_id)
        .where(Waybill.status.in_(LIVE), mother.status.not_in(LIVE), ~goes_on)
    )


def find_wrong_asked_cash() -> AnySelect:
    """Booked waybills of parcels that have left, for which their carrier collects more or less than is fixed.

    Those of which a parcel has ended, or whose cash was written off or never asked for, are left out.
    """
    on_it = aliased(Waybill)
    is_fixed = and_(
        on_it.status == WaybillStatus.BOOKED,
        Shipment.dispatched_at.is_not(None),
        Shipment.ended_at.is_(None),
        Shipment.cash_written_off_at.is_(None),
    )
    fixed = func.coalesce(func.sum(Shipment.cash_amount), 0)
    return (
        select_rows(Waybill.reference, expected=Waybill.cash_amount, found=fixed)
        .join(on_it, or_(on_it.id == Waybill.id, on_it.mother_id == Waybill.id))
        .outerjoin(Shipment, Shipment.id == on_it.shipment_id)
        .where(Waybill.status == WaybillStatus.BOOKED, Waybill.cash_amount > 0)
        .group_by(Waybill.id, Waybill.reference, Waybill.cash_amount)
        .having(fixed != Waybill.cash_amount)
        .having(func.sum(case((is_fixed, 0), else_=1)) == 0)
    )
