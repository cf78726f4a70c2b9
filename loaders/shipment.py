from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.prepared import Reads
from models import (
    CarrierCode,
    Delivery,
    DeliveryLine,
    DeliveryRun,
    Order,
    OrderStatus,
    RunStatus,
    RunStop,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    TrackingEvent,
    Warehouse,
)

NEWEST_SHIPMENT = Sort("newest", (Key(Shipment.id, descending=True),))
OLDEST_DELIVERY = Sort("oldest", (Key(Delivery.id),))
NEWEST_RUN = Sort("newest", (Key(DeliveryRun.id, descending=True),))


@dataclass(frozen=True, slots=True)
class Way:
    """A parcel and the two ends of its way."""

    shipment: Shipment
    order: Order
    delivery: Delivery
    warehouse: Warehouse


@dataclass(frozen=True, slots=True)
class Ride:
    """A parcel's place on the run that is bringing it now."""

    stop: RunStop
    run: DeliveryRun
    stops_ahead: int


class ShipmentById(ByKey[int, Shipment]):
    key = Shipment.id


class ShipmentByNumber(ByKey[str, Shipment]):
    key = Shipment.number


class ShipmentsByOrder(ManyByKey[int, Shipment]):
    key = Shipment.order_id
    order_by = Shipment.id, ShipmentLine.delivery_line_id
    primes = "shipment"
    brings = {"shipment_lines": (Shipment.id, ShipmentLine.shipment_id)}


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
    order_by = TrackingEvent.occurred_at, TrackingEvent.received_at, TrackingEvent.code


class RideByShipment(Grouped[int, Ride | None]):
    """Where a parcel stands on a run that is on the road; None for all others."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Ride | None]:
        earlier = aliased(RunStop)
        ahead = (
            select(func.count())
            .where(
                earlier.run_id == RunStop.run_id,
                earlier.position < RunStop.position,
                earlier.outcome.is_(None),
            )
            .scalar_subquery()
        )
        rows = await session.execute(
            select(RunStop, DeliveryRun, ahead)
            .join(DeliveryRun, DeliveryRun.id == RunStop.run_id)
            .where(
                RunStop.shipment_id.in_(keys),
                RunStop.outcome.is_(None),
                DeliveryRun.status == RunStatus.ACTIVE,
            )
        )
        return {stop.shipment_id: Ride(stop, run, count) for stop, run, count in rows}

    def nothing(self) -> None:
        return None


class RunById(ByKey[int, DeliveryRun]):
    key = DeliveryRun.id


class StopsByRun(ManyByKey[int, RunStop]):
    key = RunStop.run_id
    order_by = RunStop.position


class StopById(ByKey[int, RunStop]):
    key = RunStop.id


class CouriersByShipment(Grouped[int, frozenset[int]]):
    """Those of our couriers who carry or have carried a parcel."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, frozenset[int]]:
        rows = await session.execute(
            select(RunStop.shipment_id, DeliveryRun.courier_id)
            .join(DeliveryRun, DeliveryRun.id == RunStop.run_id)
            .where(RunStop.shipment_id.in_(keys))
        )
        found: dict[int, frozenset[int]] = {}
        for shipment_id, courier_id in rows:
            found[shipment_id] = found.get(shipment_id, frozenset()) | {courier_id}
        return found

    def nothing(self) -> frozenset[int]:
        return frozenset()


class ShipmentLoaders:
    shipment = loader(ShipmentById)
    shipment_by_number = loader(ShipmentByNumber)
    order_shipments = loader(ShipmentsByOrder)
    delivery_shipments = loader(ShipmentsByDelivery)
    shipment_lines = loader(LinesByShipment)
    shipment_events = loader(EventsByShipment)
    shipment_ride = loader(RideByShipment)
    shipment_couriers = loader(CouriersByShipment)
    run = loader(RunById)
    run_stops = loader(StopsByRun)
    run_stop = loader(StopById)


async def ways(reads: Reads, shipment_ids: Collection[int]) -> dict[int, Way]:
    """Parcels and where they come from and go to, by the parcel's id."""
    async with reads() as session:
        rows = await session.execute(
            select(Shipment, Order, Delivery, Warehouse)
            .join(Order, Order.id == Shipment.order_id)
            .join(Delivery, Delivery.id == Shipment.delivery_id)
            .join(Warehouse, Warehouse.id == Shipment.warehouse_id)
            .where(Shipment.id.in_(shipment_ids))
        )
        found = [Way(shipment, order, delivery, warehouse) for shipment, order, delivery, warehouse in rows]
    return {way.shipment.id: way for way in found}


def shipments_wanted(
    *,
    status: Collection[ShipmentStatus] | None = None,
    warehouse_id: int | None = None,
    carrier: CarrierCode | None = None,
    dispatched: bool | None = None,
) -> Select[Any]:
    wanted = select(Shipment)
    if status is not None:
        wanted = wanted.where(Shipment.status.in_(status))
    if warehouse_id is not None:
        wanted = wanted.where(Shipment.warehouse_id == warehouse_id)
    if carrier is not None:
        wanted = wanted.where(Shipment.carrier == carrier)
    if dispatched is not None:
        wanted = wanted.where(Shipment.dispatched_at.is_not(None) == dispatched)
    return wanted


def deliveries_to_pack(*, warehouse_id: int | None = None) -> Select[Any]:
    """Deliveries that may leave and of which something is not packed yet."""
    unpacked = select(DeliveryLine.id).where(
        DeliveryLine.delivery_id == Delivery.id, DeliveryLine.packed < DeliveryLine.quantity
    )
    if warehouse_id is not None:
        unpacked = unpacked.where(DeliveryLine.warehouse_id == warehouse_id)
    replaces = Delivery.ticket_id.is_not(None) & (Order.status == OrderStatus.COMPLETED)
    return (
        select(Delivery)
        .join(Order, Order.id == Delivery.order_id)
        .where((Order.status == OrderStatus.CONFIRMED) | replaces, exists(unpacked))
        .where(Order.held_at.is_(None))
    )


def runs_wanted(
    *,
    status: Collection[RunStatus] | None = None,
    warehouse_id: int | None = None,
    courier_id: int | None = None,
    seen_by: int | None = None,
) -> Select[Any]:
    """Runs; those of one courier when `seen_by` is one."""
    wanted = select(DeliveryRun)
    if status is not None:
        wanted = wanted.where(DeliveryRun.status.in_(status))
    if warehouse_id is not None:
        wanted = wanted.where(DeliveryRun.warehouse_id == warehouse_id)
    for courier in (courier_id, seen_by):
        if courier is not None:
            wanted = wanted.where(DeliveryRun.courier_id == courier)
    return wanted
