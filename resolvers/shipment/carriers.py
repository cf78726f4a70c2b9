"""Who carries parcels, and what carriers were asked for them."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from domain.shipment.carriers import (
    NUMBER_IN_LINK,
)
from domain.shipment.pickup import PickupTime
from models import (
    Carrier,
    LabelFormat,
    Shipment,
    Waybill,
)
from resolvers.context import Info
from resolvers.guard import Permission


async def carrier_names(shipments: Sequence[Shipment], info: Info) -> list[str | None]:
    """The name of its carrier; null until it is dispatched."""
    carriers = await carriers_of(shipments, info)
    return [carrier.name if carrier else None for carrier in carriers]


async def tracking_urls(shipments: Sequence[Shipment], info: Info) -> list[str | None]:
    """The carrier's own page about it; null where it has none."""
    carriers = await carriers_of(shipments, info)
    return [
        shipment.tracking_link or (link_to_parcel(carrier, shipment.tracking_number) if carrier else None)
        for shipment, carrier in zip(shipments, carriers, strict=True)
    ]


def link_to_parcel(carrier: Carrier, tracking_number: str | None) -> str | None:
    if not carrier.tracking_link or tracking_number is None:
        return None
    return carrier.tracking_link.replace(NUMBER_IN_LINK, quote(tracking_number, safe=""))


async def carriers_of(shipments: Sequence[Shipment], info: Info) -> list[Carrier | None]:
    codes = [shipment.carrier for shipment in shipments if shipment.carrier is not None]
    found = dict(zip(codes, await info.context.load.carrier_by_code.load_many(codes), strict=True))
    return [found.get(shipment.carrier) if shipment.carrier else None for shipment in shipments]


@dataclass(frozen=True, slots=True)
class WaybillLabel:
    """What is printed and put on a parcel."""

    format: LabelFormat
    content: str
    kind: str | None = None


async def waybills(shipments: Sequence[Shipment], info: Info) -> list[Sequence[Waybill] | None]:
    """All that carriers were asked for it, the first one first; null for customers and couriers."""
    if not info.context.viewer.may(Permission.SHIPMENT_LIST):
        return [None] * len(shipments)
    return list(await info.context.load.waybills.load_many([shipment.id for shipment in shipments]))


async def waybill_mothers(rows: Sequence[Waybill], info: Info) -> list[str | None]:
    """The number of the waybill that it goes along on; null where it goes by itself."""
    ids = list({row.mother_id for row in rows if row.mother_id is not None})
    found = dict(zip(ids, await info.context.load.waybill.load_many(ids), strict=True))
    mothers = [found.get(row.mother_id) if row.mother_id is not None else None for row in rows]
    return [mother.number if mother else None for mother in mothers]


def waybill_pickup(root: Waybill) -> PickupTime | None:
    """When the carrier is to collect it; null where it is not asked to."""
    if root.pickup_from is None or root.pickup_until is None:
        return None
    return PickupTime(root.pickup_from, root.pickup_until)


def waybill_children(root: Waybill) -> list[str]:
    """The numbers of further parcels on the same waybill."""
    return root.children


async def waybill_labels(rows: Sequence[Waybill], info: Info) -> list[WaybillLabel | None]:
    """Its label, which is that of the waybill it goes along on; null where the carrier gave none."""
    found = await info.context.load.waybill_label.load_many([row.mother_id or row.id for row in rows])
    return [
        WaybillLabel(label.format, b64encode(label.content).decode(), label.kind)
        if label and label.format and label.content is not None
        else None
        for label in found
    ]
