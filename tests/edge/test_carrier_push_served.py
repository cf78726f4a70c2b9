"""A server of kuaidi100's protocol pushes to a shop that is served, over sockets."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bench.provider_servers.kuaidi100.server import CUSTOMER, KEY
from events.shop import Shop
from gateways.carrier.kuaidi100.pushes import sign_text
from models import CarrierCode, CarrierConnection, TrackingEvent, UnhandledReport
from tests.factories.carrier import create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.gateways.carrier.kuaidi100.desk import SALT, open_desk, tracked
from tests.gateways.carrier.server_process import carrier_server
from tests.observe import TIMEOUT_SECONDS
from tests.process import open_shop_of, process_environment, serve_shop

BEIJING = ZoneInfo("Asia/Shanghai")
PATH = "/webhooks/carriers/kuaidi100"


@pytest.fixture(params=["new_sqlite_url", "new_postgres_url"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return process_environment(
        request.getfixturevalue(request.param),
        tmp_path,
        KUAIDI100_KEY=KEY,
        KUAIDI100_CUSTOMER=CUSTOMER,
        KUAIDI100_SALT=SALT,
        KUAIDI100_TRACKING_ADDRESS="http://127.0.0.1:9",
    )


@pytest.fixture
def kuaidi100() -> Iterator[str]:
    with carrier_server("kuaidi100") as address:
        yield address


async def send_parcel(session: AsyncSession, shop: Shop) -> None:
    await create_carrier(session, "YTO", CarrierConnection.KUAIDI100, position=9, company_code="yuantong")
    [shipment] = await pack(session, await confirmed_order(session, now=shop.clock()), now=shop.clock())
    await send(session, shipment, carrier=CarrierCode("YTO"), tracking_number="YT1", now=shop.clock())


def form_of(*times: str, number: str = "YT1", salt: str = SALT) -> bytes:
    data = [{"time": time, "context": f"到达 {index}", "statusCode": "0"} for index, time in enumerate(times)]
    result = {"nu": number, "com": "yuantong", "state": "0", "data": data}
    param = json.dumps({"status": "polling", "lastResult": result}, ensure_ascii=False)
    return urlencode({"param": param, "sign": sign_text(param + salt)}).encode()


async def wait_for_rows(shop: Shop, events: int, reports: int) -> None:
    """Until the shop has so many tracking events and reports that it could not follow."""
    found = (-1, -1)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while found != (events, reports):
            await asyncio.sleep(0.1)
            async with shop.database.reads() as session:
                found = (
                    await session.scalar(select(func.count(TrackingEvent.id))) or 0,
                    await session.scalar(select(func.count(UnhandledReport.id))) or 0,
                )


async def test_what_kuaidi100_pushes_to_a_served_shop_is_answered_and_stored_and_bad_pushes_by_name(
    env: dict[str, str], tmp_path: Path, kuaidi100: str
) -> None:
    async with (
        serve_shop(env, tmp_path / "log") as process,
        open_shop_of(env) as shop,
        httpx.AsyncClient() as client,
    ):
        async with shop.database.writes.begin() as session:
            await send_parcel(session, shop)
        now = shop.clock().astimezone(BEIJING)
        moment = f"{now + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}"
        desk = open_desk(client, kuaidi100)
        await replace(desk.gateway, push_url=f"{process.url}{PATH}").subscribe(tracked("YT1"))
        step = {"time": moment, "context": "已揽收", "statusCode": "103"}
        await desk.control("parcel", nu="YT1", com="yuantong", state="1", data=[step])

        answers = await desk.control("push", number="YT1", times=2)
        forged = await desk.control("push", number="YT1", sign_with="another salt")
        unsalted = await desk.control("push", number="YT1", sign_with="")

        taken = {"result": True, "returnCode": "200", "message": "成功"}
        refused = {"result": False, "returnCode": "500", "message": "失败"}
        assert answers == [[200, taken], [200, taken]]
        assert forged == unsalted == [[400, refused]]
        await wait_for_rows(shop, events=1, reports=0)

        async def post(body: bytes, **headers: str) -> int:
            answer = await client.post(f"{process.url}{PATH}", content=body, headers=headers)
            return answer.status_code

        many = form_of(*[moment] * 10_000)
        assert await post(form_of(moment, number="YT999")) == 200
        assert await post(form_of("1970-01-01 00:00:00", "2100-01-01 00:00:00", moment)) == 200
        assert await post(gzip.compress(b"0" * 50_000_000), **{"content-encoding": "gzip"}) == 415
        await wait_for_rows(shop, events=2, reports=3)
        assert await post(many) == 200
        # of 10,000 one was known and 498 found room: the rest is kept by name
        await wait_for_rows(shop, events=500, reports=3 + 9_501)
