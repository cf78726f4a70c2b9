"""One server for the tests of a module."""

from collections.abc import AsyncIterator

import pytest

from tests.gateways.payment.card.desk import CardDesk, open_desk


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[CardDesk]:
    async with open_desk() as desk:
        yield desk


@pytest.fixture
async def desk(opened: CardDesk) -> CardDesk:
    """The desk without faults, and with the server's clock right."""
    await opened.control("faults_clear")
    await opened.control("set", ahead=0, refunds_pend=False, search_delay=60)
    return opened
