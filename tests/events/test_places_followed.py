"""New places are looked up after they are stored; what is not found stays where its district is."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bench.provider_servers.amap.server import KEY, SIGNING_KEY
from domain.address import save_address
from domain.place import GEOCODES_KEY
from events.shop import Shop
from gateways.geocoder.amap import Amap
from geo import Point, distance_km, to_gcj02
from models import Address, CoordinateSource, Delivery
from tests.conftest import STARTED_AT, Clock
from tests.factories.account import create_account
from tests.factories.order import HANGZHOU, create_order
from tests.factories.shipment import delivery_of
from tests.gateways.carrier.server_process import carrier_server
from tests.observe import run_until_idle

DOOR = Point(30.2741, 120.1551)
STREET = "浙江省杭州市西湖区文三路 100 号"


@pytest.fixture(scope="module")
def amap_address() -> Iterator[str]:
    with carrier_server("amap") as address:
        yield address


@pytest.fixture
async def amap(shop: Shop, amap_address: str) -> AsyncIterator["Desk"]:
    async with httpx.AsyncClient() as client:
        shop.geocoder = Amap(client, KEY, SIGNING_KEY, amap_address, timeout_seconds=1.0)
        shop.database.writes.configure(info={**shop.database.writes.kw["info"], GEOCODES_KEY: True})
        desk = Desk(client, amap_address)
        await desk.control("reset")
        yield desk


class Desk:
    """What a test asks of the server."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self.client, self.address = client, address

    async def control(self, what: str, **given: Any) -> Any:
        return (await self.client.post(f"{self.address}/control/{what}", json=given)).json()

    async def knows(self, *points: Point, level: str = "门牌号") -> None:
        found = [to_gcj02(point) for point in points]
        geocodes = [
            {"location": f"{each.longitude:.6f},{each.latitude:.6f}", "level": level} for each in found
        ]
        await self.control("places", address=STREET, geocodes=geocodes)


async def save(shop: Shop, session: AsyncSession, **changes: Any) -> Address:
    account = await create_account(session)
    await session.commit()
    async with shop.database.writes.begin() as writing:
        address = await save_address(
            writing,
            account_id=account.id,
            address_id=None,
            postal=replace(HANGZHOU, **changes),
            is_default=False,
            now=STARTED_AT,
        )
    return address


async def place_of(
    session: AsyncSession, address: Address
) -> tuple[float | None, CoordinateSource | None, bool]:
    row = await session.get_one(Address, address.id, populate_existing=True)
    await session.commit()
    return row.latitude, row.coordinate_source, row.geocode_at is None


async def test_a_new_address_is_found_and_nobody_is_named(
    shop: Shop, session: AsyncSession, amap: Desk
) -> None:
    await amap.knows(DOOR)
    address = await save(shop, session)

    await run_until_idle(shop)

    row = await session.get_one(Address, address.id, populate_existing=True)
    assert row.coordinate_source is CoordinateSource.GEOCODER
    assert row.latitude
    assert row.longitude
    assert distance_km(Point(row.latitude, row.longitude), DOOR) < 0.001
    [question] = (await amap.control("asked"))["asked"]
    assert (question["address"], question["city"]) == (STREET, "杭州市")
    assert not {"林梅", "13800138000"} & set(question.values())


async def test_an_order_is_found_once_and_what_it_copies_is_not_asked_again(
    shop: Shop, session: AsyncSession, amap: Desk
) -> None:
    session.info[GEOCODES_KEY] = True
    await amap.knows(DOOR)
    delivery = await delivery_of(session, await create_order(session))
    await session.commit()

    await run_until_idle(shop)
    await run_until_idle(shop)

    delivery = await session.get_one(Delivery, delivery.id, populate_existing=True)
    assert delivery.coordinate_source is CoordinateSource.GEOCODER
    assert len((await amap.control("asked"))["asked"]) == 1


async def test_a_pin_of_the_client_is_not_looked_up(shop: Shop, session: AsyncSession, amap: Desk) -> None:
    await amap.knows(DOOR)
    address = await save(shop, session, latitude=30.28, longitude=120.12)

    await run_until_idle(shop)

    assert await place_of(session, address) == (30.28, CoordinateSource.CLIENT, True)
    assert (await amap.control("asked"))["asked"] == []


@pytest.mark.parametrize("answer", ["unknown", "several", "coarse", "elsewhere", "30001"])
async def test_an_address_that_is_not_found_exactly_stays_at_the_centre_of_its_district(
    shop: Shop, session: AsyncSession, amap: Desk, answer: str
) -> None:
    match answer:
        case "several":
            await amap.knows(DOOR, DOOR)
        case "coarse":
            await amap.knows(DOOR, level="区县")
        case "elsewhere":
            await amap.knows(Point(39.9, 116.4))
        case "30001":
            await amap.control("fault", fault=answer)
    address = await save(shop, session)

    await run_until_idle(shop)

    assert await place_of(session, address) == (30.259, CoordinateSource.DISTRICT, True)


@pytest.mark.parametrize("fault", ["error", "nonsense", "large", "hang", "10003", "10007"])
async def test_a_geocoder_that_does_not_answer_is_asked_again_later(
    shop: Shop, session: AsyncSession, amap: Desk, clock: Clock, fault: str
) -> None:
    await amap.knows(DOOR)
    await amap.control("fault", fault=fault)
    address = await save(shop, session)

    await run_until_idle(shop)
    before = await place_of(session, address)
    clock.tick(timedelta(minutes=1))
    await run_until_idle(shop)

    assert before == (30.259, CoordinateSource.DISTRICT, False)
    assert (await place_of(session, address))[1:] == (CoordinateSource.GEOCODER, True)


async def test_after_some_tries_the_centre_of_the_district_is_enough(
    shop: Shop, session: AsyncSession, amap: Desk, clock: Clock
) -> None:
    for _ in range(10):
        await amap.control("fault", fault="10003")
    address = await save(shop, session)

    for _ in range(8):
        shop.calls.breakers.clear()
        await run_until_idle(shop)
        clock.tick(timedelta(days=1))

    assert await place_of(session, address) == (30.259, CoordinateSource.DISTRICT, True)
