"""The server of kuaidi100's protocol, once for all tests, and the shop's account at it for each."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.gateways.carrier.kuaidi100.desk import Kuaidi100Desk, open_desk
from tests.gateways.carrier.server_process import carrier_server


@pytest.fixture(scope="session")
def kuaidi100_address() -> Iterator[str]:
    with carrier_server("kuaidi100") as address:
        yield address


@pytest.fixture
async def desk(kuaidi100_address: str) -> AsyncIterator[Kuaidi100Desk]:
    async with httpx.AsyncClient() as client:
        desk = open_desk(client, kuaidi100_address)
        await desk.control("reset")
        yield desk
