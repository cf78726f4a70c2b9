"""Labels, packing slips and pick lists: signed addresses, masked slips, everything escaped."""

import base64
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from edge.documents.content import clean_text, mask_name, mask_phone
from edge.documents.pdf import runs_of, wrap_text
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CarrierChoice,
    LabelFormat,
    PaymentMethod,
    Reading,
    Role,
    Shipment,
    Waybill,
    WaybillStatus,
)
from tests.api.shipment.documents import Tick
from tests.clients import Client, Clients
from tests.factories.order import create_order
from tests.factories.packing import create_wave
from tests.factories.shipment import confirmed_order, delivery_of, pack
from tests.given import id_of

DOCUMENTS = """
query ($id: ID!, $format: DocumentFormat!) {
  shipment(id: $id) { label(format: $format) { url carrierFormat } packingSlip(format: $format) { url } }
}
"""
PICK_LIST = "query ($id: ID!) { wave(id: $id) { pickListDocument(format: HTML) { url } } }"
HOSTILE = "林<script>alert(1)</script>\u202e😀" + "长" * 200


async def pack_one(session: AsyncSession, *, recipient: str = "林梅", cash: bool = False) -> Shipment:
    """A parcel that is packed, of an order to be paid at the door or paid."""
    if cash:
        order = await create_order(session, payments={PaymentMethod.CASH_ON_DELIVERY: None})
    else:
        order = await confirmed_order(session)
    (await delivery_of(session, order)).recipient = recipient
    [shipment] = await pack(session, order)
    return shipment


def book(session: AsyncSession, shipment: Shipment, **given: object) -> Waybill:
    """A waybill that its carrier has booked."""
    terms: dict[str, object] = {
        "shipment_id": shipment.id,
        "carrier": SIMULATED_CARRIER,
        "reference": shipment.number,
        "choice": CarrierChoice.STAFF,
        "status": WaybillStatus.BOOKED,
        "number": f"SIM-{shipment.number}",
        "children": [],
        "requested_at": shipment.packed_at,
        "booked_at": shipment.packed_at,
        "calls": 0,
    }
    waybill = Waybill(**terms | given)
    session.add(waybill)
    return waybill


async def paths_of(clerk: Client, shipment: Shipment, format: str) -> tuple[str, str]:
    """The paths of the label and of the packing slip."""
    found = (await clerk.get(DOCUMENTS, id=id_of(shipment), format=format))["shipment"]
    label, slip = ("/documents/" + each["url"].partition("/documents/")[2] for each in found.values())
    return label, slip


async def test_the_label_has_what_the_courier_needs_and_the_slip_masks_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    shipment = await pack_one(session, cash=True)
    book(session, shipment)
    await session.commit()
    label_path, slip_path = await paths_of(clerk, shipment, "HTML")

    label, slip = await clients.http.get(label_path), await clients.http.get(slip_path)

    for part in ("林梅", "+8613800138000", "文三路 100 号", f"SIM-{shipment.number}", "99.00"):
        assert part in label.text
    assert "林**" in slip.text
    assert "**8000" in slip.text
    for secret in ("林梅", "13800138000", "文三路"):
        assert secret not in slip.text
    assert "Oolong tea" in slip.text
    pictures = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", label.text)
    assert [b"<svg" in base64.b64decode(each) for each in pictures] == [True, True]
    async with shop.database.reads() as session:
        assert (
            await session.scalar(select(func.count(Reading.id)).where(Reading.operation == "document")) == 2
        )


