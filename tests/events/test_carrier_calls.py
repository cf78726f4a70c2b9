"""Every call to a carrier is in a record: who, when, what was said, and nothing of secrets and people."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment import CarrierRefusal, CarrierUnavailable, unpack_shipment
from domain.shipment.booking import WaybillRequest
from domain.shipment.carrier_answers import BODY_LIMIT, redact_answer
from domain.shipment.carrier_calls import CALLS_KEPT
from events.jobs.carrier_queues import scheduler_of
from events.shipment import OLD_CALLS
from events.shipment.booking import book_waybill
from events.shipment.parcels import tracked_parcel_of
from events.shipment.polling import poll_parcels
from events.shipment.recorded import CallJournal, gateway_of, subject_of_parcel
from events.shop import Shop
from gateways.carrier.protocol import (
    BookedWaybill,
    CarrierError,
    CarrierEvent,
    CarrierNotReached,
    CarrierRefused,
)
from gateways.carrier.sf_express import SfExpress
from gateways.circuit import FAILURES_LIMIT
from loaders.shipment import load_routes
from models import (
    SIMULATED_CARRIER,
    Carrier,
    CarrierCall,
    CarrierCode,
    CarrierConnection,
    Delivery,
    Shipment,
    ShipmentStatus,
)
from models import CarrierCallKind as Kind
from models import CarrierCallOutcome as Outcome
from models.database import Database
from tests.factories.account import create_account
from tests.factories.carrier import ScriptedCarrier, connect_carrier, create_carrier
from tests.factories.shipment import confirmed_order, pack, send
from tests.observe import count_statements, run_until_idle

Tick = Callable[[timedelta], None]
SF = CarrierCode("SF")


async def pack_parcel(session: AsyncSession, shop: Shop) -> Shipment:
    order = await confirmed_order(session, now=shop.clock())
    [shipment] = await pack(session, order, now=shop.clock())
    await session.commit()
    return shipment


async def send_parcel(session: AsyncSession, shop: Shop, number: str = "N1") -> Shipment:
    shipment = await pack_parcel(session, shop)
    now = shop.clock()
    await send(session, shipment, carrier=SIMULATED_CARRIER, tracking_number=number, poll_at=now, now=now)
    await session.commit()
    return shipment


async def book(shop: Shop, shipment: Shipment, code: CarrierCode = SIMULATED_CARRIER, by: int = 0) -> None:
    async with shop.database.reads() as session:
        carriers = (await session.scalars(select(Carrier).where(Carrier.code == code))).all()
    cause = Cause(shop.clock(), by=by or None)
    await book_waybill(shop, carriers, WaybillRequest([shipment.id]), cause=cause)


async def calls(shop: Shop) -> list[CarrierCall]:
    async with shop.database.reads() as session:
        return list(await session.scalars(select(CarrierCall).order_by(CarrierCall.id)))


async def answers(shop: Shop) -> list[tuple[Kind, Outcome, str | None, str | None, int]]:
    return [(row.kind, row.outcome, row.answer, row.reason, row.times) for row in await calls(shop)]


def sf_that_answers(shop: Shop, *answers: httpx.Response) -> SfExpress:
    """The shop's account at SF, over a wire that gives these answers one after the other."""
    given = iter(answers)
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: next(given)))
    return SfExpress(client, "partner", "check", "push", "https://sf.example", shop.clock)


def wire_answer(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(text.encode()))


def sf_result(content: dict[str, object]) -> httpx.Response:
    data = json.dumps({"success": True, "errorCode": "S0000", "msgData": content}, ensure_ascii=False)
    answer = {"apiResultCode": "A1000", "apiErrorMsg": "", "apiResultData": data}
    return wire_answer(200, json.dumps(answer))


async def test_a_booking_is_recorded_with_who_asked_its_status_and_what_is_nobodys(
    shop: Shop, session: AsyncSession
) -> None:
    clerk = await create_account(session)
    await create_carrier(session, SF, CarrierConnection.SF_EXPRESS)
    shipment = await pack_parcel(session, shop)
    numbers = [{"waybillType": 1, "waybillNo": "SF7444400000001"}]
    answer: dict[str, object] = {
        "waybillNoInfoList": numbers,
        "filterResult": "2",
        "signedBy": "WANG",
        "phoneType": "1",
    }
    connect_carrier(shop, sf_that_answers(shop, sf_result(answer)))

    await book(shop, shipment, SF, by=clerk.id)

    [made] = await calls(shop)
    assert (made.carrier, made.kind, made.outcome, made.status_code) == (SF, Kind.BOOK, Outcome.ANSWERED, 200)
    assert (made.answer, made.reason, made.times) == ("SF7444400000001", None, 1)
    assert (made.order_id, made.actor_id, made.called_at) == (shipment.order_id, clerk.id, shop.clock())
    assert (made.waybill_id is None, made.shipment_id) == (False, None)
    kept = {"waybillNoInfoList": [{"waybillType": 1, "waybillNo": "…"}], "filterResult": "2"}
    kept |= {"signedBy": "…", "phoneType": "…"}
    data = {"success": True, "errorCode": "S0000", "msgData": kept}
    assert json.loads(made.body or "") == {
        "apiResultCode": "A1000",
        "apiErrorMsg": "…",
        "apiResultData": data,
    }


