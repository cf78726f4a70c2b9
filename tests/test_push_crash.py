"""A process that is killed after it has answered pushes loses none and folds none twice."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import func, select

from events.shop import Shop
from gateways.carrier.kuaidi100.pushes import sign_text
from models import CarrierCode, CarrierConnection, IncomingPush, TrackingEvent
from tests.factories.carrier import create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.journey.device import wait_until
from tests.observe import TIMEOUT_SECONDS, assert_books_agree
from tests.process import Process, process_environment, serve_shop

PATH = "/webhooks/carriers/kuaidi100"
SALT = "salt of the test"
PARCELS, PUSHES = 10, 6
KUAIDI100 = {"KUAIDI100_KEY": "key", "KUAIDI100_CUSTOMER": "customer", "KUAIDI100_SALT": SALT}
YTO = CarrierCode("YTO")


@pytest.fixture(params=["new_sqlite_url", "new_postgres_url"], ids=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return process_environment(request.getfixturevalue(request.param), tmp_path, **KUAIDI100)


async def send_parcels(shop: Shop) -> None:
    now = shop.clock() - timedelta(hours=PUSHES + 1)
    async with shop.database.writes.begin() as session:
        await create_carrier(session, YTO, CarrierConnection.KUAIDI100, company_code="yuantong")
        for number in range(PARCELS):
            [shipment] = await pack(session, await confirmed_order(session, now=now), now=now)
            await send(session, shipment, carrier=YTO, tracking_number=f"YT{number}", now=now)


def push_body(shop: Shop, number: int, steps: int) -> bytes:
    """A history of so many steps."""
    began = (shop.clock() - timedelta(hours=PUSHES)).astimezone(ZoneInfo("Asia/Shanghai"))
    data = [
        {"time": f"{began.replace(minute=step):%Y-%m-%d %H:%M:00}", "context": f"step {step}"}
        for step in range(steps)
    ]
    result = {"nu": f"YT{number}", "com": "yuantong", "state": "0", "data": data}
    param = json.dumps({"status": "polling", "lastResult": result})
    return urlencode({"param": param, "sign": sign_text(param + SALT)}).encode()


async def push_and_kill(shop: Shop, process: Process, *, kill_after: int) -> dict[int, int]:
    """Push all at once, and kill -9 the process after so many answers; how many steps of each parcel were
    answered as taken."""
    taken: dict[int, int] = {}
    answered = 0
    async with httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http:

        async def push(number: int, steps: int) -> None:
            nonlocal answered
            answer = await http.post(PATH, content=push_body(shop, number, steps))
            assert answer.json()["returnCode"] == "200"
            taken[number] = max(taken.get(number, 0), steps)
            answered += 1
            if answered == kill_after:
                process.kill()

        pushes = [push(number, steps) for steps in range(1, PUSHES + 1) for number in range(PARCELS)]
        results = await asyncio.gather(*pushes, return_exceptions=True)
    for result in results:
        assert result is None or isinstance(result, httpx.TransportError), result
    assert process.exit_code == -9
    return taken


async def nothing_waits(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(IncomingPush.id))) == 0


@pytest.mark.parametrize("works", ["false", "true"], ids=["before anything was folded", "while it folds"])
async def test_after_kill_9_no_push_is_missing_and_none_is_folded_twice(
    env: dict[str, str], other_shop: Shop, tmp_path: Path, works: str
) -> None:
    await send_parcels(other_shop)

    async with serve_shop(env | {"RUN_WORKER": works}, tmp_path / "first.log") as process:
        taken = await push_and_kill(other_shop, process, kill_after=35)
    async with serve_shop(env, tmp_path / "second.log"):
        await wait_until("all pushes are folded", lambda: nothing_waits(other_shop))

    assert taken
    async with other_shop.database.reads() as session:
        rows = await session.execute(select(TrackingEvent.shipment_id, TrackingEvent.description))
        stored = [(shipment_id, description) for shipment_id, description in rows]
    assert len(stored) == len(set(stored))
    steps = {id - 1: {text for each, text in stored if each == id} for id, _ in stored}
    for number, count in taken.items():
        assert {f"step {step}" for step in range(count)} <= steps[number]
    await assert_books_agree(other_shop)
