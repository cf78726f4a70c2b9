"""The server of Alipay's protocol, once for all tests, and a desk at it for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateways.payment.alipay.desk import AlipayDesk, AlipayServer, open_desk, run_server


@pytest.fixture(scope="session")
def alipay_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlipayServer]:
    with run_server(tmp_path_factory.mktemp("alipay")) as server:
        yield server


@pytest.fixture
async def desk(alipay_server: AlipayServer) -> AsyncIterator[AlipayDesk]:
    async with open_desk(alipay_server) as desk:
        yield desk
