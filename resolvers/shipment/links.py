"""Tracking links: made for one parcel, and read by whoever has one."""

from dataclasses import dataclass

import strawberry

from domain.errors import NotFound
from domain.shipment.tracking_links import create_link, has_link_ended, revoke_links
from gateways.secrets import fingerprint_of
from geo import Point, city_near, find_city_name
from loaders.shipment import load_linked_shipment
from models import Shipment, TrackingEvent
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.shipment.finding import find_shipment

SHOWN_DIGITS = 4
"""Of a tracking number, its last ones."""


@dataclass(frozen=True, slots=True)
class LinkedShipment:
    """A parcel and the token of a new link, of which only the hash is stored."""

    shipment: Shipment
    token: str


async def shipment_link_create(info: Info, id: strawberry.ID) -> LinkedShipment:
    """Makes a link by which anybody sees where a parcel is, without an account, a street or a name. Its token
    is shown only now, and ends some days after the parcel has arrived.

    id: the shipment
    """
    context = info.context
    shipment_id = await visible_id(info, id)
    token = context.shop.secrets.new_token()
    async with context.transaction() as session:
        shipment = await create_link(
            session,
            shipment_id,
            token_hash=fingerprint_of(token),
            open_for=context.shop.settings.deadlines.tracking_links_end_after,
            cause=context.cause,
        )
    return LinkedShipment(shipment, token)


async def shipment_link_revoke(info: Info, id: strawberry.ID) -> Shipment:
    """Ends all tracking links of a parcel at once.

    id: the shipment
    """
    shipment_id = await visible_id(info, id)
    async with info.context.transaction() as session:
        return await revoke_links(session, shipment_id)


async def visible_id(info: Info, id: strawberry.ID) -> int:
    """The number of a parcel that this viewer sees; NotFound for others."""
    found = await find_shipment(info, row_id(id, "Shipment"))
    if found is None:
        raise NotFound("shipment", field=("id",))
    return found.id


async def tracked_shipment(info: Info, token: str) -> Shipment | None:
    """Where a parcel is, by the token of a tracking link; null when it is wrong, revoked or over.

    token: the token of the link
    """
    shop = info.context.shop
    found = await load_linked_shipment(shop.database.reads, fingerprint_of(token))
    open_for = shop.settings.deadlines.tracking_links_end_after
    if found is None or has_link_ended(found, open_for=open_for, now=info.context.now):
        return None
    return found


def masked_number(root: Shipment) -> str | None:
    """The end of its number at the carrier, the rest masked; null until it is dispatched."""
    number = root.tracking_number
    return None if number is None else number[-SHOWN_DIGITS:].rjust(len(number), "*")


def event_city(root: TrackingEvent) -> str | None:
    """The city where it was; null where the carrier has not said it."""
    if position := root.position:
        return city_near(Point(position.latitude, position.longitude))
    return find_city_name(root.location)
