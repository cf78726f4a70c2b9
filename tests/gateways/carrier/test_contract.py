"""What every carrier keeps to, whoever wrote it: those that are built, and a toy.

Carriers through karrio, which cannot be asked after a booking, have tests of their own.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from gateways.carrier.by_hand import CarrierByHand
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    CarrierAccount,
    CarrierError,
    CarrierGateway,
    CarrierRefused,
    Parcel,
    PickupWindow,
    PushRefused,
    PushRequest,
    PushVerdict,
)
from gateways.carrier.registry import CONNECTIONS
from gateways.carrier.simulated import SimulatedCarrier
from models import CONNECTION_TERMS, SIMULATED_CARRIER, CarrierConnection
from tests.gateways.carrier.kuaidi100.desk import NOW, YTO, booking, open_desk, tracked
from tests.gateways.carrier.sf_express.desk import SF, open_sf_desk
from tests.gateways.carrier.toy import LEFT_AT, WORD, ToyCarrier

ACCOUNT = CarrierAccount(SIMULATED_CARRIER, "The shop")


@dataclass(frozen=True, slots=True)
class TriedCarrier:
    """A carrier that is tried, and as whose customer."""

    gateway: CarrierGateway
    account: CarrierAccount = ACCOUNT

    def booking(self, reference: str, *, parcels: int = 1) -> Booking:
        return booking(reference, parcels=parcels, account=self.account)


def at_kuaidi100(client: httpx.AsyncClient, address: Callable[[str], str]) -> TriedCarrier:
    return TriedCarrier(open_desk(client, address("kuaidi100_address")).gateway, YTO)


def at_sf(client: httpx.AsyncClient, address: Callable[[str], str]) -> TriedCarrier:
    return TriedCarrier(open_sf_desk(client, address("sf_address")).gateway, SF)


def without_server(
    make: Callable[[], CarrierGateway],
) -> Callable[[httpx.AsyncClient, Callable[[str], str]], TriedCarrier]:
    return lambda client, address: TriedCarrier(make())


CARRIERS = {
    "toy": without_server(ToyCarrier),
    "simulated": without_server(lambda: SimulatedCarrier(timedelta(minutes=1), lambda: NOW)),
    "own couriers": without_server(lambda: CarrierByHand(CarrierConnection.OWN_COURIERS)),
    "manual": without_server(lambda: CarrierByHand(CarrierConnection.MANUAL)),
    "kuaidi100": at_kuaidi100,
    "sf": at_sf,
}


@pytest.fixture(params=CARRIERS)
async def carrier(request: pytest.FixtureRequest) -> AsyncIterator[TriedCarrier]:
    addresses = []

    def address(name: str) -> str:
        addresses.append(str(request.getfixturevalue(name)))
        return addresses[-1]

    async with httpx.AsyncClient() as client:
        tried = CARRIERS[request.param](client, address)
        for each in addresses:
            await client.post(f"{each}/control/reset", json={})
        yield tried


def test_each_connection_is_in_the_registry_once_and_has_its_terms() -> None:
    registered = [each.connection for each in CONNECTIONS]

    assert sorted(registered) == sorted(CarrierConnection)
    assert set(CONNECTION_TERMS) == set(CarrierConnection)


async def test_a_reference_that_is_booked_again_is_the_same_waybill_and_another_one_is_not(
    carrier: TriedCarrier,
) -> None:
    gateway = carrier.gateway
    if not gateway.capabilities.books:
        with pytest.raises(CarrierRefused):
            await gateway.book(carrier.booking("S1"))
        return
    first, again = [await gateway.book(carrier.booking("S1")) for _ in range(2)]
    other = await gateway.book(carrier.booking("S2"))

    assert first.number
    assert again == first == await gateway.find_booking(carrier.booking("S1"))
    assert other.number != first.number


async def test_several_parcels_have_a_number_each(carrier: TriedCarrier) -> None:
    if not carrier.gateway.capabilities.many_parcels:
        return
    booked = await carrier.gateway.book(carrier.booking("S1", parcels=3))

    assert len({booked.number, *booked.children}) == 3


async def test_nothing_is_booked_for_no_parcel(carrier: TriedCarrier) -> None:
    with pytest.raises(CarrierRefused):
        await carrier.gateway.book(replace(carrier.booking("S1"), parcels=[]))


async def test_what_is_cancelled_stays_so_and_who_cancels_nothing_says_so(carrier: TriedCarrier) -> None:
    gateway, asked = carrier.gateway, carrier.booking("S1")
    if not gateway.capabilities.cancels:
        with pytest.raises(CarrierRefused):
            await gateway.cancel(asked, "N1")
        return
    booked = await gateway.book(asked)

    for _ in range(2):
        await gateway.cancel(asked, booked.number)


async def test_what_is_collected_from_a_customer_has_one_number_and_is_followed(
    carrier: TriedCarrier,
) -> None:
    gateway, can = carrier.gateway, carrier.gateway.capabilities
    if not (can.books and can.picks_up):
        return
    sent = carrier.booking("C1")
    window = PickupWindow(NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2))
    asked = replace(sent, parcels=[turn_back(each) for each in sent.parcels], pickup=window)

    first, again = await gateway.book(asked), await gateway.book(asked)
    followed = replace(tracked(first.number, carrier.account), parcel=asked.parcels[0])
    events = await gateway.track(followed)
    await gateway.cancel(asked, first.number)

    assert first.number == again.number
    assert all(each.occurred_at.utcoffset() is not None for each in events)


def turn_back(parcel: Parcel) -> Parcel:
    """A parcel from a customer to a warehouse, which has no phone."""
    return replace(parcel, sender=parcel.receiver, receiver=replace(parcel.sender, phone=""))


async def test_events_have_a_moment_with_a_zone_and_what_is_not_tracked_has_none(
    carrier: TriedCarrier,
) -> None:
    if carrier.gateway.capabilities.pushes:
        await carrier.gateway.subscribe(tracked("N1", carrier.account))

    events = await carrier.gateway.track(tracked("N1", carrier.account))

    assert all(each.occurred_at.utcoffset() is not None for each in events)
    if not carrier.gateway.capabilities.tracks:
        assert events == []


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"param=%7B%7D&sign=0", b"[" * 100_000, b'{"word": 1}']
)
async def test_a_push_that_is_not_genuine_is_refused(carrier: TriedCarrier, body: bytes) -> None:
    with pytest.raises(PushRefused):
        carrier.gateway.read_push(PushRequest({}, body, NOW))


async def test_who_pushes_is_told_whether_to_come_again(carrier: TriedCarrier) -> None:
    status = {verdict: carrier.gateway.answer(verdict).status for verdict in PushVerdict}

    if not carrier.gateway.capabilities.pushes:
        assert set(status.values()) == {404}
        return
    assert status[PushVerdict.ACCEPTED] == 200
    assert 400 <= status[PushVerdict.REFUSED] < 500
    assert status[PushVerdict.RETRY] == 503


async def test_prices_have_a_currency_and_are_of_all_parcels(carrier: TriedCarrier) -> None:
    gateway = carrier.gateway
    if isinstance(gateway, CarrierByHand):
        with pytest.raises(CarrierRefused):
            await gateway.quote(carrier.booking("S1"))
        return
    quotes = await gateway.quote(carrier.booking("S1", parcels=2))

    assert quotes
    assert all(each.price.minor > 0 for each in quotes)


def test_the_toy_reads_what_is_genuine_and_an_unknown_code_has_no_status() -> None:
    content = {"word": WORD, "number": "TOY1", "code": "strange", "at": LEFT_AT.isoformat()}

    [push] = ToyCarrier().read_push(PushRequest({}, json.dumps(content).encode(), NOW))

    [event] = push.events
    assert (push.tracking_number, event.status, event.code) == ("TOY1", None, "strange")
    assert event.occurred_at == LEFT_AT


@pytest.mark.parametrize("number", ["", "\0AB", "a b", "<b>1</b>", "１２３４", "-1", "x" * 41, "SF1\n"])
def test_what_is_no_number_is_not_booked(number: str) -> None:
    with pytest.raises(CarrierError):
        BookedWaybill(number)
    with pytest.raises(CarrierError):
        BookedWaybill("SF1234567890", children=["SF1234567891", number])
