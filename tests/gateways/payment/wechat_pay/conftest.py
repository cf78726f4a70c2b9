"""One server for all tests of a process; its faults and choices are forgotten after each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateways.payment.wechat_pay import WeChatPay
from tests.gateways.payment.wechat_pay.server import WeChatPayServer, run_server


@pytest.fixture(scope="session")
def server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    folder = tmp_path_factory.mktemp("wechat_pay")
    with run_server(folder) as printed:
        yield printed, folder


@pytest.fixture
async def server(server_process: tuple[dict[str, Any], Path]) -> AsyncIterator[WeChatPayServer]:
    printed, folder = server_process
    async with httpx.AsyncClient(trust_env=False) as client:
        server = WeChatPayServer(printed["url"], printed["environment"], folder, client)
        await server.ask("reset")
        yield server


@pytest.fixture
def provider(server: WeChatPayServer) -> WeChatPay:
    return server.connect()
