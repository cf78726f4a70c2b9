"""The fulfilment of orders against their deliveries and parcels."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, Subquery, and_, case, cast, func, literal, or_, select

from domain.audit.comparison import select_differences, sum_by, total_of
from domain.shipment.fulfilment import only_unshipped_delivered, select_replaced_units
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
)
from models.sql.types import AnySelect


@dataclass(frozen=True, slots=True)
class ParcelSums:
    """What `fulfilment_of` asks of the parcels of an order, as expressions in SQL."""

    parcels: ColumnElement[int]
    ordered: ColumnElement[int]
    """Units that were or will be sent, without those that ended undelivered."""
    kept: ColumnElement[int]
    """Units in parcels that were not withdrawn; the rest are of those that neither ended."""
    left: ColumnElement[int]
    """Units that have left the warehouse, in whatever became of them."""
    shipped: ColumnElement[int]
    delivered: ColumnElement[int]
    returned: ColumnElement[int]


def find_wrong_packed_units() -> AnySelect:
    """Delivery lines of which more or fewer units are packed than are in parcels that are not sent again."""
    packed = (
        select(ShipmentLine.delivery_line_id, func.sum(ShipmentLine.quantity).label("total"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .group_by(ShipmentLine.delivery_line_id)
        .subquery()
    )
    row = literal("delivery line ") + cast(DeliveryLine.id, String)
    return select_differences(row, expected=total_of(packed), found=DeliveryLine.packed).outerjoin(
        packed, packed.c.delivery_line_id == DeliveryLine.id
    )


def find_wrong_fulfilments() -> AnySelect:
    """Orders whose fulfilment status does not follow from their parcels, as `refresh_fulfilment` has it."""
    sums = [sum_parcels(replacements=replacements) for replacements in (False, True)]
    units = [sum_ordered_units(replacements=replacements) for replacements in (False, True)]
    replaced = select_replaced_units().subquery()
    originals, replacements = (parcel_sums(*each) for each in zip(sums, units, strict=True))
    none_ordered = and_(originals.ordered == 0, originals.parcels != 0)
    follows = case(
        (
            and_(none_ordered, replacements.parcels != 0),
            fulfilment_expression(replacements, replaced=literal(0)),
        ),
        (none_ordered, FulfilmentStatus.RETURNED),
        else_=fulfilment_expression(originals, replaced=total_of(replaced)),
    )
    statement = select_differences(Order.number, expected=follows, found=Order.fulfilment_status)
    for joined in (*sums, *units, replaced):
        statement = statement.outerjoin(joined, joined.c.order_id == Order.id)
    return statement


def fulfilment_expression(
    sums: ParcelSums, *, replaced: ColumnElement[int]
) -> ColumnElement[FulfilmentStatus]:
    """`fulfilment_of` as an expression in SQL."""
    delivered, returned = sums.delivered + replaced, sums.returned - replaced
    return case(
        *(
            (condition, literal(status, Order.fulfilment_status.type))
            for condition, status in (
                (and_(sums.parcels != 0, sums.ordered == 0), FulfilmentStatus.RETURNED),
                (sums.kept == 0, FulfilmentStatus.UNFULFILLED),
                (sums.left == 0, FulfilmentStatus.PACKING),
                (returned == sums.ordered, FulfilmentStatus.RETURNED),
                (
                    and_(delivered != 0, delivered + returned == sums.ordered),
                    FulfilmentStatus.DELIVERED,
                ),
                (delivered != 0, FulfilmentStatus.PARTIALLY_DELIVERED),
                (sums.shipped == sums.ordered, FulfilmentStatus.SHIPPED),
            )
        ),
        else_=literal(FulfilmentStatus.PARTIALLY_SHIPPED, Order.fulfilment_status.type),
    )


def parcel_sums(sums: Subquery, units: Subquery) -> ParcelSums:
    """The sums of an order outer-joined with them; 0 where there is none."""
    names = ("parcels", "kept", "left", "shipped", "delivered", "returned")
    found = {name: func.coalesce(sums.c[name], 0) for name in names}
    ordered = total_of(units) - func.coalesce(sums.c.settled, 0)
    return ParcelSums(ordered=ordered, **found)


def sum_parcels(*, replacements: bool) -> Subquery:
    """Units by order and by what became of their parcels; not those whose units are sent again."""
    counts = Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN)
    kept = and_(counts, Shipment.ending.is_distinct_from(ShipmentEnding.WITHDRAWN))
    left, live = Shipment.dispatched_at.is_not(None), Shipment.ending.is_(None)
    units = {
        "parcels": counts,
        "kept": kept,
        "left": and_(kept, left),
        "shipped": and_(live, left),
        "delivered": and_(live, Shipment.status == ShipmentStatus.DELIVERED),
        "returned": and_(live, Shipment.status == ShipmentStatus.RETURNED),
    }
    settled = func.sum(case((Shipment.ended_at.is_not(None), ShipmentLine.claimed), else_=0))
    return (
        select(
            Shipment.order_id,
            settled.label("settled"),
            *(
                func.sum(case((condition, ShipmentLine.quantity), else_=0)).label(name)
                for name, condition in units.items()
            ),
        )
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.ticket_id.is_not(None) if replacements else Delivery.ticket_id.is_(None))
        .where(~Delivery.sends_back)
        .group_by(Shipment.order_id)
        .subquery()
    )


def sum_ordered_units(*, replacements: bool) -> Subquery:
    """Units by order that were or will be sent; of its replacements, or without them."""
    return (
        select(Delivery.order_id, func.sum(DeliveryLine.quantity - DeliveryLine.ended).label("total"))
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .where(Delivery.ticket_id.is_not(None) if replacements else Delivery.ticket_id.is_(None))
        .where(~Delivery.sends_back)
        .group_by(Delivery.order_id)
        .subquery()
    )


def find_wrong_pickup_marks() -> AnySelect:
    """Orders that wait to be collected without a parcel that does, or the other way round."""
    is_waiting = Shipment.status == ShipmentStatus.READY_FOR_PICKUP
    waiting = sum_by(Shipment.order_id, literal(1), is_waiting, Shipment.ended_at.is_(None))
    marked = Order.ready_for_pickup
    expected, found = (
        case((condition, "ready to be collected"), else_="not ready")
        for condition in (total_of(waiting) > 0, marked)
    )
    return (
        select_differences(Order.number, expected=expected, found=found)
        .outerjoin(waiting, waiting.c.order_id == Order.id)
        .where(or_(marked, waiting.c.total.is_not(None)))
    )


def find_wrong_sent_marks() -> AnySelect:
    """Orders marked as if nothing were sent though a parcel has left, or the other way round."""
    expected, found = (
        case((condition, "nothing is sent"), else_="something is sent")
        for condition in (only_unshipped_delivered(), Order.nothing_sent)
    )
    in_part = Order.fulfilment_status == FulfilmentStatus.PARTIALLY_DELIVERED
    return select_differences(Order.number, expected=expected, found=found).where(
        or_(Order.nothing_sent, in_part)
    )
