"""Vehicles, couriers' profiles and positions, and proofs of delivery, for showing."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    CourierPosition,
    CourierProfile,
    DeliveryProof,
    DeliveryRunStop,
    StopOutcome,
    Vehicle,
)
from models.sql.types import AnySelect

BY_VEHICLE_NAME = Sort("name", (Key(Vehicle.name), Key(Vehicle.id)))


class VehicleById(ByKey[int, Vehicle]):
    key = Vehicle.id


class CourierProfileByAccount(ByKey[int, CourierProfile]):
    key = CourierProfile.account_id


class ProofByStop(ByKey[int, DeliveryProof]):
    key = DeliveryProof.delivery_run_stop_id


class DeliveredStopByShipment(Grouped[int, DeliveryRunStop | None]):
    """The stop at which a parcel was handed over; None without one."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, DeliveryRunStop | None]:
        rows = await session.scalars(
            select(DeliveryRunStop)
            .where(DeliveryRunStop.shipment_id.in_(keys), DeliveryRunStop.outcome == StopOutcome.DELIVERED)
            .order_by(DeliveryRunStop.id)
        )
        return {stop.shipment_id: stop for stop in rows}

    def default(self) -> None:
        return None


class PositionsByDeliveryRun(ManyByKey[int, CourierPosition]):
    key = CourierPosition.delivery_run_id
    order_by = CourierPosition.at


class VehicleLoaders:
    vehicle = loader(VehicleById)
    courier_profile = loader(CourierProfileByAccount)
    delivery_proof = loader(ProofByStop)
    shipment_delivered_stop = loader(DeliveredStopByShipment)
    delivery_run_positions = loader(PositionsByDeliveryRun)


def select_vehicles(*, warehouse_id: int | None = None, archived: bool = False) -> AnySelect:
    statement = select(Vehicle)
    if warehouse_id is not None:
        statement = statement.where(Vehicle.warehouse_id == warehouse_id)
    return statement if archived else statement.where(Vehicle.archived_at.is_(None))
