"""SF Express: orders, sub-mail numbers, questions and pushes of one account."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from hashlib import md5
from urllib.parse import quote_plus
from uuid import uuid4

import httpx

from gateways.carrier.calls import TIMEOUT_SECONDS, post_form
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierAddress,
    CarrierError,
    CarrierEvent,
    CarrierQuote,
    CarrierRefused,
    Label,
    PushAnswer,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from gateways.carrier.sf_express.routes import BEIJING, MOMENT, UnreadableRoute, member, read_push, read_route
from models import CarrierConnection, CurrencyCode, LabelFormat, Money

UNDERSTOOD = "A1000"
PLATFORM_FAILED = "A1099"
DONE_BEFORE = "8016"
"""There is an order of this number already."""
NO_SUCH_ORDER = "8024"
SENDER, RECEIVER = 1, 2
MOTHER = "1"
CONFIRM_CANCEL = 2
"""What an update of an order is to do: cancel it."""
PHONE_DIGITS = 4
CALL_COURIER = 1
"""Whether a courier is to come: they come to a monthly customer as always without it."""
PRINT_JOB_KIND = "SF_ROUTE_LABEL"


@dataclass(frozen=True, slots=True)
class SfExpress:
    """The shop's account at SF Express; the order's number makes every booking repeatable."""

    client: httpx.AsyncClient
    partner_id: str
    check_word: str
    push_key: str
    address: str
    clock: Callable[[], datetime]
    timeout_seconds: float = TIMEOUT_SECONDS
    connection: CarrierConnection = field(default=CarrierConnection.SF_EXPRESS, init=False)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            books=True,
            quotes=True,
            cancels=True,
            tracks=True,
            pushes=bool(self.push_key),
            many_parcels=True,
            picks_up=True,
            label_formats=frozenset({LabelFormat.PRINT_JOB}),
        )

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        """What each service costs by the monthly account, and when it would arrive."""
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        first = booking.parcels[0]
        content = {
            "businessType": booking.account.service,
            "weight": sum(each.weight_grams for each in booking.parcels) / 1000,
            "consignedTime": (booking.leaves_at or self.clock()).astimezone(BEIJING).strftime(MOMENT),
            "searchPrice": "1",
            "srcAddress": place_of(first.sender),
            "destAddress": place_of(first.receiver),
        }
        _, data = await self.call("EXP_RECE_QUERY_DELIVERTM", content)
        listed = data.get("deliverTmDto")
        found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        return [quote for each in found if (quote := read_quote(each))]

    async def book(self, booking: Booking) -> BookedWaybill:
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        code, data = await self.call("EXP_RECE_CREATE_ORDER", order_of(booking), DONE_BEFORE)
        if code == DONE_BEFORE:
            found = await self.find_booking(booking)
            if found is None:
                raise CarrierError("SF has the order, and does not find it")
            return await self.with_children(booking, found)
        return await self.with_children(booking, read_waybill(data))

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        content = {"searchType": "1", "orderId": booking.reference, "language": "zh-CN"}
        code, data = await self.call("EXP_RECE_SEARCH_ORDER_RESP", content, NO_SUCH_ORDER)
        return None if code == NO_SUCH_ORDER else await self.with_children(booking, read_waybill(data))

    async def with_children(self, booking: Booking, waybill: BookedWaybill) -> BookedWaybill:
        """A waybill with a number for each parcel; those that did not come with the order are asked for."""
        missing = len(booking.parcels) - 1 - len(waybill.children)
        if missing <= 0:
            return waybill
        content = {"orderId": booking.reference, "parcelQty": missing}
        _, data = await self.call("EXP_RECE_GET_SUB_MAILNO", content)
        return replace(waybill, children=[*waybill.children, *list_children(data)])

    async def cancel(self, booking: Booking, number: str) -> None:
        content = {
            "dealType": CONFIRM_CANCEL,
            "orderId": booking.reference,
            "language": "zh-CN",
            "waybillNoInfoList": [{"waybillType": 1, "waybillNo": number}],
        }
        await self.call("EXP_RECE_UPDATE_ORDER", content)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        """SF pushes all parcels of the account to the address that is entered at its platform."""

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        phone = tracked.parcel.receiver.phone or tracked.parcel.sender.phone
        digits = "".join(char for char in phone if char.isdigit())
        content = {
            "language": "zh-CN",
            "trackingType": "1",
            "trackingNumber": [tracked.tracking_number],
            "methodType": "1",
            "checkPhoneNo": digits[-PHONE_DIGITS:],
        }
        _, data = await self.call("EXP_RECE_SEARCH_ROUTES", content)
        found = data.get("routeResps")
        if not isinstance(found, list):
            raise CarrierError("the answer has no steps")
        own = [
            each.get("routes") or []
            for each in found
            if isinstance(each, dict) and member(each, "mailNo") == tracked.tracking_number
        ]
        try:
            events = [read_route(route) for routes in own for route in routes]
        except (UnreadableRoute, TypeError) as error:
            raise CarrierError(str(error)) from None
        return sorted(events, key=lambda event: event.occurred_at)

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        return read_push(request, key=self.push_key)

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        code, message = ("0000", "成功") if verdict is PushVerdict.ACCEPTED else ("1000", "失败")
        status = {PushVerdict.ACCEPTED: 200, PushVerdict.REFUSED: 400, PushVerdict.RETRY: 503}[verdict]
        body = json.dumps({"return_code": code, "return_msg": message}, ensure_ascii=False)
        return PushAnswer(status, body.encode(), {"content-type": "application/json"})

    async def call(
        self, service: str, content: Mapping[str, object], *also_understood: str
    ) -> tuple[str, dict[str, object]]:
        """The code of an answer, empty for success, and its data; CarrierRefused for any other code."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        moment = str(int(self.clock().timestamp()))
        form = {
            "partnerID": self.partner_id,
            "requestID": str(uuid4()),
            "serviceCode": service,
            "timestamp": moment,
            "msgDigest": digest(text, moment, self.check_word),
            "msgData": text,
        }
        url = f"{self.address}/std/service"
        answer = await post_form(self.client, url, form, timeout_seconds=self.timeout_seconds)
        platform = member(answer, "apiResultCode")
        if platform in {"", PLATFORM_FAILED}:
            raise CarrierError(f"SF answers {platform or 'nothing'}")
        if platform != UNDERSTOOD:
            raise CarrierRefused(f"{platform}: {member(answer, 'apiErrorMsg')}"[:200])
        result = read_object(answer.get("apiResultData"))
        if result.get("success") is True:
            data = result.get("msgData")
            return "", data if isinstance(data, dict) else {}
        code = member(result, "errorCode")
        if code in also_understood:
            return code, {}
        if not code:
            raise CarrierError("the answer says neither yes nor no")
        raise CarrierRefused(f"{code}: {member(result, 'errorMsg')}"[:200])


