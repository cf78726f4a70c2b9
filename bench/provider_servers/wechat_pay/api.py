"""The API of WeChat Pay: verifies the signature of each request and signs each answer, faults apart."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bench.provider_servers.wechat_pay.bill import announce_bill, download_bill
from bench.provider_servers.wechat_pay.book import Order, Refund
from bench.provider_servers.wechat_pay.keys import APP_ID, MERCHANT_ID, MOBILE_APP_ID, PUBLIC_KEY_ID
from bench.provider_servers.wechat_pay.notices import queue_refund_notice
from bench.provider_servers.wechat_pay.problems import Refusal
from bench.provider_servers.wechat_pay.state import ServerState, describe_order, describe_refund, new_id

AUTHORIZATION = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="([0-9A-Za-z_\-]{16,32})",timestamp="(\d+)",'
    r'serial_no="([0-9A-F]+)",signature="([0-9A-Za-z+/=]+)"'
)
REFERENCE = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
REFUND_REFERENCE = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")
NOTIFY_URL = re.compile(r"https?://[^/?#]+/[^?#]+")
AGE_LIMIT = timedelta(minutes=5)
HANG_SECONDS = 120.0

TRADE_TYPES = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI", "app": "APP"}

Content = Mapping[str, object]
Handler = Callable[[ServerState, Request, Content], Content | bytes | None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Verifies, acts and answers as one operation of the API."""

    state: ServerState
    handler: Handler

    async def __call__(self, request: Request) -> Response:
        state, path = self.state, request.url.path
        state.calls[f"{request.method} {path}"] += 1
        fault = state.next_fault(path)
        name = fault.fault if fault else ""
        if fault and name == "slow":
            await asyncio.sleep(fault.seconds)
        if name == "server_error":
            return self.answer(request, 500, problem("SYSTEM_ERROR", "try again"))
        if name == "frequency":
            return self.answer(request, 429, problem("FREQUENCY_LIMITED", "too often"))
        if name == "forged_refusal":
            return self.answer(request, 404, problem("ORDER_NOT_EXIST", "none"), "wrong_signature")
        status, body = self.act(request, await request.body())
        if name == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault and name == "slow_after":
            await asyncio.sleep(fault.seconds)
        if name == "drop":
            return DroppedResponse()
        if name == "error_after":
            status, body = 500, problem("SYSTEM_ERROR", "try again")
        if name == "nonsense":
            status, body = 200, b"<html>maintenance</html>"
        return self.answer(request, status, body, name)

    def act(self, request: Request, body: bytes) -> tuple[int, bytes]:
        try:
            verify_request(self.state, request, body)
            answer = self.handler(self.state, request, read_json(body) if body else {})
        except Refusal as refusal:
            return refusal.status, problem(refusal.code, refusal.message)
        if isinstance(answer, bytes):
            return 200, answer
        return (204, b"") if answer is None else (200, dump(answer))

    def answer(self, request: Request, status: int, body: bytes, fault: str = "") -> Response:
        asked = request.headers.get("wechatpay-serial")
        age = {"stale": timedelta(minutes=10), "ahead": timedelta(minutes=-10)}.get(fault, timedelta())
        headers = self.state.sign(body, by_public_key=asked == PUBLIC_KEY_ID, age=age)
        if fault == "wrong_signature":
            headers["Wechatpay-Signature"] = spoil(headers["Wechatpay-Signature"])
        if fault == "probe":
            headers["Wechatpay-Signature"] = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]
        if fault == "unsigned" or request.url.path == "/v3/billdownload/file":
            headers = {}
        kind = "application/x-gzip" if body.startswith(b"\x1f\x8b") else "application/json"
        return Response(body, status, headers | ({"Content-Type": kind} if body else {}))


