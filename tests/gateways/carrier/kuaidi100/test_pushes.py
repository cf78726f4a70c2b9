"""Pushes of kuaidi100 are verified over the text as it came; real ones are read as they were sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlencode

import httpx
import pytest

from gateways.carrier.kuaidi100.pushes import sign_text, unquote_field
from gateways.carrier.protocol import PushRefused, PushRequest, PushVerdict, TrackingPush
from models import ShipmentStatus as S
from tests.gateways.carrier.kuaidi100.desk import NOW, SALT, open_desk
from tests.gateways.carrier.kuaidi100.samples import ABORTED, DELIVERED_2017, DELIVERED_2020

GATEWAY = open_desk(httpx.AsyncClient(), "http://127.0.0.1:9").gateway


def pushed(content: object, *, salt: str = SALT, sign: str | None = None) -> PushRequest:
    param = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    form = {"param": param, "sign": sign_text(param + salt) if sign is None else sign}
    return PushRequest({}, urlencode(form).encode(), NOW)


def read(content: object) -> TrackingPush:
    [push] = GATEWAY.read_push(pushed(content))
    return push


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"%E5%BF%AB+%e4%BB%B6%2B%25%3D=", "快 件+%=="),
        (b"%", "%"),
        (b"%%41", "%A"),
        (b"a%4", "a%4"),
        (b"%zz%41=3D", "%zzA=3D"),
        (b"%41%\nB%41", "A%\nBA"),
        (b"x=\r\ny", "x=\r\ny"),
    ],
)
def test_the_values_of_a_form_are_decoded_and_what_is_no_escape_stays(value: bytes, text: str) -> None:
    assert unquote_field(value) == text == unquote_plus(value.decode())


def test_a_push_of_2017_without_codes_says_of_the_newest_event_only_where_the_parcel_is() -> None:
    push = read(DELIVERED_2017)

    assert (push.tracking_number, push.company_code, push.has_ended) == ("3805420027268", "yunda", True)
    assert [event.status for event in push.events] == [None] * 9 + [S.DELIVERED]
    assert [event.code for event in push.events] == [""] * 9 + ["3"]
    assert push.events[0].occurred_at == datetime(2017, 8, 5, 5, 51, 4, tzinfo=UTC)
    assert push.events[-1].description.endswith("已签收 签收")


def test_a_push_of_2020_with_names_of_states_is_mapped_by_them() -> None:
    push = read(DELIVERED_2020)

    assert push.has_ended is False
    assert [event.status for event in push.events][-3:] == [S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]
    assert push.events[0].status in {S.PICKED_UP, S.IN_TRANSIT}
    assert push.events[-2].location == "广东,深圳市,宝安区,沙井"
    assert [event.occurred_at for event in push.events] == sorted(event.occurred_at for event in push.events)


def test_a_number_that_was_never_heard_of_is_subscribed_again() -> None:
    push = read(ABORTED)

    assert (push.has_ended, list(push.events)) == (True, [])
    assert push.subscribe_again


def test_a_parcel_that_rests_for_sixty_days_is_given_up_once() -> None:
    content = DELIVERED_2020 | {"status": "abort", "message": "60天无变化"}
    content["lastResult"] = content["lastResult"] | {"state": "0", "data": content["lastResult"]["data"][1:]}

    first, again = (
        read(content),
        GATEWAY.read_push(replace(pushed(content), received_at=NOW.replace(hour=20)))[0],
    )

    assert first.events[-1].status is S.EXPIRED
    assert first == again
    assert first.subscribe_again is False


def test_a_parcel_that_another_carrier_has_keeps_its_subscription() -> None:
    push = read(ABORTED | {"comOld": "yunda", "comNew": "yuantong"})

    assert (push.company_code, push.new_company_code, push.subscribe_again) == ("yunda", "yuantong", False)


def test_what_was_not_signed_with_the_salt_is_refused() -> None:
    text = json.dumps(DELIVERED_2020)

    for request in (
        pushed(text, salt="another-salt"),
        pushed(text, salt=""),
        pushed(text, sign=""),
        pushed(text, sign="é"),
        PushRequest({}, urlencode({"param": text}).encode(), NOW),
        PushRequest({}, b"\xff\xfe", NOW),
        PushRequest({}, b"", NOW),
    ):
        with pytest.raises(PushRefused):
            GATEWAY.read_push(request)


def test_without_a_salt_nothing_is_taken_though_it_is_signed() -> None:
    with pytest.raises(PushRefused, match="salt"):
        replace(GATEWAY, salt="").read_push(pushed(DELIVERED_2020, salt=""))


def test_the_signature_is_of_the_text_as_it_came_and_not_of_what_it_means() -> None:
    spaced = json.dumps(DELIVERED_2020, indent=1)

    [push] = GATEWAY.read_push(pushed(spaced))

    assert push == read(DELIVERED_2020)
    with pytest.raises(PushRefused):
        GATEWAY.read_push(pushed(spaced, sign=sign_text(json.dumps(DELIVERED_2020) + SALT)))


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        "{",
        "[" * 100_000,
        {"status": "polling"},
        {"lastResult": []},
        {"lastResult": {"nu": "", "data": []}},
        {"lastResult": {"nu": "1", "data": {"a": 1}}},
    ],
)
def test_what_cannot_be_read_is_refused_by_name(content: Any) -> None:
    with pytest.raises(PushRefused):
        GATEWAY.read_push(pushed(content))


def test_a_code_in_no_table_is_kept_as_it_came() -> None:
    event = {"time": "2026-03-01 09:00:00", "context": "外星转运", "statusCode": "9999", "status": "外星"}
    push = read(
        {"status": "polling", "lastResult": {"nu": "1", "com": "yunda", "state": "77", "data": [event]}}
    )

    assert [(each.status, each.code) for each in push.events] == [(None, "9999")]


def test_answers_are_in_the_form_that_stops_or_repeats_a_push() -> None:
    answers = {verdict: GATEWAY.answer(verdict) for verdict in PushVerdict}

    assert json.loads(answers[PushVerdict.ACCEPTED].body) == {
        "result": True,
        "returnCode": "200",
        "message": "成功",
    }
    assert {verdict.value: answer.status for verdict, answer in answers.items()} == {
        "ACCEPTED": 200,
        "REFUSED": 400,
        "RETRY": 503,
    }
    assert json.loads(answers[PushVerdict.RETRY].body)["result"] is False
