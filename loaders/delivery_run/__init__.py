"""Delivery runs, their stops and who drives them, for showing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from models import DeliveryLine, DeliveryRun, DeliveryRunStatus, DeliveryRunStop, Shipment
from models.sql.types import AnyColumn, AnySelect

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


class RunsByParcels(Grouped[int, Sequence[DeliveryRun]]):
    """The delivery runs on which parcels are or were; `key` says of what the parcels are."""

    key: ClassVar[AnyColumn]

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[DeliveryRun]]:
        key = type(self).key
        rows = await session.execute(
            select(key, DeliveryRun)
            .select_from(DeliveryRunStop)
            .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
            .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
            .where(key.in_(keys))
        )
        found: defaultdict[int, list[DeliveryRun]] = defaultdict(list)
        for parent_id, run in rows:
            found[parent_id].append(run)
        return found

    def default(self) -> Sequence[DeliveryRun]:
        return ()


class RunsByShipment(RunsByParcels):
    key = Shipment.id


class RunsByDelivery(RunsByParcels):
    key = Shipment.delivery_id


class RunsByOrder(RunsByParcels):
    key = Shipment.order_id


class RunsByOrderLine(Grouped[int, Sequence[DeliveryRun]]):
    """The delivery runs on which parcels of the deliveries of an order line are or were."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[DeliveryRun]]:
        rows = await session.execute(
            select(DeliveryLine.order_line_id, DeliveryRun)
            .select_from(DeliveryLine)
            .join(Shipment, Shipment.delivery_id == DeliveryLine.delivery_id)
            .join(DeliveryRunStop, DeliveryRunStop.shipment_id == Shipment.id)
            .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
            .where(DeliveryLine.order_line_id.in_(keys))
        )
        found: defaultdict[int, list[DeliveryRun]] = defaultdict(list)
        for line_id, run in rows:
            found[line_id].append(run)
        return found

    def default(self) -> Sequence[DeliveryRun]:
        return ()


class DeliveryRunLoaders:
    delivery_run = loader(DeliveryRunById)
    delivery_run_stop = loader(DeliveryRunStopById)
    delivery_run_stops = loader(StopsByDeliveryRun)
    shipment_active_stop = loader(ActiveStopByShipment)
    shipment_runs = loader(RunsByShipment)
    delivery_parcel_runs = loader(RunsByDelivery)
    order_runs = loader(RunsByOrder)
    order_line_runs = loader(RunsByOrderLine)


def select_delivery_runs(
    *,
    status: Collection[DeliveryRunStatus] | None = None,
    warehouse_id: int | None = None,
    courier_id: int | None = None,
    has_cash: bool | None = None,
    stalled: bool | None = None,
    visible_to: int | None = None,
    ended_after: datetime | None = None,
) -> AnySelect:
    """The delivery runs that match; only those of one courier when `visible_to` is their account.

    `ended_after` leaves out those that ended before and of which no cash is in hand.
    """
    statement, holds_cash = select(DeliveryRun), DeliveryRun.cash_held_since.is_not(None)
    if has_cash is not None:
        statement = statement.where(holds_cash if has_cash else ~holds_cash)
    if stalled is not None:
        statement = statement.where(DeliveryRun.stalled_at.is_not(None) == stalled)
    if status is not None:
        statement = statement.where(DeliveryRun.status.in_(status))
    if warehouse_id is not None:
        statement = statement.where(DeliveryRun.warehouse_id == warehouse_id)
    for courier in (courier_id, visible_to):
        if courier is not None:
            statement = statement.where(DeliveryRun.courier_id == courier)
    if ended_after is not None:
        recent = or_(DeliveryRun.ended_at.is_(None), DeliveryRun.ended_at > ended_after)
        statement = statement.where(or_(recent, holds_cash))
    return statement
