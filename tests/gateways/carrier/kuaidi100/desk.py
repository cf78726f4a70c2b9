"""The shop's account at the server of kuaidi100's protocol, and what a test asks of that server."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from bench.provider_servers.kuaidi100.server import CUSTOMER, KEY, PARTNER, PARTNER_KEY, SECRET
from gateways.carrier.kuaidi100 import Kuaidi100
from gateways.carrier.protocol import Booking, CarrierAccount, CarrierAddress, Parcel, TrackedParcel
from models import CarrierCode

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PUSH_URL = "http://shop/push"
SALT = "a-salt-of-sixteen"
YTO = CarrierAccount(CarrierCode("YTO"), "YTO Express", PARTNER, "标准快递", "yuantong")
SHANGHAI = CarrierAddress("Main", "+8613900139000", "上海市", "上海市", "青浦区", "1 号")
HANGZHOU = CarrierAddress("林梅", "+8613800138000", "浙江省", "杭州市", "西湖区", "文三路 1 号")


@dataclass
class Kuaidi100Desk:
    gateway: Kuaidi100
    client: httpx.AsyncClient
    address: str

    async def control(self, what: str, **given: Any) -> Any:
        return (await self.client.post(f"{self.address}/control/{what}", json=given)).json()

    async def fault(self, path: str, *faults: str) -> None:
        for fault in faults:
            await self.control("fault", path=path, fault=fault)


def open_desk(
    client: httpx.AsyncClient, address: str, *, push_url: str = "http://shop/push"
) -> Kuaidi100Desk:
    gateway = Kuaidi100(
        client=client,
        key=KEY,
        customer=CUSTOMER,
        secret=SECRET,
        salt=SALT,
        partner_keys={PARTNER: PARTNER_KEY},
        tracking_address=address,
        waybill_address=address,
        push_url=push_url,
        clock=lambda: NOW,
        timeout_seconds=2.0,
    )
    return Kuaidi100Desk(gateway, client, address)


def booking(reference: str = "S1", *, parcels: int = 1, account: CarrierAccount = YTO) -> Booking:
    packed = [Parcel(f"{reference}-{index}", 1_250, SHANGHAI, HANGZHOU) for index in range(parcels)]
    return Booking(reference, account, packed)


def tracked(number: str = "YT1", account: CarrierAccount = YTO) -> TrackedParcel:
    return TrackedParcel(account, Parcel("S1", 500, SHANGHAI, HANGZHOU), number, NOW)
