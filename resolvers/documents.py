"""Addresses of labels, packing slips and pick lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateways.document_links import DocumentFormat, DocumentKind, DocumentLink, write_document_path
from models import LabelFormat, Shipment, Wave, Waybill, WaybillStatus
from resolvers.context import Info
from resolvers.guard import Permission

__all__ = ["DocumentFormat"]


@dataclass(frozen=True, slots=True)
class PrintableDocument:
    """A document that can be printed for a short time."""

    url: str
    expires_at: datetime
    carrier_format: LabelFormat | None = None


def link_document(
    info: Info, kind: DocumentKind, format: DocumentFormat, row_id: int, given: LabelFormat | None = None
) -> PrintableDocument:
    """The address of a document, for the viewer."""
    context = info.context
    expires_at = context.now + context.shop.settings.packing.document_link_lifetime
    link = DocumentLink(kind, format, row_id, context.viewer.id, expires_at)
    path = write_document_path(context.shop.settings.signing_key(), link)
    return PrintableDocument(f"{context.shop_address}{path}", expires_at, given)


async def labels(
    shipments: Sequence[Shipment], info: Info, format: DocumentFormat = DocumentFormat.PDF
) -> list[PrintableDocument | None]:
    """Its label: that of the carrier where it gave one, as it is, else one of the shop's own; null for those
    who do not pack.

    format: how a label of the shop's own is made
    """
    if not info.context.viewer.may(Permission.SHIPMENT_PACK):
        return [None] * len(shipments)
    given = await load_given_formats(shipments, info)
    return [
        link_document(info, DocumentKind.CARRIER_LABEL, format, shipment.id, given[shipment.id])
        if shipment.id in given
        else link_document(info, DocumentKind.LABEL, format, shipment.id)
        for shipment in shipments
    ]


async def load_given_formats(shipments: Sequence[Shipment], info: Info) -> dict[int, LabelFormat]:
    """What the label is that a carrier gave, by the parcel; those without one are left out."""
    load = info.context.load
    by_shipment = await load.waybills.load_many([shipment.id for shipment in shipments])
    booked = {
        shipment.id: waybill
        for shipment, waybills in zip(shipments, by_shipment, strict=True)
        for waybill in waybills
        if waybill.status is WaybillStatus.BOOKED
    }
    mothers = await load_mothers(list(booked.values()), info)
    found = ((each, mothers.get(waybill.mother_id or 0, waybill)) for each, waybill in booked.items())
    return {each: waybill.label_format for each, waybill in found if waybill.label_format is not None}


async def load_mothers(waybills: Sequence[Waybill], info: Info) -> dict[int, Waybill]:
    ids = sorted({waybill.mother_id for waybill in waybills if waybill.mother_id is not None})
    found = await info.context.load.waybill.load_many(ids)
    return {id_: mother for id_, mother in zip(ids, found, strict=True) if mother is not None}


async def packing_slip_documents(
    shipments: Sequence[Shipment], info: Info, format: DocumentFormat = DocumentFormat.PDF
) -> list[PrintableDocument | None]:
    """A list of what lies in it, without the name and the number of who gets it; null for those who do not
    pack.

    format: how it is made
    """
    if not info.context.viewer.may(Permission.SHIPMENT_PACK):
        return [None] * len(shipments)
    return [link_document(info, DocumentKind.PACKING_SLIP, format, shipment.id) for shipment in shipments]


async def pick_list_documents(
    rows: Sequence[Wave], info: Info, format: DocumentFormat = DocumentFormat.PDF
) -> list[PrintableDocument]:
    """Its pick list, to print.

    format: how it is made
    """
    return [link_document(info, DocumentKind.PICK_LIST, format, wave.id) for wave in rows]
