"""UPS and DHL Express through karrio, against servers that answer as they do. No real account was tried."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bench.provider_servers.dhl_express import server as dhl_server
from bench.provider_servers.ups import server as ups_server
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
from models import CarrierCode, CurrencyCode, LabelFormat, Money, ParcelSize
from models import ShipmentStatus as S
from tests.gateways.carrier.karrio_carriers.test_karrio import AUSTIN, MEMPHIS
from tests.gateways.carrier.server_process import carrier_server

pytest.importorskip("karrio")

TORONTO = CarrierAddress("Ann", "4165550100", "ON", "Toronto", "", "3 Elm St", None, None, "CA", "M5V2H1")
BOX = ParcelSize(300, 200, 100)
UPS = Booking(
    "S1",
    CarrierAccount(CarrierCode("UPS"), "The shop", ups_server.ACCOUNT, "ups_ground", "ups"),
    [Parcel("S1", 1_250, AUSTIN, MEMPHIS, BOX)],
)
DHL = Booking(
    "S2",
    CarrierAccount(
        CarrierCode("DHL"), "The shop", dhl_server.ACCOUNT, "dhl_express_worldwide_nondoc", "dhl_express"
    ),
    [Parcel("S2", 1_250, AUSTIN, TORONTO, BOX)],
)
ACCOUNTS = {
    "ups": {
        "client_id": ups_server.CLIENT,
        "client_secret": ups_server.SECRET,
        "account_number": ups_server.ACCOUNT,
        "account_country_code": "US",
    },
    "dhl_express": {
        "site_id": dhl_server.SITE_ID,
        "password": dhl_server.PASSWORD,
        "account_number": dhl_server.ACCOUNT,
        "account_country_code": "US",
    },
}


class CarriersDesk:
    def __init__(self, addresses: dict[str, str], client: httpx.AsyncClient) -> None:
        self.gateway = KarrioCarriers(ACCOUNTS, addresses)
        self.addresses, self.client = addresses, client

    async def control(self, company: str, what: str, **given: Any) -> Any:
        return (await self.client.post(f"{self.addresses[company]}/control/{what}", json=given)).json()


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    with ExitStack() as servers:
        yield {company: servers.enter_context(carrier_server(company)) for company in ACCOUNTS}


@pytest.fixture
async def desk(addresses: dict[str, str]) -> AsyncIterator[CarriersDesk]:
    async with httpx.AsyncClient() as client:
        desk = CarriersDesk(addresses, client)
        for company in ACCOUNTS:
            await desk.control(company, "reset")
        yield desk
        desk.gateway.threads.shutdown(wait=False)


@pytest.mark.parametrize(
    ("booking", "number"), [(UPS, "1ZA1B2C30300000001"), (DHL, "7000000001")], ids=["UPS", "DHL"]
)
async def test_a_shipment_is_created_with_its_label(
    desk: CarriersDesk, booking: Booking, number: str
) -> None:
    booked = await desk.gateway.book(booking)

    assert booked.number == number
    assert booked.label is not None
    assert (booked.label.format, booked.label.content[:5]) == (LabelFormat.PDF, b"%PDF-")
    [requested] = (await desk.control(booking.account.company_code, "state"))["shipments"]
    assert all(text in str(requested) for text in (booking.account.account, "Ann", "Austin", "Main St"))


@pytest.mark.parametrize(
    ("booking", "service", "cents"),
    [(UPS, "ups_ground", 18_40), (DHL, "dhl_express_worldwide_nondoc", 91_30)],
    ids=["UPS", "DHL"],
)
async def test_services_are_quoted(desk: CarriersDesk, booking: Booking, service: str, cents: int) -> None:
    [quote] = await desk.gateway.quote(booking)

    assert (quote.service, quote.price) == (service, Money(cents, CurrencyCode.USD))


@pytest.mark.parametrize(
    ("booking", "steps"),
    [
        (
            UPS,
            [
                (S.PICKED_UP, "PU", "Pickup Scan"),
                (None, "ZZ", "Something new"),
                (S.IN_TRANSIT, "AR", "Arrived at Facility"),
                (S.DELIVERED, "KB", "DELIVERED"),
            ],
        ),
        (
            DHL,
            [
                (S.PICKED_UP, "PU", "Shipment picked up"),
                (None, "ZZ", "Something new"),
                (S.OUT_FOR_DELIVERY, "WC", "With delivery courier"),
            ],
        ),
    ],
    ids=["UPS", "DHL"],
)
async def test_steps_are_read_in_order_and_an_unknown_one_has_no_status(
    desk: CarriersDesk, booking: Booking, steps: list[tuple[S | None, str, str]]
) -> None:
    tracked = TrackedParcel(booking.account, booking.parcels[0], "N1", datetime.now(UTC))
    events = await desk.gateway.track(tracked)

    assert [(each.status, each.code, each.description) for each in events] == steps
    assert events[0].occurred_at == datetime(2026, 3, 1, 18, 0, tzinfo=UTC)


async def test_ups_cancels_by_the_number_and_dhl_cancels_nothing(desk: CarriersDesk) -> None:
    await desk.gateway.cancel(UPS, "1Z1")

    assert (await desk.control("ups", "state"))["cancelled"] == ["1Z1"]
    with pytest.raises(CarrierRefused):
        await desk.gateway.cancel(DHL, "7000000001")


@pytest.mark.parametrize("booking", [UPS, DHL], ids=["UPS", "DHL"])
async def test_a_refusal_is_told_from_an_answer_that_does_not_come(
    desk: CarriersDesk, booking: Booking
) -> None:
    company = booking.account.company_code
    await desk.control(company, "fault", fault="120502")
    with pytest.raises(CarrierRefused, match="120502"):
        await desk.gateway.book(booking)
    for fault in ("error", "nonsense"):
        await desk.control(company, "fault", fault=fault)
        with pytest.raises(CarrierError):
            await desk.gateway.book(booking)
    nobody = KarrioCarriers(ACCOUNTS, dict.fromkeys(ACCOUNTS, "http://127.0.0.1:9"))
    with pytest.raises(CarrierNotReached):
        await nobody.book(booking)
    nobody.threads.shutdown()
    assert (await desk.control(company, "state"))["shipments"] == []