class DroppedResponse(Response):
    """Announces ten bytes and sends none: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def verify_request(state: ServerState, request: Request, body: bytes) -> None:
    """Refuse with 401 unless the merchant has signed exactly this, now, and once."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise Refusal(401, "SIGN_ERROR", "no Authorization")
    merchant_id, nonce, timestamp, serial, signature = found.groups()
    if (merchant_id, serial) != (MERCHANT_ID, state.keys.merchant_serial):
        raise Refusal(401, "SIGN_ERROR", "another merchant or certificate")
    if abs(state.now().timestamp() - int(timestamp)) > AGE_LIMIT.total_seconds():
        raise Refusal(401, "SIGN_ERROR", "the timestamp is not of now")
    if nonce in state.nonces:
        raise Refusal(401, "SIGN_ERROR", "the nonce was used")
    target = request.scope["raw_path"] + (b"?" + query if (query := request.scope["query_string"]) else b"")
    signed = b"\n".join((request.method.encode(), target, timestamp.encode(), nonce.encode(), body)) + b"\n"
    try:
        state.keys.merchant_key.public_key().verify(
            base64.b64decode(signature, validate=True), signed, PKCS1v15(), SHA256()
        )
    except (InvalidSignature, binascii.Error):
        raise Refusal(401, "SIGN_ERROR", "the signature is wrong") from None
    if request.headers.get("accept") != "application/json" or not request.headers.get("user-agent"):
        raise Refusal(406, "INVALID_REQUEST", "Accept and User-Agent are necessary")
    if body and request.headers.get("content-type") != "application/json":
        raise Refusal(415, "INVALID_REQUEST", "the body must be JSON")
    if request.headers.get("wechatpay-serial", PUBLIC_KEY_ID) != PUBLIC_KEY_ID:
        raise Refusal(400, "PARAM_ERROR", "an unknown key")
    state.nonces.add(nonce)


def start_order(state: ServerState, request: Request, content: Content) -> Content:
    kind = request.path_params["kind"]
    if kind not in TRADE_TYPES:
        raise Refusal(404, "NOT_FOUND", "no such interface")
    order = read_order(state, kind, content)
    known = find_order(state, order.reference)
    if known is not None:
        if known.request != order.request:
            raise Refusal(403, "OUT_TRADE_NO_USED", "the number was used for another order")
        if known.state in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "the order was paid")
        if known.state == "CLOSED":
            raise Refusal(400, "ORDER_CLOSED", "the order is closed")
        known.prepay_id = order.prepay_id
        order = known
    state.book.save(order)
    if kind == "native":
        return {"code_url": f"weixin://wxpay/bizpayurl?pr={order.prepay_id[-10:]}"}
    if kind == "h5":
        return {"h5_url": f"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={order.prepay_id}"}
    return {"prepay_id": order.prepay_id}


def read_order(state: ServerState, kind: str, content: Content) -> Order:
    """The order that a request describes; PARAM_ERROR where something is missing or wrong."""
    amount, payer = part(content, "amount"), part(content, "payer")
    expires_at, description = str(content.get("time_expire")), content.get("description")
    app_id = MOBILE_APP_ID if kind == "app" else APP_ID
    if content.get("mchid") != MERCHANT_ID or content.get("appid") != app_id:
        raise Refusal(400, "APPID_MCHID_NOT_MATCH", "app and merchant do not belong together")
    require(isinstance(description, str) and 0 < len(description.encode()) <= 127, "description")
    require(REFERENCE.fullmatch(str(content.get("out_trade_no"))), "out_trade_no")
    require(RFC3339.fullmatch(expires_at) and datetime.fromisoformat(expires_at) > state.now(), "time_expire")
    require(NOTIFY_URL.fullmatch(str(content.get("notify_url"))), "notify_url")
    require(type(amount.get("total")) is int and int(str(amount["total"])) > 0, "amount.total")
    require(amount.get("currency") == "CNY", "amount.currency")
    scene = part(content, "scene_info")
    require(
        kind != "h5" or (scene.get("payer_client_ip") and part(scene, "h5_info").get("type")), "scene_info"
    )
    require(kind != "jsapi" or payer.get("openid"), "payer.openid")
    return Order(
        reference=str(content["out_trade_no"]),
        request=json.dumps(content, sort_keys=True),
        channel=TRADE_TYPES[kind],
        app_id=app_id,
        total=int(str(amount["total"])),
        notify_url=str(content["notify_url"]),
        expires_at=expires_at,
        description=str(description),
        prepay_id=new_id("wx", 36),
        openid=str(payer.get("openid") or "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    )


def query_order(state: ServerState, request: Request, content: Content) -> Content:
    require(request.query_params.get("mchid") == MERCHANT_ID, "mchid")
    return describe_order(get_order(state, request.path_params["reference"]))


def close_order(state: ServerState, request: Request, content: Content) -> None:
    require(content == {"mchid": MERCHANT_ID}, "mchid")
    order = get_order(state, request.path_params["reference"])
    if order.state in ("SUCCESS", "REFUND"):
        raise Refusal(400, "ORDERPAID", "the order was paid")
    if order.state == "CLOSED":
        raise Refusal(400, "ORDER_CLOSED", "the order is closed")
    order.state = "CLOSED"
    state.book.save(order)


def start_refund(state: ServerState, request: Request, content: Content) -> Content:
    reference, amount = str(content.get("out_refund_no")), part(content, "amount")
    require(REFUND_REFERENCE.fullmatch(reference), "out_refund_no")
    require(type(amount.get("refund")) is int and type(amount.get("total")) is int, "amount")
    require(amount.get("currency") == "CNY", "amount.currency")
    require(NOTIFY_URL.fullmatch(str(content.get("notify_url"))), "notify_url")
    require(len(str(content.get("reason", "")).encode()) <= 80, "reason")
    part_of, whole = int(str(amount["refund"])), int(str(amount["total"]))
    order = find_order(state, str(content.get("out_trade_no")))
    if order is None or not order.transaction_id:
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "no such paid order")
    known = state.book.refunds.get(reference)
    if known is None:
        require(whole == order.total and part_of > 0, "amount.total")
        if part_of > order.total - state.book.refunded(order.reference):
            raise Refusal(400, "INVALID_REQUEST", "more than is left of the order")
        if state.refund_status == "NOT_ENOUGH":
            raise Refusal(403, "NOT_ENOUGH", "the merchant's balance does not suffice")
        known = add_refund(state, order, reference, part_of, str(content["notify_url"]))
    elif (known.order, known.amount) != (order.reference, part_of):
        raise Refusal(400, "INVALID_REQUEST", "the number was used for another refund")
    return describe_refund(known, order, status_name="status")


def add_refund(state: ServerState, order: Order, reference: str, amount: int, notify_url: str) -> Refund:
    now = state.now().isoformat(timespec="seconds")
    refund = Refund(reference, order.reference, amount, order.total, new_id("503", 29), notify_url, now)
    refund.status = state.refund_status
    order.state = "REFUND"
    state.book.save(order)
    if refund.status == "PROCESSING":
        state.book.save(refund)
    else:
        settle_refund(state, refund, refund.status)
    return refund


def settle_refund(state: ServerState, refund: Refund, status: str) -> None:
    """End a refund and tell the merchant."""
    refund.status = status
    refund.settled_at = state.now().isoformat(timespec="seconds") if status == "SUCCESS" else ""
    state.book.save(refund)
    queue_refund_notice(state, refund)


def query_refund(state: ServerState, request: Request, content: Content) -> Content:
    refund = state.book.refunds.get(request.path_params["reference"])
    if refund is None:
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "no such refund")
    return describe_refund(refund, state.book.orders[refund.order], status_name="status")


