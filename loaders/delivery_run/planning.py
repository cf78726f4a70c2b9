"""What planning runs reads: vehicles, open parcels, and runs that are planned anew."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select

from models import (
    OWN_COURIERS,
    Delivery,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Order,
    Shipment,
    ShipmentStatus,
    ShippingMethod,
    Vehicle,
    Warehouse,
)
from models.database import Reads


@dataclass(frozen=True, slots=True)
class PlanningVehicle:
    """A vehicle with its depot, and from when to when it is on runs that have not ended."""

    vehicle: Vehicle
    warehouse: Warehouse
    busy: Sequence[tuple[datetime, datetime]]


async def load_planning_vehicles(
    reads: Reads, *, vehicle_ids: Collection[int] = (), warehouse_ids: Collection[int] = ()
) -> list[PlanningVehicle]:
    """These vehicles, and all of these depots, without archived ones."""
    open_run = DeliveryRun.status.in_(
        (DeliveryRunStatus.DRAFT, DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE)
    )
    async with reads() as session:
        found = await session.execute(
            select(Vehicle, Warehouse)
            .join(Warehouse, Warehouse.id == Vehicle.warehouse_id)
            .where(or_(Vehicle.id.in_(vehicle_ids), Vehicle.warehouse_id.in_(warehouse_ids)))
            .where(Vehicle.archived_at.is_(None))
            .order_by(Vehicle.id)
        )
        vehicles = [(vehicle, warehouse) for vehicle, warehouse in found]
        begins = func.coalesce(DeliveryRun.started_at, DeliveryRun.departs_at)
        runs = await session.execute(
            select(DeliveryRun.vehicle_id, begins, DeliveryRun.returns_at).where(
                DeliveryRun.vehicle_id.in_([vehicle.id for vehicle, _ in vehicles]),
                DeliveryRun.departs_at.is_not(None),
                DeliveryRun.returns_at.is_not(None),
                open_run,
            )
        )
        busy = defaultdict[int, list[tuple[datetime, datetime]]](list)
        for vehicle_id, leaves, returns in runs:
            if vehicle_id is not None and returns is not None:
                busy[vehicle_id].append((leaves, returns))
        return [PlanningVehicle(vehicle, warehouse, busy[vehicle.id]) for vehicle, warehouse in vehicles]


async def load_open_parcels(reads: Reads, warehouse_ids: Collection[int], *, limit: int) -> list[int]:
    """The ids of parcels that wait in these warehouses and may go with our own couriers, the oldest first."""
    on_a_run = exists().where(DeliveryRunStop.shipment_id == Shipment.id, DeliveryRunStop.outcome.is_(None))
    waiting = (
        select(Shipment.id)
        .join(Order, Order.id == Shipment.order_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(
            Shipment.warehouse_id.in_(warehouse_ids),
            or_(Shipment.carrier.is_(None), Shipment.carrier == OWN_COURIERS),
            Shipment.status.in_((ShipmentStatus.PENDING, ShipmentStatus.DELIVERY_FAILED)),
            Shipment.ended_at.is_(None),
            Delivery.method.in_((ShippingMethod.STANDARD, ShippingMethod.EXPRESS)),
            Order.held_at.is_(None),
            ~on_a_run,
        )
        .order_by(Shipment.id)
        .limit(limit)
    )
    async with reads() as session:
        return list(await session.scalars(waiting))


async def load_waiting_on_runs(reads: Reads, shipment_ids: Collection[int]) -> frozenset[int]:
    """Those of these parcels that wait on a run."""
    async with reads() as session:
        waiting = select(DeliveryRunStop.shipment_id).where(
            DeliveryRunStop.shipment_id.in_(shipment_ids), DeliveryRunStop.outcome.is_(None)
        )
        return frozenset(await session.scalars(waiting))


@dataclass(frozen=True, slots=True)
class RunToReplan:
    """A run with its open stops in their order, its vehicle and its depot."""

    run: DeliveryRun
    stops: Sequence[DeliveryRunStop]
    vehicle: Vehicle | None
    warehouse: Warehouse


async def load_run_to_replan(reads: Reads, delivery_run_id: int) -> RunToReplan | None:
    async with reads() as session:
        row = (
            await session.execute(
                select(DeliveryRun, Vehicle, Warehouse)
                .join(Warehouse, Warehouse.id == DeliveryRun.warehouse_id)
                .outerjoin(Vehicle, Vehicle.id == DeliveryRun.vehicle_id)
                .where(DeliveryRun.id == delivery_run_id)
            )
        ).one_or_none()
        if row is None:
            return None
        run, vehicle, warehouse = row
        stops = await session.scalars(
            select(DeliveryRunStop)
            .where(DeliveryRunStop.delivery_run_id == run.id, DeliveryRunStop.outcome.is_(None))
            .order_by(DeliveryRunStop.position)
        )
        return RunToReplan(run, list(stops), vehicle, warehouse)
