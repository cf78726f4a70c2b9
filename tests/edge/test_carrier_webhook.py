"""Pushes of carriers: genuine ones are stored once, whatever else comes is refused or kept by name."""

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.history import EVENTS_OF_PARCEL_LIMIT
from edge.webhooks.shipment import PUSH_BYTES_LIMIT
from events.shipment.folding import PushFolder
from events.shop import Shop
from gateways.carrier.kuaidi100.pushes import sign_text
from models import (
    CarrierCode,
    CarrierConnection,
    IncomingPush,
    Role,
    Shipment,
    TrackingEvent,
    UnhandledReport,
)
from models import ShipmentStatus as S
from tests.clients import Clients
from tests.factories.carrier import connect_carrier, create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.gateways.carrier.kuaidi100.desk import SALT, open_desk
from tests.given import id_of
from tests.observe import run_until_idle

Tick = Callable[[timedelta], None]
PATH = "/webhooks/carriers/kuaidi100"
BEIJING = ZoneInfo("Asia/Shanghai")
YTO = CarrierCode("YTO")


@pytest.fixture(autouse=True)
def connected(shop: Shop) -> None:
    connect_carrier(shop, open_desk(httpx.AsyncClient(), "http://127.0.0.1:9").gateway)


async def sent_parcel(session: AsyncSession, shop: Shop, number: str = "YT1") -> Shipment:
    """A parcel that has left by YTO."""
    await create_carrier(session, YTO, CarrierConnection.KUAIDI100, company_code="yuantong")
    [shipment] = await pack(session, await confirmed_order(session, now=shop.clock()), now=shop.clock())
    sent = await send(session, shipment, carrier=YTO, tracking_number=number, now=shop.clock())
    await session.commit()
    return sent


def step(shop: Shop, hours: float, context: str, code: str = "", **more: str) -> dict[str, str]:
    """An event some hours after now, as kuaidi100 writes it."""
    moment = shop.clock().astimezone(BEIJING) + timedelta(hours=hours)
    code_of = {"statusCode": code} if code else {}
    return {"time": f"{moment:%Y-%m-%d %H:%M:%S}", "context": context, **code_of, **more}


def form_of(*data: dict[str, str], number: str = "YT1", salt: str = SALT, **more: Any) -> bytes:
    result = {"nu": number, "com": "yuantong", "state": "0", "data": list(data)} | more.pop("result", {})
    param = json.dumps({"status": "polling", "lastResult": result} | more, ensure_ascii=False)
    return urlencode({"param": param, "sign": sign_text(param + salt)}).encode()


async def push(clients: Clients, body: bytes, **headers: str) -> httpx.Response:
    """Post a push, which is then folded."""
    answer = await clients.http.post(PATH, content=body, headers=headers)
    while await PushFolder(clients.shop, asyncio.Event()).run_once():
        pass
    return answer


async def stored(session: AsyncSession) -> list[tuple[S | None, str]]:
    rows = await session.execute(
        select(TrackingEvent.status, TrackingEvent.description).order_by(
            TrackingEvent.occurred_at, TrackingEvent.id
        )
    )
    await session.commit()
    return [(status, description) for status, description in rows]


async def unhandled(session: AsyncSession) -> list[tuple[str, str, str, int]]:
    rows = await session.scalars(select(UnhandledReport).order_by(UnhandledReport.id))
    found = [(row.kind.value, row.tracking_number, row.detail, row.times) for row in rows]
    await session.commit()
    return found


async def status_of(session: AsyncSession, shipment: Shipment) -> S:
    row = await session.get_one(Shipment, shipment.id, populate_existing=True)
    await session.commit()
    return row.status


