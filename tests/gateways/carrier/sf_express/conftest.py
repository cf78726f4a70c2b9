"""The shop's account at the server of SF's protocol."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateways.carrier.sf_express.desk import SfDesk, open_sf_desk


@pytest.fixture
async def sf(sf_address: str) -> AsyncIterator[SfDesk]:
    async with httpx.AsyncClient() as client:
        desk = open_sf_desk(client, sf_address)
        await desk.control("reset")
        yield desk