async def test_documents_are_files_too_and_never_cached_or_guessed(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    shipment = await pack_one(session)
    await session.commit()
    paths = await paths_of(clerk, shipment, "PDF")

    answers = [await clients.http.get(path) for path in paths]

    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    forged = [
        paths[0][:-1] + ("0" if paths[0][-1] != "0" else "1"),
        paths[0].replace("LABEL", "PACKING_SLIP"),
    ]
    forged += ["/documents/x", "/documents/LABEL.PDF.1.1.9999999999." + "0" * 64]
    gone = [await clients.http.get(path) for path in forged]
    assert [answer.status_code for answer in gone] == [404] * 4
    tick(timedelta(minutes=15))
    late = await clients.http.get(paths[0])
    assert (late.status_code, late.json()) == (404, gone[0].json())


async def test_an_address_closes_with_the_account_and_with_the_parcel(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    other = await clients.staff(Role.WAREHOUSE)
    shipment = await pack_one(session)
    await session.commit()
    path, _ = await paths_of(clerk, shipment, "HTML")
    kept, _ = await paths_of(other, shipment, "HTML")
    assert clerk.account is not None
    async with shop.database.writes.begin() as session:
        account = await session.merge(clerk.account)
        account.disabled_at = shop.clock()

    assert (await clients.http.get(path)).status_code == 404
    assert (await clients.http.get(kept)).status_code == 200
    unpack = (
        "mutation ($input: ShipmentUnpackInput!) { shipmentUnpack(input: $input) { userErrors { code } } }"
    )
    await other.do(unpack, id=id_of(shipment))
    assert (await clients.http.get(kept)).status_code == 404


async def test_what_somebody_has_typed_is_text_and_nothing_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    shipment = await pack_one(session, recipient=HOSTILE)
    book(session, shipment, number="单号 <b>1</b>")
    await session.commit()

    for format_ in ("HTML", "PDF"):
        for path in await paths_of(clerk, shipment, format_):
            answer = await clients.http.get(path)
            assert answer.status_code == 200
            assert "<script>" not in answer.text
            assert "<b>1" not in answer.text
            assert "\u202e" not in answer.text


@pytest.mark.parametrize(
    ("format_", "content_type", "content"),
    [
        (LabelFormat.PDF, "application/pdf", b"%PDF-1.4 theirs"),
        (LabelFormat.HTML, "text/html; charset=utf-8", b"<p>theirs</p>"),
        (LabelFormat.PNG, "image/png", b"\x89PNG"),
        (LabelFormat.PRINT_JOB, "application/octet-stream", b'{"job": 1}'),
    ],
)
async def test_the_label_of_a_carrier_is_handed_on_with_its_kind(
    clients: Clients,
    shop: Shop,
    session: AsyncSession,
    format_: LabelFormat,
    content_type: str,
    content: bytes,
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order = await confirmed_order(session)
    mother, child = await pack(session, order, 2, 1)
    first = book(session, mother, label=content, label_format=format_)
    await session.flush()
    book(session, child, mother_id=first.id, number="SIM-2")
    await session.commit()

    for shipment in (mother, child):
        found = (await clerk.get(DOCUMENTS, id=id_of(shipment), format="PDF"))["shipment"]
        assert found["label"]["carrierFormat"] == format_
        answer = await clients.http.get((await paths_of(clerk, shipment, "PDF"))[0])
        assert (answer.content, answer.headers["content-type"]) == (content, content_type)
        assert answer.headers["content-security-policy"].endswith("sandbox")
        is_file = "attachment" in answer.headers.get("content-disposition", "")
        assert is_file is (format_ is LabelFormat.PRINT_JOB)


async def test_parcels_on_one_waybill_are_counted_on_their_labels(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    mother, child = await pack(session, await confirmed_order(session), 2, 1)
    first = book(session, mother, number="M1", children=["C2"])
    await session.flush()
    book(session, child, mother_id=first.id, number="C2")
    await session.commit()

    texts = [
        (await clients.http.get((await paths_of(clerk, each, "HTML"))[0])).text for each in (mother, child)
    ]

    assert ["1/2" in texts[0], "2/2" in texts[1]] == [True, True]
    assert ["C2" in texts[0], "C2" in texts[1], "M1" in texts[1]] == [False, True, True]


async def test_a_wave_has_a_pick_list_to_print(clients: Clients, shop: Shop, session: AsyncSession) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order = await confirmed_order(session)
    wave = await create_wave(session, order)
    await session.commit()

    found = (await clerk.get(PICK_LIST, id=id_of(wave)))["wave"]["pickListDocument"]["url"]
    page = await clients.http.get("/documents/" + found.partition("/documents/")[2])

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for part in (wave.number, f"{order.number} × 3", "Oolong tea"):
        assert part in page.text


async def test_customers_get_no_addresses_of_documents(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    [shipment] = await pack(session, await confirmed_order(session, account=customer.account))
    await session.commit()

    found = await customer.get(DOCUMENTS, id=id_of(shipment), format="PDF")

    assert found == {"shipment": {"label": None, "packingSlip": None}}


def test_names_and_numbers_are_masked_whatever_they_are() -> None:
    assert [mask_name(each) for each in ("林梅", " Ann", "", "\u200f")] == ["林**", "A**", "", ""]
    assert [mask_phone(each) for each in ("+86 138 0013 8000", "110", "")] == ["**8000", "**", "**"]
    assert clean_text("a\u202eb\x00\n c") == "ab c"
    assert len(clean_text("长" * 500)) == 200


def test_text_is_wrapped_within_its_width_and_smileys_spoil_nothing() -> None:
    assert "".join(run for _, run in runs_of("a😀长")) == "a〓长"
    assert wrap_text("one two three", 10, 40, 9) == ["one two", "three"]
    assert wrap_text("长" * 9, 10, 30, 2) == ["长长长", "长长…"]
