"""Proofs of delivery: what the courier has noted and photographed, for staff and for who gets the parcel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models import DeliveryProof, DeliveryRunStop, Media, Shipment
from resolvers.context import Info
from resolvers.guard import Permission


@dataclass(frozen=True, slots=True)
class StopPictures:
    """The pictures of one stop."""

    signature: Media | None = None
    photo: Media | None = None


@dataclass(frozen=True, slots=True)
class ProofOfDelivery:
    """When and to whom a parcel was handed over by a courier of the shop, with the pictures of it."""

    taken_by: str
    at: datetime
    signature: Media | None
    photo: Media | None


async def proofs_of_stops(stops: Sequence[DeliveryRunStop], info: Info) -> list[StopPictures]:
    """The pictures of stops, for all at once."""
    load = info.context.load
    proofs = await load.delivery_proof.load_many([stop.id for stop in stops])
    ids = sorted({picture for proof in proofs if proof for picture in pictures_of(proof)})
    media = dict(zip(ids, await load.media.load_many(ids), strict=True))
    return [
        StopPictures(media.get(proof.signature_id or 0), media.get(proof.photo_id or 0))
        if proof
        else StopPictures()
        for proof in proofs
    ]


def pictures_of(proof: DeliveryProof) -> list[int]:
    return [each for each in (proof.signature_id, proof.photo_id) if each is not None]


async def proofs_of_delivery(shipments: Sequence[Shipment], info: Info) -> list[ProofOfDelivery | None]:
    """Who took it from a courier of the shop, with signature and photo; null where none has brought it."""
    found = await info.context.load.shipment_delivered_stop.load_many([each.id for each in shipments])
    orders = await info.context.load.order.load_many([each.order_id for each in shipments])
    viewer = info.context.viewer
    sees_all = viewer.may(Permission.DELIVERY_RUN_VIEW)
    stops = [
        stop if order and (sees_all or viewer.owns(order.account_id)) else None
        for stop, order in zip(found, orders, strict=True)
    ]
    shown = [stop for stop in stops if stop]
    pictures = {stop.id: each for stop, each in zip(shown, await proofs_of_stops(shown, info), strict=True)}
    return [
        ProofOfDelivery(stop.proof, stop.completed_at, pictures[stop.id].signature, pictures[stop.id].photo)
        if stop and stop.completed_at
        else None
        for stop in stops
    ]
