"""`GET /documents/<token>`: a label, packing slip or pick list, for who was given its address."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.cause import Cause
from domain.errors import ErrorCode, NotFound
from domain.personal_data.readings import SHIPMENT, record_readings
from edge.documents import page, pdf
from edge.documents.content import (
    LabelContent,
    TableContent,
    describe_label,
    describe_pick_list,
    describe_slip,
)
from edge.responses import error_response
from events.shipment.cash import preview_cash_of
from events.shop import Shop
from gateways.document_links import (
    DOCUMENTS_PATH,
    DocumentFormat,
    DocumentKind,
    DocumentLink,
    read_document_token,
)
from loaders.document import (
    load_carrier_label,
    load_label_facts,
    load_packed_units,
    load_pick_list,
    load_reader,
)
from models import LabelFormat, Permission, is_granted

HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FOREIGN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
)
"""What the page of a carrier may do: nothing but be seen."""

CARRIER_TYPES = {
    LabelFormat.PDF: "application/pdf",
    LabelFormat.HTML: "text/html; charset=utf-8",
    LabelFormat.PNG: "image/png",
    LabelFormat.PRINT_JOB: "application/octet-stream",
}
READ_OPERATION = "document"
PERSONAL_FIELDS = frozenset({"PostalAddress.recipient", "PostalAddress.phone", "PostalAddress.line1"})


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """A document as it is sent."""

    content: bytes
    content_type: str
    policy: str = page.POLICY
    name: str | None = None
    """Of a file that is to be saved, since a browser shows nothing of it."""


def document_routes(shop: Shop) -> list[Route]:
    async def send_document(request: Request) -> Response:
        keys = shop.settings.verifying_keys()
        link = read_document_token(keys, request.path_params["token"], now=shop.clock())
        found = await open_document(shop, link) if link and await may_read(shop, link) else None
        if found is None:
            return error_response(NotFound("document").message, ErrorCode.NOT_FOUND, 404, **HEADERS)
        headers = HEADERS | {"Content-Security-Policy": found.policy}
        if found.name:
            headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
        return Response(found.content, media_type=found.content_type, headers=headers)

    return [Route(DOCUMENTS_PATH + "{token}", send_document, methods=["GET"])]


async def may_read(shop: Shop, link: DocumentLink) -> bool:
    """Whether who the address was made for still works where parcels are packed."""
    account = await load_reader(shop.database.reads, link.reader_id)
    return (
        account is not None
        and account.disabled_at is None
        and is_granted(Permission.SHIPMENT_PACK, account.role)
    )


async def open_document(shop: Shop, link: DocumentLink) -> PrintedDocument | None:
    """What an address opens; None where its parcel is there no longer."""
    reads, language = shop.database.reads, shop.settings.locale.default_language
    if link.kind is DocumentKind.PICK_LIST:
        picked = await load_pick_list(reads, link.row_id)
        return await print_table(describe_pick_list(picked, language), link, language) if picked else None
    if link.kind is DocumentKind.CARRIER_LABEL:
        return await open_carrier_label(shop, link)
    facts = await load_label_facts(reads, link.row_id)
    if facts is None:
        return None
    await note_reading(shop, link)
    if link.kind is DocumentKind.PACKING_SLIP:
        units = await load_packed_units(reads, link.row_id)
        return await print_table(describe_slip(facts, units, language), link, language)
    cash = await preview_cash_of(shop, facts.route)
    return await print_label(describe_label(facts, cash, language), link, language)


async def print_table(table: TableContent, link: DocumentLink, language: str) -> PrintedDocument:
    if link.format is DocumentFormat.PDF:
        return PrintedDocument(await asyncio.to_thread(pdf.render_table, table), "application/pdf")
    text = await asyncio.to_thread(page.render_table_page, table, language)
    return PrintedDocument(text.encode(), "text/html; charset=utf-8")


async def print_label(label: LabelContent, link: DocumentLink, language: str) -> PrintedDocument:
    if link.format is DocumentFormat.PDF:
        return PrintedDocument(await asyncio.to_thread(pdf.render_label, label), "application/pdf")
    text = await asyncio.to_thread(page.render_label_page, label, language)
    return PrintedDocument(text.encode(), "text/html; charset=utf-8")


async def open_carrier_label(shop: Shop, link: DocumentLink) -> PrintedDocument | None:
    """The label that the carrier gave, as it is: the shop vouches for nothing in it."""
    waybill = await load_carrier_label(shop.database.reads, link.row_id)
    if waybill is None or waybill.label is None or waybill.label_format is None:
        return None
    await note_reading(shop, link)
    name = f"{waybill.reference}.bin" if waybill.label_format is LabelFormat.PRINT_JOB else None
    return PrintedDocument(waybill.label, CARRIER_TYPES[waybill.label_format], FOREIGN_POLICY, name)


async def note_reading(shop: Shop, link: DocumentLink) -> None:
    """Note who has read whose address."""
    now = shop.clock()
    fields = {"PostalAddress.recipient"} if link.kind is DocumentKind.PACKING_SLIP else set(PERSONAL_FIELDS)
    async with shop.database.writes.begin() as session:
        await record_readings(
            session,
            {(SHIPMENT, link.row_id): fields},
            operation=READ_OPERATION,
            expires_at=now + shop.settings.accounts.readings_kept,
            cause=Cause(now, link.reader_id),
        )
