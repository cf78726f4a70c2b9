from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from models import DeliveryRun, DeliveryRunStatus, DeliveryRunStop
from models.sql.types import AnySelect

NEWEST_DELIVERY_RUN = Sort("newest", (Key(DeliveryRun.id, descending=True),))


@dataclass(frozen=True, slots=True)
class ActiveStop:
    """A parcel's stop on the delivery run that is bringing it now."""

    stop: DeliveryRunStop
    run: DeliveryRun
    stops_ahead: int


class ActiveStopByShipment(Grouped[int, ActiveStop | None]):
    """A parcel's open stop on an active delivery run; None without one."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, ActiveStop | None]:
        earlier = aliased(DeliveryRunStop)
        ahead = (
            select(func.count())
            .where(
                earlier.delivery_run_id == DeliveryRunStop.delivery_run_id,
                earlier.position < DeliveryRunStop.position,
                earlier.outcome.is_(None),
            )
            .scalar_subquery()
        )
        rows = await session.execute(
            select(DeliveryRunStop, DeliveryRun, ahead)
            .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
            .where(
                DeliveryRunStop.shipment_id.in_(keys),
                DeliveryRunStop.outcome.is_(None),
                DeliveryRun.status == DeliveryRunStatus.ACTIVE,
            )
        )
        return {stop.shipment_id: ActiveStop(stop, run, count) for stop, run, count in rows}

    def default(self) -> None:
        return None


class DeliveryRunById(ByKey[int, DeliveryRun]):
    key = DeliveryRun.id


class StopsByDeliveryRun(ManyByKey[int, DeliveryRunStop]):
    key = DeliveryRunStop.delivery_run_id
    order_by = DeliveryRunStop.position


class DeliveryRunStopById(ByKey[int, DeliveryRunStop]):
    key = DeliveryRunStop.id


class CouriersByShipment(Grouped[int, frozenset[int]]):
    """The accounts of our couriers who carry or have carried a parcel."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, frozenset[int]]:
        rows = await session.execute(
            select(DeliveryRunStop.shipment_id, DeliveryRun.courier_id)
            .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
            .where(DeliveryRunStop.shipment_id.in_(keys))
        )
        found: dict[int, frozenset[int]] = {}
        for shipment_id, courier_id in rows:
            found[shipment_id] = found.get(shipment_id, frozenset()) | {courier_id}
        return found

    def default(self) -> frozenset[int]:
        return frozenset()


class DeliveryRunLoaders:
    delivery_run = loader(DeliveryRunById)
    delivery_run_stop = loader(DeliveryRunStopById)
    delivery_run_stops = loader(StopsByDeliveryRun)
    shipment_active_stop = loader(ActiveStopByShipment)
    shipment_couriers = loader(CouriersByShipment)


def select_delivery_runs(
    *,
    status: Collection[DeliveryRunStatus] | None = None,
    warehouse_id: int | None = None,
    courier_id: int | None = None,
    visible_to: int | None = None,
) -> AnySelect:
    """The delivery runs that match; only those of one courier when `visible_to` is their account."""
    statement = select(DeliveryRun)
    if status is not None:
        statement = statement.where(DeliveryRun.status.in_(status))
    if warehouse_id is not None:
        statement = statement.where(DeliveryRun.warehouse_id == warehouse_id)
    for courier in (courier_id, visible_to):
        if courier is not None:
            statement = statement.where(DeliveryRun.courier_id == courier)
    return statement