def digest(text: str, moment: str, check_word: str) -> str:
    """SF's signature: of the text, the time and the secret, encoded as in a form."""
    signed = quote_plus(text + moment + check_word).encode()
    return b64encode(md5(signed, usedforsecurity=False).digest()).decode()


def read_object(text: object) -> dict[str, object]:
    """The result, which is an object within a text."""
    try:
        content = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise CarrierError("the answer has no result")
    return content


def order_of(booking: Booking) -> dict[str, object]:
    first, account = booking.parcels[0], booking.account
    order: dict[str, object] = {
        "language": "zh-CN",
        "orderId": booking.reference,
        "cargoDetails": [{"name": "商品", "count": len(booking.parcels)}],
        "contactInfoList": [contact_of(first.sender, SENDER), contact_of(first.receiver, RECEIVER)],
        "monthlyCard": account.account,
        "payMethod": 1,
        "expressTypeId": account.service or "1",
        "parcelQty": len(booking.parcels),
        "totalWeight": sum(each.weight_grams for each in booking.parcels) / 1000,
        "isReturnRoutelabel": 1,
    }
    if booking.cash is not None:
        order["serviceList"] = [{"name": "COD", "value": str(booking.cash.amount), "value1": account.account}]
    if booking.pickup is not None:
        order["sendStartTm"] = booking.pickup.begins_at.astimezone(BEIJING).strftime(MOMENT)
        order["isDocall"] = CALL_COURIER
    return order


def read_quote(item: Mapping[str, object]) -> CarrierQuote | None:
    """One service; None where it has no price. Times are a range, of which the later end is the promise."""
    if item.get("fee") is None:
        return None
    try:
        price = Money.of(Decimal(str(item["fee"])), CurrencyCode.CNY)
    except (ValueError, ArithmeticError):
        raise CarrierError("a price cannot be read") from None
    latest = member(item, "deliverTime").split(",")[-1]
    try:
        promised_at = datetime.strptime(latest, MOMENT).replace(tzinfo=BEIJING) if latest else None
    except ValueError:
        promised_at = None
    return CarrierQuote(member(item, "businessType"), price, promised_at)


def place_of(place: CarrierAddress) -> dict[str, str]:
    return {
        "province": place.province,
        "city": place.city,
        "district": place.district,
        "address": place.line1,
    }


def contact_of(place: CarrierAddress, kind: int) -> dict[str, object]:
    return {
        "contactType": kind,
        "contact": place.name,
        "tel": place.phone,
        "country": "CN",
        "province": place.province,
        "city": place.city,
        "county": place.district,
        "address": place.line1,
    }


def read_waybill(data: Mapping[str, object]) -> BookedWaybill:
    """Mother and child numbers of an order, and what its label must show; CarrierError without a number."""
    mothers = [member(each, "waybillNo") for each in list_numbers(data) if is_mother(each)]
    if not mothers or not mothers[0]:
        raise CarrierError("the answer has no number")
    label = None
    if routes := data.get("routeLabelInfo"):
        content = json.dumps(routes, ensure_ascii=False).encode()
        label = Label(LabelFormat.PRINT_JOB, content, kind=PRINT_JOB_KIND)
    return BookedWaybill(mothers[0], list_children(data), label)


def list_children(data: Mapping[str, object]) -> list[str]:
    """The numbers of further parcels, in SF's order."""
    return [member(each, "waybillNo") for each in list_numbers(data) if not is_mother(each)]


def list_numbers(data: Mapping[str, object]) -> list[dict[str, object]]:
    listed = data.get("waybillNoInfoList")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def is_mother(number: Mapping[str, object]) -> bool:
    return member(number, "waybillType") == MOTHER
