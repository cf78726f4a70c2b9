"""The server of SF's protocol, once for all tests, and the shop's account at it for each."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.gateways.carrier.server_process import carrier_server
from tests.gateways.carrier.sf_express.desk import SfDesk, open_sf_desk


@pytest.fixture(scope="session")
def sf_address() -> Iterator[str]:
    with carrier_server("sf_express") as address:
        yield address


@pytest.fixture
async def sf(sf_address: str) -> AsyncIterator[SfDesk]:
    async with httpx.AsyncClient() as client:
        desk = open_sf_desk(client, sf_address)
        await desk.control("reset")
        yield desk
