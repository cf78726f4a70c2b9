"""kuaidi100 is asked, subscribed to and booked at over HTTP; what fails books nothing twice."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateways.carrier.protocol import NO_TIME, CarrierError, CarrierNotReached, CarrierRefused, PickupWindow
from models import CurrencyCode, LabelFormat, Money
from models import ShipmentStatus as S
from tests.gateways.carrier.kuaidi100.desk import HANGZHOU, NOW, YTO, Kuaidi100Desk, booking, tracked

QUERY, SUBSCRIBE, WAYBILL = "/poll/query.do", "/poll", "/label/order"
HISTORY = {
    "message": "ok",
    "nu": "YT1",
    "com": "yuantong",
    "status": "200",
    "state": "5",
    "ischeck": "0",
    "data": [
        {"time": "2026-03-02 09:30:00", "context": "派件中", "statusCode": "5", "areaCenter": "120.15,30.28"},
        {"time": "2026-03-01 20:00:00", "context": "已揽收", "statusCode": "103", "areaName": "上海,青浦区"},
    ],
}


async def test_a_waybill_has_number_children_and_a_label(desk: Kuaidi100Desk) -> None:
    cash, window = Money(19_90, CurrencyCode.CNY), PickupWindow(NOW, NOW + timedelta(hours=2))
    terms = replace(booking(parcels=3), cash=cash, pickup=window)

    booked = await desk.gateway.book(terms)

    assert (booked.number, booked.children) == ("YT0000000001", ["YT0000000001-1", "YT0000000001-2"])
    assert booked.label is not None
    assert (booked.label.format, booked.label.content) == (LabelFormat.HTML, b"<html>YT0000000001</html>")
    [order] = (await desk.control("state"))["orders"]
    assert order["reorder"] is False
    assert (order["orderId"], order["count"], order["needChild"]) == ("S1", 3, "1")
    assert (Decimal(order["weight"]), Decimal(order["collection"])) == (Decimal("3.75"), Decimal("19.90"))
    assert order["recMan"] == {
        "name": HANGZHOU.name,
        "mobile": HANGZHOU.phone,
        "printAddr": "浙江省杭州市西湖区文三路 1 号",
    }
    assert order["startGotTime"] == int(NOW.timestamp() * 1000)
    assert order["endGotTime"] - order["startGotTime"] == 2 * 60 * 60 * 1000


async def test_a_booking_that_timed_out_after_it_was_made_is_found_and_not_made_again(
    desk: Kuaidi100Desk,
) -> None:
    await desk.fault(WAYBILL, "hang")

    with pytest.raises(CarrierError) as failure:
        await desk.gateway.book(booking())
    found = await desk.gateway.find_booking(booking())
    again = await desk.gateway.book(booking())

    assert not isinstance(failure.value, CarrierNotReached)
    assert found is not None
    assert found.number == again.number == "YT0000000001"
    assert len((await desk.control("state"))["waybills"]) == 1


async def test_a_booking_that_kuaidi100_may_have_forgotten_is_not_made_again_to_find_it(
    desk: Kuaidi100Desk,
) -> None:
    asked = replace(booking(), asked_at=NOW - timedelta(hours=47))

    with pytest.raises(CarrierRefused, match="too long ago"):
        await desk.gateway.find_booking(asked)

    assert (await desk.control("state"))["waybills"] == {}


async def test_other_references_are_other_waybills_and_one_can_be_cancelled(desk: Kuaidi100Desk) -> None:
    first, second = await desk.gateway.book(booking("S1")), await desk.gateway.book(booking("S2"))

    await desk.gateway.cancel(booking("S1"), first.number)

    assert first.number != second.number
    assert (await desk.control("state"))["cancelled"] == [first.number]


@pytest.mark.parametrize("path", [WAYBILL, SUBSCRIBE, QUERY])
@pytest.mark.parametrize("fault", ["error", "nonsense", "list", "bomb", "huge"])
async def test_an_answer_that_is_none_leaves_the_outcome_unknown(
    desk: Kuaidi100Desk, path: str, fault: str
) -> None:
    await desk.fault(path, fault)

    calls: dict[str, Callable[[], Awaitable[object]]] = {
        WAYBILL: lambda: desk.gateway.book(booking()),
        SUBSCRIBE: lambda: desk.gateway.subscribe(tracked()),
        QUERY: lambda: desk.gateway.track(tracked()),
    }

    with pytest.raises(CarrierError) as failure:
        await calls[path]()

    assert not isinstance(failure.value, CarrierNotReached)


async def test_a_server_that_is_not_there_was_not_asked(desk: Kuaidi100Desk) -> None:
    nowhere = replace(
        desk.gateway, tracking_address="http://127.0.0.1:9", waybill_address="http://127.0.0.1:9"
    )

    for call in (nowhere.book(booking()), nowhere.subscribe(tracked()), nowhere.track(tracked())):
        with pytest.raises(CarrierNotReached):
            await call


async def test_a_wrong_key_is_a_refusal_that_names_no_secret(desk: Kuaidi100Desk) -> None:
    wrong = replace(desk.gateway, key="wrong-key", secret="wrong-secret")

    for call in (wrong.book(booking()), wrong.subscribe(tracked()), wrong.track(tracked())):
        with pytest.raises(CarrierRefused) as refusal:
            await call
        assert "wrong" not in str(refusal.value).replace("is wrong", "")


async def test_a_parcel_that_comes_back_is_known_by_the_phone_of_its_sender(desk: Kuaidi100Desk) -> None:
    sent = tracked()
    back = replace(sent.parcel, sender=sent.parcel.receiver, receiver=replace(sent.parcel.sender, phone=""))
    await desk.gateway.subscribe(replace(sent, parcel=back))

    [param] = (await desk.control("state"))["subscriptions"].values()
    assert param["parameters"]["phone"] == "8000"


async def test_without_a_secret_nothing_is_booked(desk: Kuaidi100Desk) -> None:
    gateway = replace(desk.gateway, secret="")

    assert (gateway.capabilities.books, gateway.capabilities.cancels) == (False, False)
    with pytest.raises(CarrierRefused):
        await gateway.book(booking())


async def test_subscribing_twice_is_done_once(desk: Kuaidi100Desk) -> None:
    await desk.gateway.subscribe(tracked())
    await desk.gateway.subscribe(tracked())

    [param] = (await desk.control("state"))["subscriptions"].values()
    assert (param["company"], param["number"]) == ("yuantong", "YT1")
    assert param["parameters"] == {
        "callbackurl": "http://shop/push",
        "salt": "a-salt-of-sixteen",
        "resultv2": "4",
        "autoCom": "1",
        "phone": "8000",
    }


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("700", CarrierRefused),
        ("701", CarrierRefused),
        ("702", CarrierRefused),
        ("600", CarrierRefused),
        ("601", CarrierRefused),
        ("500", CarrierError),
    ],
)
async def test_a_refused_subscription_is_named(
    desk: Kuaidi100Desk, code: str, error: type[Exception]
) -> None:
    await desk.fault(SUBSCRIBE, code)

    with pytest.raises(error, match=code):
        await desk.gateway.subscribe(tracked())


async def test_an_unknown_company_is_refused(desk: Kuaidi100Desk) -> None:
    with pytest.raises(CarrierRefused, match="702"):
        await desk.gateway.subscribe(tracked(account=replace(YTO, company_code="nobody")))


async def test_a_history_is_read_in_order_of_time(desk: Kuaidi100Desk) -> None:
    await desk.control("parcel", **HISTORY)

    first, second = await desk.gateway.track(tracked())

    assert (first.status, first.code, first.location) == (S.PICKED_UP, "103", "上海,青浦区")
    assert first.occurred_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert (second.status, second.latitude, second.longitude) == (S.OUT_FOR_DELIVERY, 30.28, 120.15)


async def test_nothing_known_yet_is_an_empty_history(desk: Kuaidi100Desk) -> None:
    assert await desk.gateway.track(tracked()) == []


async def test_a_locked_number_is_no_answer(desk: Kuaidi100Desk) -> None:
    await desk.control("parcel", **HISTORY)
    for _ in range(48):
        await desk.gateway.track(tracked())

    with pytest.raises(CarrierError, match="501"):
        await desk.gateway.track(tracked())


@pytest.mark.parametrize("data", [{}, "x"])
async def test_a_history_in_another_form_is_no_answer(desk: Kuaidi100Desk, data: Any) -> None:
    await desk.control("parcel", **(HISTORY | {"data": data}))

    with pytest.raises(CarrierError):
        await desk.gateway.track(tracked())


async def test_an_event_that_cannot_be_read_has_no_time_and_the_others_are_read(desk: Kuaidi100Desk) -> None:
    odd: list[Any] = [1, {"context": "x"}, {"time": "yesterday"}]
    known: Any = HISTORY["data"]
    await desk.control("parcel", **(HISTORY | {"data": odd + known}))

    events = await desk.gateway.track(tracked())

    assert [event.occurred_at == NO_TIME for event in events] == [True] * 3 + [False] * 2
    assert events[-1].status is S.OUT_FOR_DELIVERY


async def test_prices_are_asked_by_service_with_the_promise_of_the_one_that_is_booked(
    desk: Kuaidi100Desk,
) -> None:
    account = replace(YTO, service="特快")
    leaves_at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    quotes = await desk.gateway.quote(replace(booking(parcels=2), account=account, leaves_at=leaves_at))

    assert [(each.service, each.price, each.promised_at) for each in quotes] == [
        ("标准快递", Money(15_00, CurrencyCode.CNY), None),
        ("特快", Money(20_00, CurrencyCode.CNY), leaves_at + timedelta(days=2)),
    ]


async def test_a_carrier_without_prices_is_refused_and_an_unreadable_price_is_no_answer(
    desk: Kuaidi100Desk,
) -> None:
    with pytest.raises(CarrierRefused, match="30002"):
        await desk.gateway.quote(replace(booking(), account=replace(YTO, company_code="nobody")))
    await desk.fault(WAYBILL, "list")
    with pytest.raises(CarrierError):
        await desk.gateway.quote(booking())
