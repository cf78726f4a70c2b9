"""kuaidi100: verifies requests strictly, keeps subscriptions and waybills, pushes, and errs when told to."""

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

KEY, CUSTOMER, SECRET = "key-of-the-shop", "CUSTOMER-1", "secret-of-the-shop"
PARTNER, PARTNER_KEY = "K100-1", "password"
COMPANIES = frozenset({"yuantong", "yunda", "shunfeng", "zhongtong"})
QUERIES_A_DAY = 48
HANG_SECONDS = 30.0
MOMENT = "%Y-%m-%d %H:%M:%S"
BOMB_BYTES = 50_000_000


def sign(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class Server:
    """One account at kuaidi100."""

    address: str
    faults: dict[str, list[str]] = field(default_factory=dict)
    """Path -> faults of calls to come; each is met once."""
    parcels: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Number -> what is answered to a question, or pushed as `lastResult`."""
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    waybills: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the shop's own number of the order."""
    orders: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    queries: Counter[str] = field(default_factory=Counter)

    async def subscribe(self, request: Request) -> Response:
        """POST /poll"""
        form = await read_form(request)
        param = json.loads(form["param"])
        if fault := await self.meet(request, form):
            return fault
        if form.get("schema") != "json" or len(param.get("number", "")) > 32 or not param.get("number"):
            return refusal("700")
        if param["key"] != KEY:
            return refusal("600")
        if param["company"] not in COMPANIES:
            return refusal("702")
        parameters = param["parameters"]
        if param["company"] == "shunfeng" and len(parameters.get("phone", "")) != 4:
            return refusal("700")
        known = param["number"] in self.subscriptions
        self.subscriptions[param["number"]] = param
        late = await self.hang_after(request)
        return late or (refusal("501") if known else JSONResponse({"result": True, "returnCode": "200"}))

    async def query(self, request: Request) -> Response:
        """POST /poll/query.do"""
        form = await read_form(request)
        if fault := await self.meet(request, form):
            return fault
        if form["customer"] != CUSTOMER or form["sign"] != sign(form["param"] + KEY + CUSTOMER):
            return refusal("503")
        param = json.loads(form["param"])
        self.queries[param["num"]] += 1
        if self.queries[param["num"]] > QUERIES_A_DAY:
            return refusal("501")
        found = self.parcels.get(param["num"])
        return JSONResponse(found) if found else refusal("500")

    async def waybill(self, request: Request) -> Response:
        """POST /label/order"""
        form = await read_form(request)
        if fault := await self.meet(request, form):
            return fault
        if form["key"] != KEY or form["sign"] != sign(form["param"] + form["t"] + KEY + SECRET):
            return JSONResponse({"success": False, "code": 30001, "message": "验证签名失败"})
        param = json.loads(form["param"])
        if form["method"] in {"price", "time"}:
            return self.answer_quote(form["method"], param)
        if (param.get("partnerId"), param.get("partnerKey")) != (PARTNER, PARTNER_KEY):
            return JSONResponse({"success": False, "code": 30010, "message": "账号密码错误"})
        if form["method"] == "cancel":
            self.cancelled.append(param["kuaidinum"])
            return JSONResponse({"success": True, "code": 200, "message": "success"})
        self.orders.append(param)
        if param.get("reorder", True) or param["orderId"] not in self.waybills:
            self.waybills[param["orderId"]] = self.new_waybill(param)
        late = await self.hang_after(request)
        data = self.waybills[param["orderId"]]
        return late or JSONResponse({"success": True, "code": 200, "message": "success", "data": data})

    def answer_quote(self, method: str, param: Mapping[str, Any]) -> Response:
        """Prices by weight, and a promise of two days from when it is sent."""
        if param.get("kuaidicom") not in COMPANIES:
            return JSONResponse({"success": False, "code": 30002, "message": "快递公司不支持"})
        data: dict[str, Any]
        if method == "price":
            base = 10 + 2 * float(param["weight"])
            combos = [{"expType": "标准快递", "price": base}, {"expType": "特快", "price": base + 5}]
            data = {"kuaidicom": param["kuaidicom"], "combos": combos}
        else:
            sent = datetime.strptime(param["orderTime"], MOMENT).replace(tzinfo=UTC)
            data = {"arrivalTime": (sent + timedelta(days=2)).strftime(MOMENT), "expType": param["expType"]}
        return JSONResponse({"success": True, "code": 200, "message": "success", "data": data})

    def new_waybill(self, param: Mapping[str, Any]) -> dict[str, str]:
        base = f"YT{len(self.orders):010}"
        children = [f"{base}-{index}" for index in range(1, int(param["count"]))]
        return {
            "taskId": base,
            "kuaidinum": base,
            "childNum": ",".join(children) if param["needChild"] == "1" else "",
            "label": f"{self.address}/label/page/{base}",
        }

    async def page(self, request: Request) -> Response:
        """GET /label/page/{number}"""
        return PlainTextResponse(f"<html>{request.path_params['number']}</html>")

    async def meet(self, request: Request, form: Mapping[str, str]) -> Response | None:
        """The fault of this call, if it is one that is met before anything is done."""
        waiting = self.faults.get(request.url.path, [])
        if not waiting or waiting[0] == "hang":
            return None
        fault = waiting.pop(0)
        if fault == "bomb":
            packed = zlib.compressobj(wbits=31)
            bomb = packed.compress(b" " * BOMB_BYTES) + packed.flush()
            return Response(bomb, headers={"content-encoding": "gzip"}, media_type="application/json")
        if fault == "huge":
            return PlainTextResponse("{" + " " * 2_000_000 + "}")
        answers: dict[str, Response] = {
            "error": PlainTextResponse("", 500),
            "nonsense": PlainTextResponse("<html>服务器繁忙</html>"),
            "list": PlainTextResponse("[]"),
        }
        return answers.get(fault) or refusal(fault)

    async def hang_after(self, request: Request) -> Response | None:
        """Wait for longer than anybody does, after what was asked is done."""
        waiting = self.faults.get(request.url.path, [])
        if waiting and waiting[0] == "hang":
            waiting.pop(0)
            await asyncio.sleep(HANG_SECONDS)
            return PlainTextResponse("", 504)
        return None

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: parcels, faults and pushes that a test asks for."""
        what, given = request.path_params["what"], await request.json()
        if what == "fault":
            self.faults.setdefault(given["path"], []).append(given["fault"])
        elif what == "parcel":
            self.parcels[given["nu"]] = given
        elif what == "push":
            return JSONResponse(await self.push(**given))
        elif what == "reset":
            self.__init__(self.address)  # type: ignore[misc]
        return JSONResponse(
            {
                "subscriptions": self.subscriptions,
                "waybills": self.waybills,
                "orders": self.orders,
                "cancelled": self.cancelled,
                "queries": dict(self.queries),
            }
        )

    async def push(
        self,
        *,
        number: str,
        status: str = "polling",
        message: str = "",
        times: int = 1,
        sign_with: str | None = None,
    ) -> list[list[object]]:
        """Push what is known of a parcel to the address of its subscription; what was answered each time."""
        parameters = self.subscriptions[number]["parameters"]
        content = {"status": status, "message": message, "comOld": "", "comNew": ""}
        text = json.dumps(content | {"lastResult": self.parcels[number]}, ensure_ascii=False)
        salt = parameters["salt"] if sign_with is None else sign_with
        answers: list[list[object]] = []
        async with httpx.AsyncClient() as client:
            for _ in range(times):
                form = {"param": text, "sign": sign(text + salt)}
                answer = await client.post(parameters["callbackurl"], data=form)
                answers.append([answer.status_code, answer.json()])
        return answers


async def read_form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


def refusal(code: str) -> Response:
    return JSONResponse({"result": False, "returnCode": code, "message": "失败"})


def create_server(address: str) -> Starlette:
    server = Server(address)
    return Starlette(
        routes=[
            Route("/poll", server.subscribe, methods=["POST"]),
            Route("/poll/query.do", server.query, methods=["POST"]),
            Route("/label/order", server.waybill, methods=["POST"]),
            Route("/label/page/{number}", server.page),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
