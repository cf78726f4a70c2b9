"""Carriers through karrio, against a server that answers as FedEx does. No real account was tried."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bench.provider_servers.fedex.server import ACCOUNT, API_KEY, SECRET_KEY
from gateways.carrier.karrio_carriers import KarrioCarriers
from gateways.carrier.protocol import (
    Booking,
    CarrierAccount,
    CarrierAddress,
    CarrierError,
    CarrierNotReached,
    CarrierRefused,
    Parcel,
    TrackedParcel,
)
from models import CarrierCode, CurrencyCode, LabelFormat, Money
from models import ShipmentStatus as S
from tests.gateways.carrier.server_process import carrier_server

pytest.importorskip("karrio")

FEDEX = CarrierAccount(CarrierCode("FEDEX"), "The shop", ACCOUNT, "fedex_ground", "fedex")
AUSTIN = CarrierAddress("Warehouse", "5125550100", "TX", "Austin", "", "1 Main St", None, None, "US", "78701")
MEMPHIS = CarrierAddress("Ann", "9015550100", "TN", "Memphis", "", "2 Oak St", None, None, "US", "38118")
PARCEL = Parcel("S1", 1_250, AUSTIN, MEMPHIS)
BOOKING = Booking("S1", FEDEX, [PARCEL])
ACCOUNTS = {
    "fedex": {
        "api_key": API_KEY,
        "secret_key": SECRET_KEY,
        "track_api_key": API_KEY,
        "track_secret_key": SECRET_KEY,
        "account_number": ACCOUNT,
        "account_country_code": "US",
    }
}


class FedexDesk:
    def __init__(self, address: str, client: httpx.AsyncClient) -> None:
        self.gateway = KarrioCarriers(ACCOUNTS, {"fedex": address})
        self.address, self.client = address, client

    async def control(self, what: str, **given: Any) -> Any:
        return (await self.client.post(f"{self.address}/control/{what}", json=given)).json()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with carrier_server("fedex") as address:
        yield address


@pytest.fixture
async def fedex(address: str) -> AsyncIterator[FedexDesk]:
    async with httpx.AsyncClient() as client:
        desk = FedexDesk(address, client)
        await desk.control("reset")
        yield desk
        desk.gateway.threads.shutdown(wait=False)


async def test_a_shipment_is_created_with_its_label_and_cancelled_by_its_number(fedex: FedexDesk) -> None:
    booked = await fedex.gateway.book(BOOKING)
    await fedex.gateway.cancel(BOOKING, booked.number)

    assert booked.number == "790000000001"
    assert booked.label is not None
    assert (booked.label.format, booked.label.content[:5]) == (LabelFormat.PDF, b"%PDF-")
    known = await fedex.control("state")
    [shipment] = known["shipments"]
    requested = shipment["requestedShipment"]
    assert requested["serviceType"] == "FEDEX_GROUND"
    assert requested["recipients"][0]["address"]["city"] == "Memphis"
    assert requested["requestedPackageLineItems"][0]["weight"] == {"units": "KG", "value": 1.25}
    assert known["cancelled"] == [booked.number]


async def test_services_are_quoted_with_the_day_of_their_promise(fedex: FedexDesk) -> None:
    [quote] = await fedex.gateway.quote(BOOKING)

    assert (quote.service, quote.price) == ("fedex_ground", Money(42_50, CurrencyCode.USD))
    assert quote.promised_at == datetime(2026, 3, 4, 23, 59, tzinfo=UTC)


async def test_steps_are_read_in_order_and_an_unknown_one_has_no_status(fedex: FedexDesk) -> None:
    events = await fedex.gateway.track(TrackedParcel(FEDEX, PARCEL, "790000000001", datetime.now(UTC)))

    assert [(each.status, each.code, each.description) for each in events] == [
        (S.PICKED_UP, "PU", "Picked up"),
        (None, "ZZ", "Something new"),
        (S.OUT_FOR_DELIVERY, "OD", "On FedEx vehicle for delivery"),
    ]
    assert events[0].location == "AUSTIN, TX, US"


async def test_a_refusal_is_told_from_an_answer_that_does_not_come(fedex: FedexDesk) -> None:
    await fedex.control("fault", fault="SERVICE.PACKAGECOMBINATION.INVALID")
    with pytest.raises(CarrierRefused, match=r"SERVICE\.PACKAGECOMBINATION\.INVALID"):
        await fedex.gateway.book(BOOKING)
    for fault in ("error", "nonsense"):
        await fedex.control("fault", fault=fault)
        with pytest.raises(CarrierError):
            await fedex.gateway.book(BOOKING)
    with pytest.raises(CarrierError):
        await fedex.gateway.find_booking(BOOKING)
    nobody = KarrioCarriers(ACCOUNTS, {"fedex": "http://127.0.0.1:9"})
    with pytest.raises(CarrierNotReached):
        await nobody.book(BOOKING)
    nobody.threads.shutdown()
    assert (await fedex.control("state"))["shipments"] == []


async def test_other_calls_go_on_while_one_waits(fedex: FedexDesk) -> None:
    await fedex.control("fault", fault="hang")
    waiting = asyncio.create_task(fedex.gateway.quote(BOOKING))
    await asyncio.sleep(0.5)

    async with asyncio.timeout(20):
        assert (await fedex.gateway.book(BOOKING)).number == "790000000001"
    assert not waiting.done()
    waiting.cancel()


async def test_a_carrier_without_an_account_or_without_its_part_of_karrio_is_refused_by_name() -> None:
    gateway = KarrioCarriers({"canadapost": {}}, {})

    with pytest.raises(CarrierRefused, match="KARRIO_ACCOUNTS has no fedex"):
        await gateway.book(BOOKING)
    other = CarrierAccount(CarrierCode("CP"), "The shop", company_code="canadapost")
    with pytest.raises(CarrierRefused, match=r"cartwheel\[carriers\]"):
        await gateway.book(Booking("S1", other, [PARCEL]))
    gateway.threads.shutdown()