async def test_a_history_that_comes_doubled_and_out_of_order_is_stored_once_in_order_of_time(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    shipment = await sent_parcel(session, shop)
    first, second = step(shop, 1, "已揽收", "103"), step(shop, 5, "派件中", "5")
    third = step(shop, 6, "已签收", "301")

    answers = [
        await push(clients, form_of(third, second, first, result={"state": "3"})),
        await push(clients, form_of(first)),
        await push(clients, form_of(second, first)),
        await push(clients, form_of(third, second, first, result={"state": "3"})),
    ]

    assert [(answer.status_code, answer.json()["returnCode"]) for answer in answers] == [(200, "200")] * 4
    assert await stored(session) == [
        (S.PICKED_UP, "已揽收"),
        (S.OUT_FOR_DELIVERY, "派件中"),
        (S.DELIVERED, "已签收"),
    ]
    assert await status_of(session, shipment) is S.DELIVERED


async def test_the_code_is_no_part_of_what_an_event_is_known_by(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    shipment = await sent_parcel(session, shop)
    uncoded, coded = step(shop, 1, "已到站"), step(shop, 1, "已到站", "501")
    other = step(shop, 1, "已离站", "501")

    await push(clients, form_of(step(shop, 2, "x", "9999"), uncoded, result={"state": "77"}))
    assert (await stored(session))[0] == (None, "已到站")
    await push(clients, form_of(coded))
    await push(clients, form_of(coded, other))

    assert await stored(session) == [
        (S.READY_FOR_PICKUP, "已到站"),
        (S.READY_FOR_PICKUP, "已离站"),
        (None, "x"),
    ]
    assert await status_of(session, shipment) is S.READY_FOR_PICKUP


async def test_a_code_in_no_table_is_kept_counted_and_changes_no_status(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    shipment, clerk = await sent_parcel(session, shop), await clients.staff(Role.WAREHOUSE)
    known, odd = step(shop, 1, "已揽收", "103"), step(shop, 2, "外星转运", "9999")

    for _ in range(2):
        await push(clients, form_of(odd, known, result={"state": "77"}))

    assert await status_of(session, shipment) is S.PICKED_UP
    assert await unhandled(session) == [("UNKNOWN_CODE", "", "9999", 2)]
    document = (
        "query ($id: ID!) { shipment(id: $id) { events { status message description } }"
        " unhandledReports { nodes { kind detail times } } }"
    )
    read = await clerk.get(document, id=id_of(shipment))
    assert read["shipment"]["events"][-1] == {
        "status": "PICKED_UP",
        "message": "The carrier has reported a step.",
        "description": "外星转运",
    }
    assert read["unhandledReports"]["nodes"] == [{"kind": "UNKNOWN_CODE", "detail": "9999", "times": 2}]


async def test_times_before_packing_and_far_ahead_are_kept_apart_and_the_rest_is_stored(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await sent_parcel(session, shop)
    past = {"time": "1970-01-01 08:00:00", "context": "签收", "statusCode": "3"}
    future = {"time": "2100-01-01 08:00:00", "context": "签收", "statusCode": "3"}

    answer = await push(clients, form_of(future, step(shop, 1, "已揽收", "103"), past))

    assert answer.status_code == 200
    assert await stored(session) == [(S.PICKED_UP, "已揽收")]
    assert [(kind, number, detail[:10]) for kind, number, detail, _ in await unhandled(session)] == [
        ("IMPOSSIBLE_TIME", "YT1", "1970-01-01"),
        ("IMPOSSIBLE_TIME", "YT1", "2100-01-01"),
    ]


async def test_events_that_cannot_be_read_are_kept_apart_and_the_rest_is_stored(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await sent_parcel(session, shop)
    odd = [
        {"time": time, "context": "签收", "statusCode": "3"} for time in ("0000-00-00 00:00:00", "yesterday")
    ]
    good = step(shop, 1, "已揽收", "103")

    answers = [
        await push(clients, form_of(*odd, good)),
        await push(clients, form_of(good, result={"data": ["签收", 7, good, None]})),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await stored(session) == [(S.PICKED_UP, "已揽收")]
    odd_details = {detail.split(maxsplit=1)[1] for kind, *_, detail, _ in await unhandled(session)}
    assert odd_details == {
        '{"time": "0000-00-00 00:00:00", "context": "签收", "statusCode": "3"}',
        '{"time": "yesterday", "context": "签收", "statusCode": "3"}',
        "7",
        "null",
        "签收",
    }


async def test_of_ten_thousand_events_in_one_push_none_is_lost(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    shipment = await sent_parcel(session, shop)
    many = [
        step(shop, number / 3_600, f"已到达第 {number} 个网点，正发往下一站", "1") for number in range(9_999)
    ]

    answer = await push(clients, form_of(step(shop, 4, "已签收", "301"), *reversed(many)))

    assert answer.status_code == 200
    assert await status_of(session, shipment) is S.DELIVERED
    kept, odd = await stored(session), await unhandled(session)
    assert len(kept) == EVENTS_OF_PARCEL_LIMIT + 1
    assert {kind for kind, *_ in odd} == {"TOO_MANY_EVENTS"}
    assert len(kept) + len(odd) == 10_000


async def test_a_push_about_an_unknown_parcel_is_kept_as_it_came(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await sent_parcel(session, shop)

    body = form_of(step(shop, 1, "已揽收", "103"), number="YT9")
    answer, _ = [await push(clients, body) for _ in range(2)]

    [(kind, number, detail, times)] = await unhandled(session)
    assert (answer.status_code, kind, number, times) == (200, "UNKNOWN_PARCEL", "YT9", 2)
    assert detail.endswith("103 已揽收")
    assert await stored(session) == []


async def test_what_is_forged_too_large_or_compressed_changes_nothing(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await sent_parcel(session, shop)
    event = step(shop, 1, "已揽收", "103")
    genuine = form_of(event)

    answers = {
        "wrong salt": (await push(clients, form_of(event, salt="another"))).status_code,
        "empty salt": (await push(clients, form_of(event, salt=""))).status_code,
        "changed": (await push(clients, genuine.replace(b"103", b"301"))).status_code,
        "too large": (await push(clients, genuine + b"&" + b"a" * PUSH_BYTES_LIMIT)).status_code,
        "gzip": (
            await push(clients, gzip.compress(b"a" * 50_000_000), **{"content-encoding": "gzip"})
        ).status_code,
        "empty": (await push(clients, b"")).status_code,
    }
    elsewhere = await clients.http.post("/webhooks/carriers/manual", content=genuine)
    nowhere = await clients.http.post("/webhooks/carriers/nobody", content=genuine)

    assert answers == {
        "wrong salt": 400,
        "empty salt": 400,
        "changed": 400,
        "too large": 413,
        "gzip": 415,
        "empty": 400,
    }
    assert (elsewhere.status_code, nowhere.status_code) == (404, 404)
    assert (await stored(session), await unhandled(session)) == ([], [])


async def test_only_what_is_refused_counts_against_an_address_and_then_nothing_of_it_is_stored(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await sent_parcel(session, shop)
    limit = shop.settings.rates.refused_webhooks
    genuine = [form_of(step(shop, 1, f"step {number}", "0")) for number in range(limit + 1)]
    forged = form_of(step(shop, 1, "forged", "301"), salt="another")

    taken = await asyncio.gather(*(clients.http.post(PATH, content=body) for body in genuine))
    refused = [await clients.http.post(PATH, content=forged) for _ in range(limit)]
    late = await clients.http.post(PATH, content=genuine[0])

    assert {answer.status_code for answer in taken} == {200}
    assert {answer.status_code for answer in refused} == {400}
    assert (late.status_code, late.headers["retry-after"]) == (429, "1")
    waiting = await session.scalar(select(func.count(IncomingPush.id)))
    await session.commit()
    assert waiting == limit + 1


async def test_a_late_push_never_turns_a_delivered_parcel_back(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    shipment = await sent_parcel(session, shop)
    await push(clients, form_of(step(shop, 5, "已签收", "301"), result={"state": "3"}))

    await push(clients, form_of(step(shop, 6, "退回中", "6"), step(shop, 2, "派件中", "5")))

    assert await status_of(session, shipment) is S.DELIVERED
    assert [status for status, _ in await stored(session)] == [S.OUT_FOR_DELIVERY, S.DELIVERED, S.RETURNING]


async def test_a_parcel_that_another_carrier_has_is_asked_about_under_its_code(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    shipment = await sent_parcel(session, shop)
    async with shop.database.writes.begin() as write:
        row = await write.get_one(Shipment, shipment.id)
        row.poll_at, row.subscribed_at = shop.clock() + timedelta(days=1), shop.clock()

    await push(clients, form_of(status="abort", message="3天查询无记录", comOld="yuantong", comNew="yunda"))
    moved = await session.get_one(Shipment, shipment.id, populate_existing=True)
    assert (moved.company_code, moved.subscribed_at) == ("yunda", shop.clock())
    assert moved.poll_at == shop.clock() + timedelta(minutes=35)
    await session.commit()
    await push(clients, form_of(status="abort", message="3天查询无记录"))
    again = await session.get_one(Shipment, shipment.id, populate_existing=True)

    assert again.subscribed_at is None
    await session.commit()


async def test_what_could_not_be_followed_is_deleted_after_ninety_days(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    await sent_parcel(session, shop)
    await push(clients, form_of(step(shop, 1, "已揽收", "103"), number="YT9"))

    tick(timedelta(days=89))
    await run_until_idle(shop)
    assert len(await unhandled(session)) == 1
    tick(timedelta(days=1))
    await run_until_idle(shop)

    assert await unhandled(session) == []