def list_certificates(state: ServerState, request: Request, content: Content) -> Content:
    return {
        "data": [
            {
                "serial_no": each.serial,
                "effective_time": each.certificate.not_valid_before_utc.isoformat(),
                "expire_time": each.certificate.not_valid_after_utc.isoformat(),
                "encrypt_certificate": state.keys.encrypt(each.pem, "certificate"),
            }
            for each in state.keys.certificates
        ]
    }


def get_order(state: ServerState, reference: str) -> Order:
    order = find_order(state, reference)
    if order is None:
        raise Refusal(404, "ORDER_NOT_EXIST", "no such order")
    return order


def find_order(state: ServerState, reference: str) -> Order | None:
    order = state.book.orders.get(reference)
    if order is not None:
        order.expire(state.now())
    return order


def require(condition: object, name: str) -> None:
    if not condition:
        raise Refusal(400, "PARAM_ERROR", f"{name} is wrong")


def part(content: Content, name: str) -> Content:
    found = content.get(name, {})
    require(isinstance(found, dict), name)
    assert isinstance(found, dict)
    return found


def read_json(body: bytes) -> Content:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    require(isinstance(content, dict), "body")
    assert isinstance(content, dict)
    return content


def dump(content: Content) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def problem(code: str, message: str) -> bytes:
    return dump({"code": code, "message": message})


def spoil(signature: str) -> str:
    """Another signature, of the right form."""
    return ("A" if signature[0] != "A" else "B") + signature[1:]


def api_routes(state: ServerState) -> list[Route]:
    def serve(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        endpoint = Endpoint(state, handler)

        async def answer(request: Request) -> Response:
            return await endpoint(request)

        return answer

    orders = "/v3/pay/transactions/out-trade-no/{reference}"
    return [
        Route("/v3/pay/transactions/{kind}", serve(start_order), methods=["POST"]),
        Route(orders, serve(query_order), methods=["GET"]),
        Route(f"{orders}/close", serve(close_order), methods=["POST"]),
        Route("/v3/refund/domestic/refunds", serve(start_refund), methods=["POST"]),
        Route("/v3/refund/domestic/refunds/{reference}", serve(query_refund), methods=["GET"]),
        Route("/v3/certificates", serve(list_certificates), methods=["GET"]),
        Route("/v3/bill/tradebill", serve(announce_bill), methods=["GET"]),
        Route("/v3/billdownload/file", serve(download_bill), methods=["GET"]),
    ]
