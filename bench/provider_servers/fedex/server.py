"""FedEx: answers as its interface does, wants a token, keeps shipments and errs when told to."""

from base64 import b64encode
from io import BytesIO
from urllib.parse import parse_qs

from reportlab.pdfgen.canvas import Canvas
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.provider_servers.token_account import TOKEN, TokenAccount

API_KEY, SECRET_KEY, ACCOUNT = "api-key", "secret-key", "740561073"


class Server(TokenAccount):
    """One account at FedEx."""

    not_authorized = "NOT.AUTHORIZED.ERROR"
    broken = ("SERVICE.UNAVAILABLE.ERROR", 503)

    def refuse(self, code: str, status: int) -> Response:
        return problem(code, status)

    async def token(self, request: Request) -> Response:
        """POST /oauth/token"""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (API_KEY, SECRET_KEY):
            return problem("NOT.AUTHORIZED.ERROR", 401)
        return JSONResponse({"access_token": TOKEN, "token_type": "bearer", "expires_in": 3599})

    async def rates(self, request: Request) -> Response:
        """POST /rate/v1/rates/quotes"""
        if fault := await self.meet(request):
            return fault
        rated = {"rateType": "ACCOUNT", "currency": "USD", "totalNetCharge": 42.5, "totalBaseCharge": 50}
        detail = {
            "serviceType": "FEDEX_GROUND",
            "serviceName": "FedEx Ground",
            "ratedShipmentDetails": [rated | {"shipmentRateDetail": {}}],
            "operationalDetail": {"commitDate": "2026-03-04T17:00:00"},
        }
        return JSONResponse({"output": {"rateReplyDetails": [detail]}})

    async def ship(self, request: Request) -> Response:
        """POST /ship/v1/shipments"""
        if fault := await self.meet(request):
            return fault
        self.shipments.append(await request.json())
        number = f"79{len(self.shipments):010}"
        label = {
            "contentType": "LABEL",
            "docType": "PDF",
            "encodedLabel": b64encode(draw_label(number)).decode(),
        }
        piece = {"trackingNumber": number, "trackingIdType": "FEDEX", "packageDocuments": [label]}
        shipment = {
            "masterTrackingNumber": number,
            "serviceType": "FEDEX_GROUND",
            "pieceResponses": [piece],
        }
        return JSONResponse({"output": {"transactionShipments": [shipment]}})

    async def cancel(self, request: Request) -> Response:
        """PUT /ship/v1/shipments/cancel"""
        if fault := await self.meet(request):
            return fault
        self.cancelled.append((await request.json())["trackingNumber"])
        return JSONResponse({"output": {"cancelledShipment": True}})

    async def track(self, request: Request) -> Response:
        """POST /track/v1/trackingnumbers"""
        if fault := await self.meet(request):
            return fault
        content = await request.json()
        number = content["trackingInfo"][0]["trackingNumberInfo"]["trackingNumber"]
        scans = [
            {
                "date": "2026-03-02T09:30:00-05:00",
                "eventType": "OD",
                "eventDescription": "On FedEx vehicle for delivery",
                "scanLocation": {"city": "MEMPHIS", "stateOrProvinceCode": "TN", "countryCode": "US"},
            },
            {
                "date": "2026-03-01T18:00:00-05:00",
                "eventType": "PU",
                "eventDescription": "Picked up",
                "scanLocation": {"city": "AUSTIN", "stateOrProvinceCode": "TX", "countryCode": "US"},
            },
            {
                "date": "2026-03-01T20:00:00-05:00",
                "eventType": "ZZ",
                "eventDescription": "Something new",
                "scanLocation": {"city": "AUSTIN", "stateOrProvinceCode": "TX", "countryCode": "US"},
            },
        ]
        result = {"latestStatusDetail": {"code": "OD"}, "scanEvents": scans}
        found = {"trackingNumber": number, "trackResults": [result]}
        return JSONResponse({"output": {"completeTrackResults": [found]}})


def draw_label(number: str) -> bytes:
    """A page with a number: karrio reads labels before it hands them over."""
    content = BytesIO()
    page = Canvas(content)
    page.drawString(100, 700, number)
    page.save()
    return content.getvalue()


def problem(code: str, status: int) -> Response:
    content = {"transactionId": "t", "errors": [{"code": code, "message": "It cannot be done."}]}
    return JSONResponse(content, status)


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/oauth/token", server.token, methods=["POST"]),
            Route("/rate/v1/rates/quotes", server.rates, methods=["POST"]),
            Route("/ship/v1/shipments", server.ship, methods=["POST"]),
            Route("/ship/v1/shipments/cancel", server.cancel, methods=["PUT"]),
            Route("/track/v1/trackingnumbers", server.track, methods=["POST"]),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
