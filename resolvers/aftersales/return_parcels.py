"""Parcels in which goods come back, and who sees them."""

from collections.abc import Sequence

from models import ReturnParcel, Ticket
from resolvers.context import Info
from resolvers.guard import Permission


async def return_parcels(tickets: Sequence[Ticket], info: Info) -> Sequence[ReturnParcel | None]:
    """The parcel in which its goods come back, followed like any other; null where they do not come with a
    carrier of the shop's, and for customers while another one says that its number is theirs."""
    ids = [ticket.return_parcel_id for ticket in tickets if ticket.return_parcel_id is not None]
    found = dict(zip(ids, await info.context.load.return_parcel.load_many(ids), strict=True))
    sees_all = info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL)
    parcels = [found[ticket.return_parcel_id] if ticket.return_parcel_id else None for ticket in tickets]
    return [parcel if parcel and (sees_all or parcel.contested_at is None) else None for parcel in parcels]


async def return_carrier_names(parcels: Sequence[ReturnParcel], info: Info) -> Sequence[str]:
    """The name of its carrier."""
    carriers = await info.context.load.carrier_by_code.load_many([parcel.carrier for parcel in parcels])
    return [
        carrier.name if carrier else parcel.carrier for parcel, carrier in zip(parcels, carriers, strict=True)
    ]
