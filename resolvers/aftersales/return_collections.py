"""Carriers that collect what customers send back."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.return_collection import CollectionRequest, cancel_collection
from domain.aftersales.return_waybill import ReturnCarrier
from domain.errors import WrongState
from events.return_collection import book_collection, can_collect
from loaders.carrier import load_carriers
from models import Carrier, CarrierCode, ReturnCollection, Ticket, Waybill
from resolvers.aftersales.queries import own_ticket_id
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.inputs.account import PostalAddressInput
from resolvers.inputs.shipment import PickupInput
from resolvers.shipment.dispatching import find_active_carrier


async def ticket_collection_book(
    info: Info,
    id: strawberry.ID,
    pickup: PickupInput,
    carrier: CarrierCode | None = None,
    address: PostalAddressInput | None = None,
) -> Ticket:
    """Has the goods that a ticket waits for collected by a carrier, and follows them. The same request once
    more books nothing more; where the carrier has not answered, it asks again.

    id: the ticket
    pickup: when the carrier is to come
    carrier: one of `returnCarriers` that collects; left out, the first that does
    address: where it is to come to; left out, where the goods were delivered to
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    found = await choose_collecting_carrier(info, carrier)
    request = CollectionRequest(
        found.code,
        pickup.draft(context.shop.settings.locale.zone),
        address.postal() if address else None,
        chosen=carrier is not None,
    )
    limit = (
        None if context.viewer.may(Permission.TICKET_HANDLE) else context.shop.settings.returns.collections
    )
    await book_collection(context.shop, ticket_id, request, found, limit=limit, cause=context.cause)
    context.forget_loaded()
    async with context.shop.database.reads() as session:
        return await session.get_one(Ticket, ticket_id)


async def choose_collecting_carrier(info: Info, code: CarrierCode | None) -> Carrier:
    """The carrier of this code, or the first that can be asked to come."""
    if code is not None:
        return await find_active_carrier(info, code)
    shop = info.context.shop
    for carrier in await load_carriers(shop.database.reads):
        if can_collect(shop, carrier):
            return carrier
    raise WrongState("No carrier collects; send the goods yourself.", field=("carrier",))


async def ticket_collection_cancel(info: Info, id: strawberry.ID) -> Ticket:
    """Tells the carrier that it need not come, as long as it has not; the goods are sent otherwise.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await cancel_collection(session, ticket_id, cause=context.cause)


def collects(root: ReturnCarrier, info: Info) -> bool:
    """Whether it comes and collects the goods: see `ticketCollectionBook`."""
    return root.carrier is not None and can_collect(info.context.shop, root.carrier)


async def return_collections(tickets: Sequence[Ticket], info: Info) -> Sequence[ReturnCollection | None]:
    """What a carrier was last asked to collect for it; null where none was."""
    found = await info.context.load.return_collections.load_many([ticket.id for ticket in tickets])
    return [each[-1] if each else None for each in found]


async def collection_waybills(collections: Sequence[ReturnCollection], info: Info) -> Sequence[Waybill]:
    """What the carrier was asked for, and what it answered."""
    found = await info.context.load.collection_waybills.load_many([each.id for each in collections])
    return [each[-1] for each in found]
