"""UPS: answers as its interface does, wants a token, keeps shipments and errs when told to."""

import time
from base64 import b64encode
from io import BytesIO

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.provider_servers.token_account import TOKEN, TokenAccount

CLIENT, SECRET, ACCOUNT = "client-of-the-shop", "secret-of-the-shop", "A1B2C3"
STEPS = [
    ("D", "KB", "DELIVERED", "20260303", "093000", "MEMPHIS", "TN"),
    ("I", "AR", "Arrived at Facility", "20260302", "040000", "MEMPHIS", "TN"),
    ("Q", "ZZ", "Something new", "20260301", "200000", "AUSTIN", "TX"),
    ("P", "PU", "Pickup Scan", "20260301", "180000", "AUSTIN", "TX"),
]
"""Type, code, text, day, time and place, the newest first."""


class Server(TokenAccount):
    """One account at UPS."""

    not_authorized = "250002"
    broken = ("INTERNAL", 500)

    def refuse(self, code: str, status: int) -> Response:
        return problem(code, status)

    async def token(self, request: Request) -> Response:
        """POST /security/v1/oauth/token"""
        pair = b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return problem("10401", 401)
        issued = str(int(time.time() * 1000))
        return JSONResponse({"access_token": TOKEN, "issued_at": issued, "expires_in": "14399"})

    async def rates(self, request: Request) -> Response:
        """POST /api/rating/v2409/Shop"""
        if fault := await self.meet(request):
            return fault
        price = {"CurrencyCode": "USD", "MonetaryValue": "18.40"}
        rated = {
            "Service": {"Code": "03"},
            "TransportationCharges": price,
            "BaseServiceCharge": price,
            "ServiceOptionsCharges": {"CurrencyCode": "USD", "MonetaryValue": "0.00"},
            "TotalCharges": price,
            "TimeInTransit": {"ServiceSummary": {"EstimatedArrival": {"BusinessDaysInTransit": "2"}}},
        }
        return JSONResponse({"RateResponse": {"RatedShipment": [rated]}})

    async def ship(self, request: Request) -> Response:
        """POST /api/shipments/v2409/ship"""
        if fault := await self.meet(request):
            return fault
        self.shipments.append(await request.json())
        number = f"1Z{ACCOUNT}03{len(self.shipments):08}"
        image = {"ImageFormat": {"Code": "GIF"}, "GraphicImage": b64encode(draw_label()).decode()}
        price = {"CurrencyCode": "USD", "MonetaryValue": "18.40"}
        results = {
            "ShipmentIdentificationNumber": number,
            "ShipmentCharges": {"TransportationCharges": price, "TotalCharges": price},
            "PackageResults": [{"TrackingNumber": number, "ShippingLabel": image}],
        }
        return JSONResponse({"ShipmentResponse": {"ShipmentResults": results}})

    async def cancel(self, request: Request) -> Response:
        """DELETE /api/shipments/v2409/void/cancel/{number}"""
        if fault := await self.meet(request):
            return fault
        self.cancelled.append(request.path_params["number"])
        status = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
        return JSONResponse({"VoidShipmentResponse": {"Response": status}})

    async def track(self, request: Request) -> Response:
        """GET /api/track/v1/details/{number}"""
        if fault := await self.meet(request):
            return fault
        activity = [
            {
                "status": {"type": kind, "code": code, "description": text},
                "date": day,
                "time": moment,
                "location": {"address": {"city": city, "stateProvince": state, "country": "US"}},
            }
            for kind, code, text, day, moment, city, state in STEPS
        ]
        package = {"trackingNumber": request.path_params["number"], "deliveryDate": [], "activity": activity}
        return JSONResponse({"trackResponse": {"shipment": [{"package": [package]}]}})


def draw_label() -> bytes:
    """A picture, as UPS sends labels; karrio makes a document of it."""
    content = BytesIO()
    Image.new("L", (400, 600), color=255).save(content, "GIF")
    return content.getvalue()


def problem(code: str, status: int) -> Response:
    errors = [{"code": code, "message": "It cannot be done."}]
    return JSONResponse({"response": {"errors": errors}}, status)


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/security/v1/oauth/token", server.token, methods=["POST"]),
            Route("/api/rating/v2409/Shop", server.rates, methods=["POST"]),
            Route("/api/shipments/v2409/ship", server.ship, methods=["POST"]),
            Route("/api/shipments/v2409/void/cancel/{number}", server.cancel, methods=["DELETE"]),
            Route("/api/track/v1/details/{number}", server.track, methods=["GET"]),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
