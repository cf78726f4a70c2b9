"""SF Express: verifies requests strictly, keeps orders by their number, and errs when told to."""

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from urllib.parse import parse_qs, quote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

PARTNER_ID, CHECK_WORD, MONTHLY_CARD = "SHOP1", "check-word", "7551234567"
HANG_SECONDS = 30.0
MOMENT = "%Y-%m-%d %H:%M:%S"


class SfRefused(Exception):
    """A request that is refused with a code."""


@dataclass
class Server:
    """One account at SF Express."""

    faults: list[str] = field(default_factory=list)
    """Of calls to come; each is met once."""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the shop's number of the order: what is answered about it."""
    routes: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    withholds_children: bool = False
    """Orders of several parcels get the number of the mother only: the others are asked for."""
    cancelled: list[str] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)
    calls: list[list[Any]] = field(default_factory=list)

    async def service(self, request: Request) -> Response:
        """POST /std/service"""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "error":
            return PlainTextResponse("", 500)
        if fault == "nonsense":
            return PlainTextResponse("<html></html>")
        if fault == "no result":
            return JSONResponse({"apiResultCode": "A1000", "apiResultData": "x"})
        if fault and fault != "hang":
            return JSONResponse({"apiResultCode": fault, "apiErrorMsg": "失败", "apiResultData": None})
        signed = quote_plus(form["msgData"] + form["timestamp"] + CHECK_WORD).encode()
        expected = b64encode(md5(signed, usedforsecurity=False).digest()).decode()
        if form["partnerID"] != PARTNER_ID or form["msgDigest"] != expected:
            return JSONResponse({"apiResultCode": "A1006", "apiErrorMsg": "数字签名无效"})
        if form["requestID"] in self.requests:
            return JSONResponse({"apiResultCode": "A1004", "apiErrorMsg": "requestID 重复"})
        self.requests.add(form["requestID"])
        content = json.loads(form["msgData"])
        self.calls.append([form["serviceCode"], content])
        try:
            result = {
                "success": True,
                "errorCode": "S0000",
                "msgData": self.act(form["serviceCode"], content),
            }
        except SfRefused as refusal:
            result = {"success": False, "errorCode": str(refusal), "errorMsg": "失败"}
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
        return JSONResponse({"apiResultCode": "A1000", "apiResultData": json.dumps(result)})

    def act(self, service: str, content: dict[str, Any]) -> dict[str, Any]:
        order_id = content.get("orderId", "")
        match service:
            case "EXP_RECE_CREATE_ORDER":
                if order_id in self.orders:
                    raise SfRefused("8016")
                if content["monthlyCard"] != MONTHLY_CARD:
                    raise SfRefused("8057")
                self.orders[order_id] = self.new_order(content)
                return self.orders[order_id]
            case "EXP_RECE_GET_SUB_MAILNO":
                if order_id not in self.orders:
                    raise SfRefused("8024")
                return {
                    "orderId": order_id,
                    "waybillNoInfoList": self.add_children(order_id, content["parcelQty"]),
                }
            case "EXP_RECE_QUERY_DELIVERTM":
                return {"deliverTmDto": quote_services(content)}
            case "EXP_RECE_SEARCH_ORDER_RESP":
                if order_id not in self.orders:
                    raise SfRefused("8024")
                return self.orders[order_id]
            case "EXP_RECE_UPDATE_ORDER":
                if order_id not in self.orders:
                    raise SfRefused("8024")
                self.cancelled.append(order_id)
                return {"orderId": order_id, "resStatus": 2}
            case "EXP_RECE_SEARCH_ROUTES":
                if len(content["checkPhoneNo"]) != 4:
                    raise SfRefused("20036")
                [number] = content["trackingNumber"]
                return {"routeResps": [{"mailNo": number, "routes": self.routes.get(number, [])}]}
            case _:
                raise SfRefused("A1002")

    def new_order(self, content: dict[str, Any]) -> dict[str, Any]:
        base = f"SF{len(self.orders) + 1:010}"
        numbers = [{"waybillType": 1, "waybillNo": base}]
        given = 1 if self.withholds_children else content["parcelQty"]
        numbers += [{"waybillType": 2, "waybillNo": f"{base}{index:03}"} for index in range(1, given)]
        label = {"code": "1000", "routeLabelData": {"destRouteLabel": "571W", "twoDimensionCode": "MMM={}"}}
        return {"orderId": content["orderId"], "waybillNoInfoList": numbers, "routeLabelInfo": [label]}

    def add_children(self, order_id: str, count: int) -> list[dict[str, Any]]:
        """Further numbers on the waybill of an order."""
        numbers = self.orders[order_id]["waybillNoInfoList"]
        mother, had = numbers[0]["waybillNo"], len(numbers)
        added = [{"waybillType": 2, "waybillNo": f"{mother}{had + index:03}"} for index in range(count)]
        numbers += added
        return added

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: faults and steps that a test asks for; what is known."""
        what, given = request.path_params["what"], await request.json()
        if what == "fault":
            self.faults.append(given["fault"])
        elif what == "withhold":
            self.withholds_children = True
        elif what == "routes":
            self.routes[given["number"]] = given["routes"]
        elif what == "reset":
            self.__init__()  # type: ignore[misc]
        return JSONResponse({"orders": self.orders, "cancelled": self.cancelled, "calls": self.calls})


def quote_services(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Two services, of which the first is asked for, and one that has no price here."""
    sent = datetime.strptime(content["consignedTime"], MOMENT).replace(tzinfo=UTC)
    fee = 12 + 2 * content["weight"]
    found = []
    for service, name, days, price in (("1", "顺丰特快", 1, fee + 8), ("2", "顺丰标快", 2, fee)):
        arrives = (sent + timedelta(days=days)).strftime(MOMENT)
        found.append(
            {
                "businessType": service,
                "businessTypeDesc": name,
                "deliverTime": f"{sent.strftime(MOMENT)},{arrives}",
                "fee": price,
                "searchPrice": "1",
                "closeTime": None,
            }
        )
    asked = content["businessType"]
    found.append({"businessType": "5", "businessTypeDesc": "顺丰次晨", "deliverTime": "", "fee": None})
    return [each for each in found if not asked or each["businessType"] == asked]


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/std/service", server.service, methods=["POST"]),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
