"""The shop's account at the server of kuaidi100's protocol."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateways.carrier.kuaidi100.desk import Kuaidi100Desk, open_desk


@pytest.fixture
async def desk(kuaidi100_address: str) -> AsyncIterator[Kuaidi100Desk]:
    async with httpx.AsyncClient() as client:
        desk = open_desk(client, kuaidi100_address)
        await desk.control("reset")
        yield desk
