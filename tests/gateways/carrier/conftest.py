"""Servers that speak the protocols of carriers, each once for all tests."""

from collections.abc import Iterator

import pytest

from tests.gateways.carrier.server_process import carrier_server


@pytest.fixture(scope="session")
def kuaidi100_address() -> Iterator[str]:
    with carrier_server("kuaidi100") as address:
        yield address


@pytest.fixture(scope="session")
def sf_address() -> Iterator[str]:
    with carrier_server("sf_express") as address:
        yield address
