"""kuaidi100: one account for most carriers of China, which books, answers and pushes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import httpx
import structlog

from gateways.carrier.calls import TIMEOUT_SECONDS, fetch, post_form
from gateways.carrier.kuaidi100.pushes import read_push, sign_text
from gateways.carrier.kuaidi100.reports import (
    BEIJING,
    MOMENT,
    Unreadable,
    read_history,
    read_moment,
    text_of,
)
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
from models import CarrierConnection, CurrencyCode, LabelFormat, Money

log = structlog.get_logger()

SUBSCRIBED = frozenset({"200", "501"})
"""Agreed, and agreed before."""
REFUSALS: Mapping[str, str] = {
    "700": "the data of the subscription are wrong",
    "701": "this carrier is refused",
    "702": "this carrier is not recognised",
    "600": "the key is wrong or has no right to this",
    "601": "the key has expired",
}
QUERY_REFUSALS: Mapping[str, str] = {
    "400": "the data of the question are wrong",
    "408": "the phone number does not fit the parcel",
    "503": "the signature is wrong",
    "601": "the key has expired",
}
NOTHING_FOUND = "500"
"""At a question: it knows nothing of the number yet."""
BOOKINGS_KNOWN = timedelta(hours=47)
"""For how long a booking that is repeated is the same one: an hour less than kuaidi100 says."""
NUMBER_LENGTH = 32
PHONE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Kuaidi100:
    """The shop's account at kuaidi100."""

    client: httpx.AsyncClient
    key: str
    customer: str
    secret: str
    salt: str
    partner_keys: Mapping[str, str]
    tracking_address: str
    waybill_address: str
    push_url: str
    clock: Callable[[], datetime]
    timeout_seconds: float = TIMEOUT_SECONDS
    connection: CarrierConnection = field(default=CarrierConnection.KUAIDI100, init=False)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            books=bool(self.secret),
            quotes=bool(self.secret),
            cancels=bool(self.secret),
            tracks=True,
            pushes=True,
            many_parcels=True,
            picks_up=True,
            label_formats=frozenset({LabelFormat.HTML}),
        )

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        """A price for each service; the time it promises is that of the service that is booked."""
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        first, account = booking.parcels[0], booking.account
        weight = sum(each.weight_grams for each in booking.parcels) / 1000
        company = {"kuaidicom": account.company_code}
        places = {"sendAddr": place_of(first.sender), "recAddr": place_of(first.receiver)}
        prices = await self.call_waybills("price", {**company, **places, "weight": weight})
        return read_quotes(prices, account.service, await self.promise_of(booking))

    async def promise_of(self, booking: Booking) -> datetime | None:
        """When a parcel would arrive; None where kuaidi100 does not say it."""
        first, account = booking.parcels[0], booking.account
        leaves_at = (booking.leaves_at or self.clock()).astimezone(BEIJING)
        question = {
            "kuaidicom": account.company_code,
            "from": place_of(first.sender),
            "to": place_of(first.receiver),
            "orderTime": leaves_at.strftime(MOMENT),
            "expType": account.service,
        }
        try:
            answer = await self.call_waybills("time", question)
        except CarrierRefused as refusal:
            log.info("carrier.no_promise", reason=str(refusal))
            return None
        data = answer.get("data")
        text = text_of(data, "arrivalTime") if isinstance(data, dict) else ""
        try:
            return read_moment(text)
        except Unreadable:
            return None

    async def book(self, booking: Booking) -> BookedWaybill:
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        answer = await self.call_waybills("order", self.order_of(booking))
        data = answer.get("data")
        number = text_of(data, "kuaidinum") if isinstance(data, dict) else ""
        if not isinstance(data, dict) or not number:
            raise CarrierError("the answer has no number")
        children = [each.strip() for each in text_of(data, "childNum").split(",") if each.strip()]
        return BookedWaybill(number, children, await self.fetch_label(text_of(data, "label")))

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        """With `reorder` false, booking again answers what was booked before, for 48 hours; later it would
        book anew."""
        if booking.asked_at is not None and self.clock() - booking.asked_at >= BOOKINGS_KNOWN:
            raise CarrierRefused("It was asked for too long ago: ask kuaidi100 whether it is booked.")
        return await self.book(booking)

    async def cancel(self, booking: Booking, number: str) -> None:
        account = booking.account
        await self.call_waybills(
            "cancel",
            {
                **self.partner_of(account.account),
                "kuaidicom": account.company_code,
                "kuaidinum": number,
                "orderId": booking.reference,
                "reason": "不再需要",
            },
        )

    def partner_of(self, account: str) -> dict[str, object]:
        return {"partnerId": account, "partnerKey": self.partner_keys.get(account, "")}

    def order_of(self, booking: Booking) -> dict[str, object]:
        first, account = booking.parcels[0], booking.account
        order: dict[str, object] = {
            **self.partner_of(account.account),
            "printType": "HTML",
            "kuaidicom": account.company_code,
            "recMan": person_of(first.receiver),
            "sendMan": person_of(first.sender),
            "cargo": "商品",
            "count": len(booking.parcels),
            "weight": str(Decimal(sum(each.weight_grams for each in booking.parcels)) / 1000),
            "payType": "MONTHLY",
            "orderId": booking.reference,
            "reorder": False,  # by default each call books anew
            "needChild": "1" if len(booking.parcels) > 1 else "0",
        }
        if account.service:
            order["expType"] = account.service
        if booking.cash is not None:
            order["collection"] = str(booking.cash.amount)
        if booking.pickup is not None:
            order["startGotTime"] = milliseconds_of(booking.pickup.begins_at)
            order["endGotTime"] = milliseconds_of(booking.pickup.ends_at)
        return order

    async def call_waybills(self, method: str, param: Mapping[str, object]) -> dict[str, object]:
        if not self.secret:
            raise CarrierRefused("KUAIDI100_SECRET is not set.")
        text, moment = compact(param), str(int(self.clock().timestamp() * 1000))
        form = {
            "method": method,
            "key": self.key,
            "t": moment,
            "sign": sign_text(text + moment + self.key + self.secret),
            "param": text,
        }
        url = f"{self.waybill_address}/label/order"
        answer = await post_form(self.client, url, form, timeout_seconds=self.timeout_seconds)
        if answer.get("success") is True:
            return answer
        code = text_of(answer, "code") or text_of(answer, "returnCode")
        if not code or code.startswith("5"):
            raise CarrierError(f"kuaidi100 answers {code or 'nothing'}")
        raise CarrierRefused(f"{code}: {text_of(answer, 'message')}"[:200])

    async def fetch_label(self, url: str) -> Label | None:
        """The page to print; a waybill without it is booked all the same."""
        if not url:
            return None
        host, own = urlsplit(url).hostname or "", urlsplit(self.waybill_address).hostname
        if host != own and not host.endswith(".kuaidi100.com"):
            log.warning("carrier.label_elsewhere", host=host)
            return None
        try:
            content = await fetch(self.client, "GET", url, timeout_seconds=self.timeout_seconds)
        except CarrierError as error:
            log.warning("carrier.label_missing", error=str(error))
            return None
        return Label(LabelFormat.HTML, content)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        param = {
            "company": tracked.account.company_code,
            "number": tracked.tracking_number[:NUMBER_LENGTH],
            "from": place_of(tracked.parcel.sender),
            "to": place_of(tracked.parcel.receiver),
            "key": self.key,
            "parameters": {
                "callbackurl": self.push_url,
                "salt": self.salt,
                "resultv2": "4",
                "autoCom": "1",
                "phone": phone_of(tracked),
            },
        }
        form = {"schema": "json", "param": compact(param)}
        url = f"{self.tracking_address}/poll"
        answer = await post_form(self.client, url, form, timeout_seconds=self.timeout_seconds)
        code = text_of(answer, "returnCode")
        if code in REFUSALS:
            raise CarrierRefused(f"{code}: {REFUSALS[code]}")
        if code not in SUBSCRIBED:
            raise CarrierError(f"kuaidi100 answers {code or 'nothing'}")

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        param = compact(
            {
                "com": tracked.account.company_code,
                "num": tracked.tracking_number[:NUMBER_LENGTH],
                "phone": phone_of(tracked),
                "from": place_of(tracked.parcel.sender),
                "to": place_of(tracked.parcel.receiver),
                "resultv2": "4",
                "show": "0",
                "order": "desc",
            }
        )
        form = {
            "customer": self.customer,
            "sign": sign_text(param + self.key + self.customer),
            "param": param,
        }
        url = f"{self.tracking_address}/poll/query.do"
        answer = await post_form(self.client, url, form, timeout_seconds=self.timeout_seconds)
        if code := text_of(answer, "returnCode"):
            if code == NOTHING_FOUND:
                return []
            if code in QUERY_REFUSALS:
                raise CarrierRefused(f"{code}: {QUERY_REFUSALS[code]}")
            raise CarrierError(f"kuaidi100 answers {code}")
        try:
            return read_history(answer)
        except Unreadable as error:
            raise CarrierError(str(error)) from None

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        return [read_push(request, salt=self.salt)]

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        taken = verdict is PushVerdict.ACCEPTED
        body = {
            "result": taken,
            "returnCode": "200" if taken else "500",
            "message": "成功" if taken else "失败",
        }
        status = 200 if taken else 503 if verdict is PushVerdict.RETRY else 400
        return PushAnswer(status, compact(body).encode(), {"content-type": "application/json"})