async def test_a_reason_names_nobody_of_the_parcel(shop: Shop, session: AsyncSession) -> None:
    shipment = await pack_parcel(session, shop)
    async with shop.database.reads() as read:
        to = (await read.scalars(select(Delivery).where(Delivery.id == shipment.delivery_id))).one()
    refusal = CarrierRefused(f"no {to.recipient}, {to.phone}, {to.line1} https://carrier.example/?key=1")
    connect_carrier(shop, ScriptedCarrier([refusal]))

    with pytest.raises(CarrierRefusal):
        await book(shop, shipment)

    [made] = await calls(shop)
    assert (made.outcome, made.reason) == (Outcome.REFUSED, "no …, …, … …")


async def test_a_carrier_that_fails_at_the_wire_leaves_its_status(shop: Shop, session: AsyncSession) -> None:
    await create_carrier(session, SF, CarrierConnection.SF_EXPRESS)
    shipment = await pack_parcel(session, shop)
    connect_carrier(shop, sf_that_answers(shop, wire_answer(502, "<h1>林梅</h1>")))

    with pytest.raises(CarrierUnavailable):
        await book(shop, shipment, SF)

    [made] = await calls(shop)
    assert (made.outcome, made.status_code, made.reason, made.body) == (
        Outcome.NO_ANSWER,
        502,
        "HTTP 502",
        None,
    )


