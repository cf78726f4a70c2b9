"""Alipay's gateway: verifies requests strictly, signs answers and notices, errs when told to."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.provider_servers.alipay.book import MOMENT, Book, Refund, Trade, beijing_now, describe_trade
from bench.provider_servers.alipay.keys import is_signed, keep_key, sign
from bench.provider_servers.alipay.statement import write_trade_bill

SLOW_SECONDS = 5.0
"""How long a slow answer takes: shorter than the shop waits."""

APP_ID = "2021000118612345"
SELLER_ID = "2088102146225135"

HANG_SECONDS = 30.0
NOTICE_PAUSES = (0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Between the sendings of a notice that is not answered with success; Alipay's own are 4 minutes and more."""

REQUIRED = {"app_id", "method", "charset", "sign_type", "sign", "timestamp", "version", "biz_content"}
PAGES = {
    "alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY",
    "alipay.trade.wap.pay": "QUICK_WAP_WAY",
    "alipay.trade.app.pay": "QUICK_MSECURITY_PAY",
}

Content = dict[str, str]
Answer = dict[str, object]


class Refused(Exception):
    """A request that is refused with a code and a sub_code."""

    def __init__(self, sub_code: str, code: str = "40004") -> None:
        super().__init__(sub_code)
        self.answer: Answer = {
            "code": code,
            "msg": "Business Failed",
            "sub_code": sub_code,
            "sub_msg": "拒绝",
        }


