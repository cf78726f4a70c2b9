"""Parcels that come back, with what was reported of them and the places they travel between."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from loaders.base import ByKey, ManyByKey, loader
from models import Delivery, ReturnEvent, ReturnParcel, Ticket, Warehouse
from models.database import Reads


@dataclass(frozen=True, slots=True)
class ReturnRoute:
    """A parcel that comes back, from where its customer had the goods delivered to a warehouse."""

    parcel: ReturnParcel
    delivery: Delivery
    warehouse: Warehouse


async def load_return_routes(reads: Reads, parcel_ids: Collection[int]) -> list[ReturnRoute]:
    """The routes of parcels that tickets are about, each once: from the first delivery of the first ticket's
    order."""
    first_ticket = (
        select(Ticket.return_parcel_id, func.min(Ticket.order_id).label("order_id"))
        .where(Ticket.return_parcel_id.in_(parcel_ids))
        .group_by(Ticket.return_parcel_id)
        .subquery()
    )
    first_delivery = (
        select(first_ticket.c.return_parcel_id, func.min(Delivery.id).label("delivery_id"))
        .join(Delivery, Delivery.order_id == first_ticket.c.order_id)
        .group_by(first_ticket.c.return_parcel_id)
        .subquery()
    )
    async with reads() as session:
        rows = await session.execute(
            select(ReturnParcel, Delivery, Warehouse)
            .join(first_delivery, first_delivery.c.return_parcel_id == ReturnParcel.id)
            .join(Delivery, Delivery.id == first_delivery.c.delivery_id)
            .join(Warehouse, Warehouse.id == ReturnParcel.warehouse_id)
            .order_by(ReturnParcel.id)
        )
        return [ReturnRoute(*row) for row in rows]


class ReturnParcelById(ByKey[int, ReturnParcel]):
    key = ReturnParcel.id


class EventsByReturnParcel(ManyByKey[int, ReturnEvent]):
    key = ReturnEvent.return_parcel_id
    order_by = ReturnEvent.occurred_at, ReturnEvent.received_at, ReturnEvent.id


class ReturnParcelLoaders:
    return_parcel = loader(ReturnParcelById)
    return_events = loader(EventsByReturnParcel)