def read_quotes(
    answer: Mapping[str, object], booked: str, promised_at: datetime | None
) -> list[CarrierQuote]:
    """The prices of an answer, in yuan, by service; CarrierError where it has none that can be read."""
    data = answer.get("data")
    combos = data.get("combos") if isinstance(data, dict) else None
    quotes = []
    for each in combos if isinstance(combos, list) else []:
        try:
            price = Money.of(Decimal(str(each["price"])), CurrencyCode.CNY)
        except (TypeError, KeyError, ValueError, ArithmeticError):
            raise CarrierError("a price cannot be read") from None
        service = text_of(each, "expType")
        quotes.append(CarrierQuote(service, price, promised_at if service == booked or not booked else None))
    if not quotes:
        raise CarrierError("the answer has no price")
    return quotes


def person_of(place: CarrierAddress) -> dict[str, str]:
    return {"name": place.name, "mobile": place.phone, "printAddr": place_of(place)}


def place_of(place: CarrierAddress) -> str:
    return "".join((place.province, place.city, place.district, place.line1))


def phone_of(tracked: TrackedParcel) -> str:
    """The last digits of the receiver's phone, else of the sender's: some carriers tell nobody else."""
    phone = tracked.parcel.receiver.phone or tracked.parcel.sender.phone
    digits = "".join(char for char in phone if char.isdigit())
    return digits[-PHONE_DIGITS:]


def milliseconds_of(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def compact(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