async def test_a_parcel_that_is_asked_about_again_and_again_has_one_row_until_something_else_is_said(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    carrier = ScriptedCarrier(events=[])
    connect_carrier(shop, carrier)
    await send_parcel(session, shop)
    began = shop.clock()

    for _ in range(3):
        await scheduler_of(shop, SIMULATED_CARRIER).run_once()
        tick(timedelta(hours=1))
    carrier.events = [CarrierEvent(ShipmentStatus.IN_TRANSIT, "1", "on its way", began)]
    await scheduler_of(shop, SIMULATED_CARRIER).run_once()
    carrier.events = None
    tick(timedelta(hours=1))
    await scheduler_of(shop, SIMULATED_CARRIER).run_once()

    assert await answers(shop) == [
        (Kind.TRACK, Outcome.ANSWERED, "IN_TRANSIT", None, 4),
        (Kind.TRACK, Outcome.NO_ANSWER, None, "no answer", 1),
    ]
    [first, _] = await calls(shop)
    assert (first.called_at, first.last_called_at) == (began, began + timedelta(hours=3))


async def test_many_questions_are_recorded_in_as_many_statements_as_one(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    connect_carrier(shop, ScriptedCarrier(events=[]))
    one = await send_parcel(session, shop, "N0")
    await poll_parcels(SIMULATED_CARRIER, shop, [one.id])
    many = [one.id, *[(await send_parcel(session, shop, f"N{number}")).id for number in range(1, 8)]]
    tick(timedelta(hours=1))
    with count_statements(shop) as of_one:
        await poll_parcels(SIMULATED_CARRIER, shop, many[:1])
    await poll_parcels(SIMULATED_CARRIER, shop, many[1:])
    tick(timedelta(hours=1))
    with count_statements(shop) as of_many:
        await poll_parcels(SIMULATED_CARRIER, shop, many)

    assert of_many.total == of_one.total
    assert [row.times for row in await calls(shop)] == [3, *[2] * 7]


async def test_what_was_not_reached_and_what_was_asked_after_is_recorded_each(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    first, second = await pack_parcel(session, shop), await pack_parcel(session, shop)
    carrier = ScriptedCarrier([CarrierNotReached("ConnectError"), CarrierError("timeout")])
    connect_carrier(shop, carrier)
    for shipment in (first, second):
        with pytest.raises((CarrierRefusal, CarrierUnavailable)):
            await book(shop, shipment)
    carrier.booked = {each.reference: BookedWaybill("N1") for each in carrier.bookings}
    tick(timedelta(hours=1))

    await run_until_idle(shop)

    assert await answers(shop) == [
        (Kind.BOOK, Outcome.NOT_REACHED, None, "ConnectError", 1),
        (Kind.BOOK, Outcome.NO_ANSWER, None, "timeout", 1),
        (Kind.FIND_BOOKING, Outcome.ANSWERED, "N1", None, 1),
    ]


async def test_a_waybill_of_an_unpacked_parcel_is_cancelled_on_the_record_of_its_order(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await pack_parcel(session, shop)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("N1")]))
    await book(shop, shipment)
    async with shop.database.writes.begin() as write:
        await unpack_shipment(write, shipment.id, cause=Cause(shop.clock()))

    await run_until_idle(shop)

    [_, cancelled] = await calls(shop)
    assert (cancelled.kind, cancelled.outcome, cancelled.order_id) == (
        Kind.CANCEL,
        Outcome.ANSWERED,
        shipment.order_id,
    )


async def test_what_the_circuit_breaker_holds_back_was_not_asked(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    connect_carrier(shop, ScriptedCarrier())
    shipment = await send_parcel(session, shop)
    for _ in range(FAILURES_LIMIT + 2):
        await poll_parcels(SIMULATED_CARRIER, shop, [shipment.id])
        tick(timedelta(hours=1))

    [made] = await calls(shop)
    assert (made.outcome, made.times) == (Outcome.NO_ANSWER, FAILURES_LIMIT)


async def test_calls_go_on_while_the_database_is_away_and_the_log_has_them(
    shop: Shop, session: AsyncSession
) -> None:
    shipment = await send_parcel(session, shop)
    carrier = (await session.scalars(select(Carrier).where(Carrier.code == SIMULATED_CARRIER))).one()
    connect_carrier(shop, ScriptedCarrier(events=[]))
    away = "sqlite+aiosqlite:////nowhere/shop.db"
    database = Database.open(away, pool_size=1)
    routes = await load_routes(shop.database.reads, [shipment.id])
    cut_off = replace(shop, database=database)
    gateway, tracked = gateway_of(cut_off, carrier), tracked_parcel_of(routes[shipment.id], carrier)
    assert gateway is not None
    assert tracked is not None
    with structlog.testing.capture_logs() as logs:
        async with CallJournal(cut_off) as journal:
            asked = journal.follow(gateway, subject_of_parcel(routes[shipment.id]))
            assert await asked.track(tracked) == []

    await database.close()
    [line] = [each for each in logs if each["event"] == "carrier.call_not_recorded"]
    assert (line["call"], line["outcome"], line["answer"]) == (Kind.TRACK, Outcome.ANSWERED, "NO_EVENTS")
    assert await calls(shop) == []


async def test_calls_are_deleted_when_they_have_not_come_for_90_days(
    shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    connect_carrier(shop, ScriptedCarrier(events=[]))
    parcels = [(await send_parcel(session, shop, f"N{number}")).id for number in range(3)]
    await poll_parcels(SIMULATED_CARRIER, shop, parcels)
    tick(timedelta(days=1))
    await poll_parcels(SIMULATED_CARRIER, shop, parcels[:1])

    tick(CALLS_KEPT - timedelta(days=1))
    async with shop.database.reads() as read:
        due = (await read.scalars(OLD_CALLS.due(shop.clock()))).all()
    assert OLD_CALLS.act_on_group
    await OLD_CALLS.act_on_group(shop, due)

    assert [row.shipment_id for row in await calls(shop)] == parcels[:1]


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ('{"code": "200", "message": "林梅 13800138000"}', '{"code": "200", "message": "…"}'),
        ('{"phoneCode": "13800138000", "state": "13800138000"}', '{"phoneCode": "…", "state": "…"}'),
        ('{"state": "Emma", "status": "OK"}', '{"state": "…", "status": "OK"}'),
        ('{"ftime": "2026-03-01 09:00:00", "areaCenter": "120.1,30.2"}', None),
        ('{"林梅": 1, "count": 3, "price": 12.5, "success": true}', None),
        ("[1]", None),
        ("<h1>", None),
        ("", None),
        ("[" * 100_000, None),
        ('{"type":' * 5_000, None),
    ],
)
def test_of_an_answer_only_codes_states_counts_and_times_are_kept(answer: str, kept: str | None) -> None:
    others = {
        "ftime": '{"ftime": "2026-03-01 09:00:00", "areaCenter": "…"}',
        "林梅": '{"count": 3, "price": "…", "success": true}',
    }
    expected = kept or next((text for key, text in others.items() if key in answer), None)
    assert redact_answer(answer.encode(), {"Emma"}) == expected


def test_a_long_or_deep_answer_is_cut() -> None:
    deep: dict[str, object] = {"code": 1}
    for _ in range(50):
        deep = {"result": deep}
    wide = {"result": [{f"status{number}": "A" * 30 for number in range(20)} for _ in range(500)]}

    assert redact_answer(json.dumps(deep).encode(), ()) == '{"result": ' * 6 + '"…"' + "}" * 6
    assert len(redact_answer(json.dumps(wide).encode(), ()) or "") == BODY_LIMIT
