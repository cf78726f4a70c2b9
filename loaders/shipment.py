from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    CarrierCode,
    Delivery,
    DeliveryLine,
    Order,
    OrderStatus,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    ShipmentTask,
    ShipmentTaskKind,
    ShippingMethod,
    TrackingEvent,
    TrackingLink,
    Warehouse,
    waiting_units,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_SHIPMENT = Sort("newest", (Key(Shipment.id, descending=True),))
OLDEST_DELIVERY = Sort("oldest", (Key(Delivery.id),))
NEWEST_TASK = Sort("newest", (Key(ShipmentTask.id, descending=True),))


@dataclass(frozen=True, slots=True)
class ShipmentRoute:
    """A parcel with its order, and the warehouse and the delivery it travels between."""

    shipment: Shipment
    order: Order
    delivery: Delivery
    warehouse: Warehouse


def is_parcel() -> ColumnElement[bool]:
    """Whether a shipment is a parcel: what needs no shipping has none."""
    unshipped = (Delivery.id == Shipment.delivery_id) & (Delivery.method == ShippingMethod.NONE)
    return ~exists().where(unshipped)


class ShipmentById(ByKey[int, Shipment]):
    key = Shipment.id

    def statement(self) -> AnySelect:
        return select(Shipment).where(is_parcel())


class ShipmentByNumber(ByKey[str, Shipment]):
    key = Shipment.number

    def statement(self) -> AnySelect:
        return select(Shipment).where(is_parcel())


class ShipmentsByOrder(ManyByKey[int, Shipment]):
    key = Shipment.order_id
    order_by = Shipment.id, ShipmentLine.delivery_line_id
    primes = "shipment"
    brings = {"shipment_lines": (Shipment.id, ShipmentLine.shipment_id)}

    def statement(self) -> AnySelect:
        return select(Shipment).where(is_parcel())


class ShipmentsByDelivery(ManyByKey[int, Shipment]):
    key = Shipment.delivery_id
    order_by = Shipment.id, ShipmentLine.delivery_line_id
    primes = "shipment"
    brings = {"shipment_lines": (Shipment.id, ShipmentLine.shipment_id)}


class LinesByShipment(ManyByKey[int, ShipmentLine]):
    key = ShipmentLine.shipment_id
    order_by = ShipmentLine.delivery_line_id


class EventsByShipment(ManyByKey[int, TrackingEvent]):
    key = TrackingEvent.shipment_id
    order_by = TrackingEvent.occurred_at, TrackingEvent.received_at, TrackingEvent.id


class ShipmentTaskById(ByKey[int, ShipmentTask]):
    key = ShipmentTask.id


class ShipmentLoaders:
    shipment_task = loader(ShipmentTaskById)
    shipment = loader(ShipmentById)
    shipment_by_number = loader(ShipmentByNumber)
    order_shipments = loader(ShipmentsByOrder)
    delivery_shipments = loader(ShipmentsByDelivery)
    shipment_lines = loader(LinesByShipment)
    shipment_events = loader(EventsByShipment)


async def load_routes(reads: Reads, shipment_ids: Collection[int]) -> dict[int, ShipmentRoute]:
    """The routes of parcels, by the parcel's id."""
    async with reads() as session:
        rows = await session.execute(
            select(Shipment, Order, Delivery, Warehouse)
            .join(Order, Order.id == Shipment.order_id)
            .join(Delivery, Delivery.id == Shipment.delivery_id)
            .join(Warehouse, Warehouse.id == Shipment.warehouse_id)
            .where(Shipment.id.in_(shipment_ids))
        )
        return {
            shipment.id: ShipmentRoute(shipment, order, delivery, warehouse)
            for shipment, order, delivery, warehouse in rows
        }


def select_shipments(
    *,
    status: Collection[ShipmentStatus] | None = None,
    warehouse_id: int | None = None,
    carrier: CarrierCode | None = None,
    dispatched: bool | None = None,
    waiting: bool | None = None,
) -> AnySelect:
    statement = select(Shipment).where(is_parcel())
    if waiting is not None:
        statement = statement.where(Shipment.waiting_since.is_not(None) == waiting)
    if status is not None:
        statement = statement.where(Shipment.status.in_(status))
    if warehouse_id is not None:
        statement = statement.where(Shipment.warehouse_id == warehouse_id)
    if carrier is not None:
        statement = statement.where(Shipment.carrier == carrier)
    if dispatched is not None:
        statement = statement.where(Shipment.dispatched_at.is_not(None) == dispatched)
    return statement


def select_tasks(*, kind: ShipmentTaskKind | None = None, is_open: bool | None = None) -> AnySelect:
    statement = select(ShipmentTask)
    if kind is not None:
        statement = statement.where(ShipmentTask.kind == kind)
    if is_open is not None:
        statement = statement.where(ShipmentTask.ended_at.is_(None) == is_open)
    return statement


async def load_linked_shipment(reads: Reads, token_hash: str) -> Shipment | None:
    """The parcel of a tracking link; None where no link has this token."""
    async with reads() as session:
        return await session.scalar(
            select(Shipment)
            .join(TrackingLink, TrackingLink.shipment_id == Shipment.id)
            .where(TrackingLink.token_hash == token_hash)
        )


def select_deliveries_to_pack(*, warehouse_id: int | None = None) -> AnySelect:
    """Deliveries that may be sent and of which something is there that is not packed."""
    unpacked = select(DeliveryLine.id).where(
        DeliveryLine.delivery_id == Delivery.id, DeliveryLine.packed < DeliveryLine.quantity - waiting_units()
    )
    if warehouse_id is not None:
        unpacked = unpacked.where(DeliveryLine.warehouse_id == warehouse_id)
    replaces = Delivery.ticket_id.is_not(None) & (Order.status == OrderStatus.COMPLETED)
    return (
        select(Delivery)
        .join(Order, Order.id == Delivery.order_id)
        .where((Order.status == OrderStatus.CONFIRMED) | replaces, exists(unpacked))
        .where(Delivery.method != ShippingMethod.NONE)
        .where(Order.held_at.is_(None), Order.payment_due_at.is_(None))
    )
