"""SF Express is asked and booked at over HTTP; its pushes are taken at an address with a secret in it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from gateways.carrier.protocol import (
    NO_TIME,
    Booking,
    CarrierError,
    CarrierNotReached,
    CarrierRefused,
    PickupWindow,
    PushRefused,
    PushRequest,
    PushVerdict,
    TrackedParcel,
)
from gateways.carrier.sf_express.gateway import digest
from gateways.carrier.sf_express.routes import ROUTES_LIMIT
from models import CurrencyCode, LabelFormat, Money
from models import ShipmentStatus as S
from tests.gateways.carrier.kuaidi100.desk import NOW, booking, tracked
from tests.gateways.carrier.sf_express.desk import PUSH_KEY, SF, SfDesk, open_sf_desk

GATEWAY = open_sf_desk(httpx.AsyncClient(), "http://127.0.0.1:9").gateway


def order(reference: str = "S1", *, parcels: int = 1) -> Booking:
    return booking(reference, parcels=parcels, account=SF)


def parcel(number: str = "SF1") -> TrackedParcel:
    return tracked(number, account=SF)


def test_the_digest_is_that_of_the_form_encoded_text() -> None:
    # MD5 of "%7B%22a%22%3A%22%E8%8C%B6+1%22%7D1700000000secret", in base64
    assert digest('{"a":"茶 1"}', "1700000000", "secret") == "FZ0+979xx9gEd1weHrus2g=="


async def test_an_order_has_a_mother_number_children_and_what_its_label_shows(sf: SfDesk) -> None:
    cash, window = Money(19_90, CurrencyCode.CNY), PickupWindow(NOW, NOW + timedelta(hours=2))
    terms = replace(order(parcels=3), cash=cash, pickup=window)

    booked = await sf.gateway.book(terms)

    assert (booked.number, booked.children) == ("SF0000000001", ["SF0000000001001", "SF0000000001002"])
    assert booked.label is not None
    assert (booked.label.format, booked.label.kind) == (LabelFormat.PRINT_JOB, "SF_ROUTE_LABEL")
    assert json.loads(booked.label.content)[0]["routeLabelData"]["destRouteLabel"] == "571W"
    [[service, content]] = (await sf.control("state"))["calls"]
    assert service == "EXP_RECE_CREATE_ORDER"
    assert (content["orderId"], content["parcelQty"], content["expressTypeId"]) == ("S1", 3, "2")
    assert content["serviceList"] == [{"name": "COD", "value": "19.90", "value1": "7551234567"}]
    assert (content["sendStartTm"], content["isDocall"]) == ("2026-03-01 17:00:00", 1)
    assert [each["contactType"] for each in content["contactInfoList"]] == [1, 2]


async def test_numbers_of_further_parcels_that_do_not_come_with_the_order_are_asked_for(sf: SfDesk) -> None:
    await sf.control("withhold")

    booked = await sf.gateway.book(order(parcels=3))
    found = await sf.gateway.find_booking(order(parcels=3))

    assert (booked.number, booked.children) == ("SF0000000001", ["SF0000000001001", "SF0000000001002"])
    assert found == booked
    services = [service for service, _ in (await sf.control("state"))["calls"]]
    assert services == ["EXP_RECE_CREATE_ORDER", "EXP_RECE_GET_SUB_MAILNO", "EXP_RECE_SEARCH_ORDER_RESP"]


async def test_an_order_that_timed_out_after_it_was_taken_is_found_and_not_made_again(sf: SfDesk) -> None:
    await sf.control("fault", fault="hang")

    with pytest.raises(CarrierError) as failure:
        await sf.gateway.book(order())
    found, again = await sf.gateway.find_booking(order()), await sf.gateway.book(order())

    assert not isinstance(failure.value, CarrierNotReached)
    assert found == again
    assert again.number == "SF0000000001"
    assert len((await sf.control("state"))["orders"]) == 1


async def test_an_order_that_never_came_is_not_found(sf: SfDesk) -> None:
    assert await sf.gateway.find_booking(order()) is None


async def test_an_order_is_cancelled_by_its_number(sf: SfDesk) -> None:
    booked = await sf.gateway.book(order())

    await sf.gateway.cancel(order(), booked.number)
    with pytest.raises(CarrierRefused, match="8024"):
        await sf.gateway.cancel(order("S2"), "SF9")

    assert (await sf.control("state"))["cancelled"] == ["S1"]


@pytest.mark.parametrize("fault", ["error", "nonsense", "no result", "A1099"])
async def test_an_answer_that_is_none_leaves_the_outcome_open(sf: SfDesk, fault: str) -> None:
    await sf.control("fault", fault=fault)

    with pytest.raises(CarrierError) as failure:
        await sf.gateway.book(order())

    assert not isinstance(failure.value, CarrierNotReached)


async def test_a_wrong_check_word_or_account_is_refused(sf: SfDesk) -> None:
    with pytest.raises(CarrierRefused, match="A1006"):
        await replace(sf.gateway, check_word="wrong").book(order())
    with pytest.raises(CarrierRefused, match="8057"):
        await sf.gateway.book(booking(account=replace(SF, account="0")))
    with pytest.raises(CarrierNotReached):
        await replace(sf.gateway, address="http://127.0.0.1:9").book(order())


async def test_steps_are_read_in_order_of_time_and_only_of_this_parcel(sf: SfDesk) -> None:
    routes = [
        {"acceptTime": "2026-03-02 09:30:00", "opCode": "44", "remark": "派件中", "acceptAddress": "杭州市"},
        {
            "acceptTime": "2026-03-01 20:00:00",
            "opCode": "50",
            "remark": "已收取快件",
            "acceptAddress": "上海市",
        },
        {"acceptTime": "2026-03-02 08:00:00", "opCode": "7777", "remark": "?", "acceptAddress": ""},
    ]
    await sf.control("routes", number="SF1", routes=routes)

    events = await sf.gateway.track(parcel())

    assert [(event.status, event.code) for event in events] == [
        (S.PICKED_UP, "50"),
        (None, "7777"),
        (S.OUT_FOR_DELIVERY, "44"),
    ]
    assert events[0].occurred_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert await sf.gateway.track(parcel("SF2")) == []


def pushed(content: object, *, query: str = f"key={PUSH_KEY}") -> PushRequest:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return PushRequest({}, body, NOW, query)


def steps(*routes: dict[str, str]) -> dict[str, Any]:
    return {"Body": {"WaybillRoute": list(routes)}}


STEP = {"mailno": "SF1", "acceptTime": "2026-03-01 20:00:00", "opCode": "80", "remark": "已签收", "id": "1"}


def test_a_push_may_be_about_several_parcels() -> None:
    pushes = GATEWAY.read_push(pushed(steps(STEP, STEP | {"mailno": "SF2"}, STEP | {"opCode": "44"})))

    assert [(push.tracking_number, [event.status for event in push.events]) for push in pushes] == [
        ("SF1", [S.DELIVERED, S.OUT_FOR_DELIVERY]),
        ("SF2", [S.DELIVERED]),
    ]


def test_a_push_to_an_address_without_the_key_is_refused() -> None:
    for query in ("", "key=", "key=other", "key=%C3%A9"):
        with pytest.raises(PushRefused):
            GATEWAY.read_push(pushed(steps(STEP), query=query))
    with pytest.raises(PushRefused):
        replace(GATEWAY, push_key="").read_push(pushed(steps(STEP), query="key="))
    assert replace(GATEWAY, push_key="").capabilities.pushes is False


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        [],
        {"Body": None},
        {"Body": {"WaybillRoute": {}}},
    ],
)
def test_a_push_that_cannot_be_read_is_refused_by_name(content: Any) -> None:
    with pytest.raises(PushRefused):
        GATEWAY.read_push(pushed(content))


def test_a_step_that_cannot_be_read_has_no_time_or_no_number_and_the_others_are_read() -> None:
    odd = [STEP | {"mailno": ""}, STEP | {"acceptTime": "soon"}, "x"]

    pushes = GATEWAY.read_push(pushed({"Body": {"WaybillRoute": [*odd, STEP]}}))
    [many, rest] = GATEWAY.read_push(pushed(steps(*[STEP] * (ROUTES_LIMIT + 1))))

    found = {push.tracking_number: [event.occurred_at == NO_TIME for event in push.events] for push in pushes}
    assert found == {"": [False, True], STEP["mailno"]: [True, False]}
    assert len(many.events) == ROUTES_LIMIT
    assert [event.description for event in rest.events] == ['"1 further steps"']


def test_answers_to_pushes_are_in_the_form_of_sf() -> None:
    answers = {verdict.value: GATEWAY.answer(verdict) for verdict in PushVerdict}

    assert {name: answer.status for name, answer in answers.items()} == {
        "ACCEPTED": 200,
        "REFUSED": 400,
        "RETRY": 503,
    }
    assert json.loads(answers["ACCEPTED"].body) == {"return_code": "0000", "return_msg": "成功"}


async def test_services_are_quoted_with_the_later_end_of_their_promise(sf: SfDesk) -> None:
    leaves_at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    every = replace(order(), account=replace(SF, service=""), leaves_at=leaves_at)

    quotes = await sf.gateway.quote(every)
    own = await sf.gateway.quote(replace(order(), leaves_at=leaves_at))

    assert [(each.service, each.price.amount, each.promised_at) for each in quotes] == [
        ("1", Decimal("22.50"), leaves_at + timedelta(days=1)),
        ("2", Decimal("14.50"), leaves_at + timedelta(days=2)),
    ]
    assert [each.service for each in own] == ["2"]
