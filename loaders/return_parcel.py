"""Parcels that come back, with what was reported of them and the places they travel between."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from loaders.base import ByKey, ManyByKey, loader
from models import (
    AddressColumns,
    CarrierCode,
    Delivery,
    ReturnCollection,
    ReturnEvent,
    ReturnParcel,
    Ticket,
    Warehouse,
    Waybill,
)
from models.database import Reads


@dataclass(frozen=True, slots=True)
class ReturnRoute:
    """A parcel that comes back, from where its customer had the goods delivered, or has them collected, to a
    warehouse."""

    parcel: ReturnParcel
    sender: AddressColumns
    warehouse: Warehouse
    leaves_at: datetime
    """From when on its carrier may have it."""


@dataclass(frozen=True, slots=True)
class CollectionRoute:
    """What a carrier collects from a customer, with its ticket and the warehouse it goes to."""

    collection: ReturnCollection
    ticket: Ticket
    warehouse: Warehouse


async def load_collection_route(reads: Reads, collection_id: int) -> CollectionRoute:
    async with reads() as session:
        row = await session.execute(
            select(ReturnCollection, Ticket, Warehouse)
            .join(Ticket, Ticket.id == ReturnCollection.ticket_id)
            .join(Warehouse, Warehouse.id == ReturnCollection.warehouse_id)
            .where(ReturnCollection.id == collection_id)
        )
        return CollectionRoute(*row.one())


async def load_collections_of(
    reads: Reads, parcels: Collection[ReturnParcel]
) -> dict[tuple[int, CarrierCode, str | None], tuple[ReturnCollection, Waybill]]:
    """What was collected under the numbers of parcels, by customer, carrier and number."""
    numbers = {parcel.tracking_number for parcel in parcels}
    async with reads() as session:
        rows = await session.execute(
            select(Ticket.account_id, ReturnCollection, Waybill)
            .join(Waybill, Waybill.return_collection_id == ReturnCollection.id)
            .join(Ticket, Ticket.id == ReturnCollection.ticket_id)
            .where(Waybill.number.in_(numbers))
        )
        return {
            (account_id, waybill.carrier, waybill.number): (collection, waybill)
            for account_id, collection, waybill in rows
        }


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
        found = rows.all()
    collected = await load_collections_of(reads, [parcel for parcel, _, _ in found]) if found else {}
    routes = []
    for parcel, delivery, warehouse in found:
        key = parcel.account_id, parcel.carrier, parcel.tracking_number
        collection, waybill = collected.get(key, (None, None))
        leaves_at = (waybill.pickup_from if waybill else None) or parcel.given_at
        routes.append(ReturnRoute(parcel, collection or delivery, warehouse, leaves_at))
    return routes


class ReturnParcelById(ByKey[int, ReturnParcel]):
    key = ReturnParcel.id


class EventsByReturnParcel(ManyByKey[int, ReturnEvent]):
    key = ReturnEvent.return_parcel_id
    order_by = ReturnEvent.occurred_at, ReturnEvent.received_at, ReturnEvent.id


class CollectionsByTicket(ManyByKey[int, ReturnCollection]):
    key = ReturnCollection.ticket_id
    order_by = ReturnCollection.id


class WaybillsByCollection(ManyByKey[int | None, Waybill]):
    key = Waybill.return_collection_id
    order_by = Waybill.id


class ReturnParcelLoaders:
    return_collections = loader(CollectionsByTicket)
    collection_waybills = loader(WaybillsByCollection)
    return_parcel = loader(ReturnParcelById)
    return_events = loader(EventsByReturnParcel)
