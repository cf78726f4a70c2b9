"""The shop's account at the server of SF's protocol, and what a test asks of that server."""

from dataclasses import dataclass
from typing import Any

import httpx

from bench.provider_servers.sf_express.server import CHECK_WORD, MONTHLY_CARD, PARTNER_ID
from gateways.carrier.protocol import CarrierAccount
from gateways.carrier.sf_express import SfExpress
from models import CarrierCode
from tests.gateways.carrier.kuaidi100.desk import NOW

PUSH_KEY = "key-of-the-address"
SF = CarrierAccount(CarrierCode("SF"), "SF Express", MONTHLY_CARD, "2")


@dataclass
class SfDesk:
    gateway: SfExpress
    client: httpx.AsyncClient
    address: str

    async def control(self, what: str, **given: Any) -> Any:
        return (await self.client.post(f"{self.address}/control/{what}", json=given)).json()


def open_sf_desk(client: httpx.AsyncClient, address: str) -> SfDesk:
    gateway = SfExpress(
        client=client,
        partner_id=PARTNER_ID,
        check_word=CHECK_WORD,
        push_key=PUSH_KEY,
        address=address,
        clock=lambda: NOW,
        timeout_seconds=2.0,
    )
    return SfDesk(gateway, client, address)