@dataclass
class Server:
    """One merchant with one app at Alipay; `other` is the key of somebody else."""

    book: Book
    own: rsa.RSAPrivateKey
    app: rsa.RSAPrivateKey
    other: rsa.RSAPrivateKey
    address: str
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Fault and method ("" for any) of calls to come; each is met once."""
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    notice_ids: dict[str, str] = field(default_factory=dict)
    bills: dict[str, str] = field(default_factory=dict)
    pending_refunds: dict[str, tuple[str, Refund]] = field(default_factory=dict)

    async def answer_call(self, request: Request) -> Response:
        """POST /gateway.do"""
        parameters = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if "charset" in request.query_params:
            parameters["charset"] = request.query_params["charset"]
        method = parameters.get("method", "")
        fault = self.take_fault(method)
        if fault == "SERVER_ERROR":
            return Response(status_code=500)
        answer = self.perform(method, parameters, fault)
        if fault == "ACT_THEN_HANG":
            await asyncio.sleep(HANG_SECONDS)
        if fault == "SLOW":
            await asyncio.sleep(SLOW_SECONDS)
        if fault == "NONSENSE":
            return Response("<html>服务繁忙</html>", media_type="text/html")
        return self.sign_answer(method, answer, fault)

    def perform(self, method: str, parameters: Content, fault: str) -> Answer:
        try:
            content = self.read_request(parameters)
            if fault == "SYSTEM_ERROR":
                raise Refused("ACQ.SYSTEM_ERROR")
            if fault.startswith(("ACQ.", "isp.")):
                raise Refused(fault)
            return {"code": "10000", "msg": "Success"} | self.methods[method](content, parameters, fault)
        except Refused as refused:
            return refused.answer

    @property
    def methods(self) -> Mapping[str, Callable[[Content, Content, str], Answer]]:
        return {
            "alipay.trade.precreate": self.precreate,
            "alipay.trade.query": self.query,
            "alipay.trade.close": self.close,
            "alipay.trade.refund": self.refund,
            "alipay.trade.fastpay.refund.query": self.query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self.answer_bill,
        }

    def read_request(self, parameters: Content, *, pages: bool = False) -> Content:
        """The content of a request whose parameters and signature are right; Refused otherwise."""
        if missing := REQUIRED - {name for name, value in parameters.items() if value}:
            raise Refused(f"isv.missing-{min(missing).replace('_', '-')}", "40001")
        if parameters["app_id"] != APP_ID:
            raise Refused("isv.invalid-app-id", "40002")
        if parameters["sign_type"] != "RSA2" or not is_signed(self.app, parameters):
            raise Refused("isv.invalid-signature", "40002")
        if parameters["method"] not in (PAGES if pages else self.methods):
            raise Refused("isv.invalid-method", "40002")
        try:
            datetime.strptime(parameters["timestamp"], MOMENT)  # noqa: DTZ007
            content = json.loads(parameters["biz_content"])
        except ValueError:
            raise Refused("isv.invalid-parameter", "40002") from None
        if (
            parameters["version"] != "1.0"
            or parameters["charset"] != "utf-8"
            or not isinstance(content, dict)
        ):
            raise Refused("isv.invalid-parameter", "40002")
        return content

    def precreate(self, content: Content, parameters: Content, fault: str) -> Answer:
        """A code; the trade comes to be when somebody scans it."""
        self.refuse_bad_order(content)
        trade = self.book.find(content["out_trade_no"])
        if trade and trade.status != "WAIT_BUYER_PAY":
            raise Refused(
                "ACQ.TRADE_HAS_CLOSE" if trade.status == "TRADE_CLOSED" else "ACQ.TRADE_HAS_SUCCESS"
            )
        code = self.book.add_code(content, parameters.get("notify_url", ""))
        if code.content["total_amount"] != content["total_amount"]:
            raise Refused("ACQ.CONTEXT_INCONSISTENT")
        return {"out_trade_no": content["out_trade_no"], "qr_code": code.qr_code}

    def refuse_bad_order(self, content: Content) -> None:
        needed = ("out_trade_no", "total_amount", "subject", "time_expire")
        if not all(isinstance(content.get(name), str) and content[name] for name in needed):
            raise Refused("ACQ.INVALID_PARAMETER")
        if not Decimal("0.01") <= Decimal(content["total_amount"]) <= Decimal(100_000_000):
            raise Refused("ACQ.TOTAL_FEE_EXCEED")
        if content["time_expire"] <= beijing_now():
            raise Refused("ACQ.INVALID_PARAMETER")

    def query(self, content: Content, parameters: Content, fault: str) -> Answer:
        trade = self.find_trade(content)
        answer: Answer = {
            "buyer_logon_id": "mei***@example.com",
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "trade_status": trade.status,
            "total_amount": trade.total_amount,
            "receipt_amount": trade.total_amount if trade.paid_at else "0.00",
        }
        return answer | ({"send_pay_date": trade.paid_at} if trade.paid_at else {})

    def close(self, content: Content, parameters: Content, fault: str) -> Answer:
        trade = self.find_trade(content)
        if trade.status != "WAIT_BUYER_PAY":
            raise Refused("ACQ.TRADE_STATUS_ERROR")
        trade.status, trade.closed_at = "TRADE_CLOSED", beijing_now()
        self.book.keep(trade)
        return {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}

    def refund(self, content: Content, parameters: Content, fault: str) -> Answer:
        """Gives back once for each out_request_no, all refunds together at most what was paid."""
        trade = self.find_trade(content)
        number, amount = content.get("out_request_no", ""), content.get("refund_amount", "")
        if not number or Decimal(amount) <= 0:
            raise Refused("ACQ.INVALID_PARAMETER")
        _, done = self.pending_refunds.get(number, ("", trade.refunds.get(number)))
        if done and done.amount != amount:
            raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST")
        if done is None:
            self.refuse_refund(trade, Decimal(amount))
            new = Refund(amount, beijing_now())
            if fault == "PENDING_REFUND":
                self.pending_refunds[number] = (trade.out_trade_no, new)
            else:
                self.give_back(trade, number, new)
        return {
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "fund_change": "Y" if done is None and fault != "PENDING_REFUND" else "N",
            "refund_fee": f"{trade.refunded:.2f}",
        }

    def refuse_refund(self, trade: Trade, amount: Decimal) -> None:
        if trade.status == "TRADE_CLOSED":
            raise Refused("ACQ.TRADE_HAS_CLOSE")
        if trade.status == "TRADE_FINISHED":
            raise Refused("ACQ.TRADE_HAS_FINISHED")
        if trade.status != "TRADE_SUCCESS":
            raise Refused("ACQ.TRADE_STATUS_ERROR")
        waiting = [refund for number, refund in self.pending_refunds.values() if number == trade.out_trade_no]
        promised = sum((Decimal(refund.amount) for refund in waiting), start=trade.refunded)
        if promised + amount > Decimal(trade.total_amount):
            raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")

    def give_back(self, trade: Trade, number: str, refund: Refund) -> None:
        trade.refunds[number] = refund
        if trade.refunded == Decimal(trade.total_amount):
            trade.status, trade.closed_at = "TRADE_CLOSED", beijing_now()
        self.book.keep(trade)
        self.send(trade, number)

    def query_refund(self, content: Content, parameters: Content, fault: str) -> Answer:
        """What is not there, or not done, is answered with 10000 and nothing more."""
        trade = self.find_trade(content)
        number = content.get("out_request_no", "")
        refund = trade.refunds.get(number)
        if refund is None:
            return {}
        return {
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "out_request_no": number,
            "total_amount": trade.total_amount,
            "refund_amount": refund.amount,
            "refund_status": "REFUND_SUCCESS",
            "gmt_refund_pay": refund.at,
        }

    def answer_bill(self, content: Content, parameters: Content, fault: str) -> Answer:
        day = content.get("bill_date", "")
        if content.get("bill_type") != "trade" or not day:
            raise Refused("isp.bill_not_exist")
        token = secrets.token_urlsafe(16)
        self.bills[token] = day
        return {"bill_download_url": f"{self.address}/bill/{token}"}

    async def give_bill(self, request: Request) -> Response:
        day = self.bills.get(request.path_params["token"])
        if day is None:
            return Response(status_code=404)
        return Response(
            write_trade_bill(self.book.trades.values(), SELLER_ID, day), media_type="application/zip"
        )

    def find_trade(self, content: Content) -> Trade:
        trade = self.book.find(content.get("out_trade_no", ""))
        if trade is None:
            raise Refused("ACQ.TRADE_NOT_EXIST")
        return trade

    def sign_answer(self, method: str, answer: Answer, fault: str) -> Response:
        """The signature covers the text of the inner object as it is sent."""
        raw = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        name = f"{method.replace('.', '_')}_response" if method in self.methods else "error_response"
        key = self.other if fault == "WRONG_SIGNATURE" else self.own
        tail = "" if fault == "NO_SIGNATURE" else f',"sign":"{sign(key, raw)}"'
        return Response(f'{{"{name}":{raw}{tail}}}', media_type="application/json; charset=utf-8")

    def take_fault(self, method: str) -> str:
        for fault in self.faults:
            if fault[1] in ("", method):
                self.faults.remove(fault)
                return fault[0]
        return ""

    # What the customer does.

    def meet(self, action: str) -> Trade | None:
        """The customer scans the code or opens what was signed: the trade comes to be."""
        if code := self.book.codes.get(action):
            known = self.book.find(code.content["out_trade_no"])
            if known is None and code.ends_at <= beijing_now():
                return None
            return self.book.open_trade(code.content, code.notify_url)
        query = urlsplit(action).query if "://" in action.partition("?")[0] else action
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        try:
            content = self.read_request(parameters, pages=True)
            if content.get("product_code") != PAGES[parameters["method"]]:
                raise Refused("ACQ.INVALID_PARAMETER")
        except Refused:
            return None
        return self.book.open_trade(content, parameters.get("notify_url", ""))

    async def control(self, request: Request) -> Response:
        """POST /control/meet, pay, fault, notice, finish, settle-refund; the answer says what came of it."""
        order = json.loads(await request.body() or b"{}")
        match request.path_params["what"]:
            case "meet":
                trade = self.meet(order["action"])
                return JSONResponse({"met": trade is not None})
            case "pay":
                trade = self.meet(order["action"])
                paid = trade is not None and self.book.pay(trade)
                if trade and paid:
                    for _ in range(int(order.get("notices", 1))):
                        self.send(trade)
                return JSONResponse({"paid": paid})
            case "fault":
                self.faults += [(order["fault"], order.get("method", ""))] * int(order.get("times", 1))
                return JSONResponse({})
            case "notice":
                trade = self.book.trades[order["reference"]]
                changes = order.get("changes", {})
                body = self.write_notice(
                    trade, order.get("refund", ""), changes, other=bool(order.get("other"))
                )
                return JSONResponse({"body": body})
            case "finish":
                trade = self.book.trades[order["reference"]]
                trade.status = "TRADE_FINISHED"
                self.book.keep(trade)
                return JSONResponse({})
            case "settle-refund":
                if found := self.pending_refunds.pop(order["reference"], None):
                    self.give_back(self.book.trades[found[0]], order["reference"], found[1])
                return JSONResponse({})
        return Response(status_code=404)

    async def dump(self, request: Request) -> Response:
        return JSONResponse(self.book.dump())

    # Notices.

    def send(self, trade: Trade, refund: str = "") -> None:
        """Send a notice in the background until it is answered with success, or often enough."""
        if not trade.notify_url:
            return
        task = asyncio.get_running_loop().create_task(self.deliver(trade, refund))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def deliver(self, trade: Trade, refund: str) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        async with httpx.AsyncClient(trust_env=False) as client:
            for pause in (*NOTICE_PAUSES, 0):
                body = self.write_notice(trade, refund)
                with suppress(httpx.HTTPError):
                    answer = await client.post(trade.notify_url, content=body, headers=headers, timeout=5)
                    if answer.content == b"success":
                        return
                await asyncio.sleep(pause)

    def write_notice(
        self, trade: Trade, refund: str, changes: Mapping[str, str] | None = None, *, other: bool = False
    ) -> str:
        """The signed form; its id stays the same for the same content, its time is that of the sending."""
        content_key = f"{trade.out_trade_no}:{trade.status}:{refund}"
        parameters = {
            "notify_time": beijing_now(),
            "notify_type": "trade_status_sync",
            "notify_id": self.notice_ids.setdefault(content_key, secrets.token_hex(17)),
            "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "charset": "utf-8",
            "version": "1.0",
            "seller_id": SELLER_ID,
        }
        parameters |= describe_trade(trade, refund)
        parameters |= changes or {}
        signed = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
        parameters |= {"sign_type": "RSA2", "sign": sign(self.other if other else self.own, signed)}
        return "&".join(f"{name}={quote_plus(value, safe='*')}" for name, value in parameters.items())


def create_server(folder: Path, port: int) -> Starlette:
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(
        Book(folder / "book.jsonl"),
        own=keep_key(folder, "alipay"),
        app=keep_key(folder, "app"),
        other=keep_key(folder, "other"),
        address=f"http://127.0.0.1:{port}",
    )
    return Starlette(
        routes=[
            Route("/gateway.do", server.answer_call, methods=["POST"]),
            Route("/bill/{token}", server.give_bill),
            Route("/control/{what}", server.control, methods=["POST"]),
            Route("/book", server.dump),
        ]
    )
