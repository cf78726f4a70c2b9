"""DHL Express: answers as its XML interface does, by one address, keeps shipments and errs when told to."""

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bench.provider_servers.fedex.server import draw_label

SITE_ID, PASSWORD, ACCOUNT = "site-of-the-shop", "password-of-the-shop", "123456789"
HANG_SECONDS = 30.0
STEPS = [
    ("PU", "Shipment picked up", "2026-03-01", "18:00:00", "Austin"),
    ("ZZ", "Something new", "2026-03-01", "20:00:00", "Austin"),
    ("WC", "With delivery courier", "2026-03-02", "09:30:00", "Toronto"),
]
"""Code, text, day, time and place, in order."""


@dataclass
class Server:
    """One account at DHL Express, which cancels nothing over this interface."""

    faults: list[str] = field(default_factory=list)
    """Of calls to come; each is met once."""
    shipments: list[str] = field(default_factory=list)

    async def serve(self, request: Request) -> Response:
        """POST /XMLShippingServlet"""
        text = (await request.body()).decode()
        if (element_of(text, "SiteID"), element_of(text, "Password")) != (SITE_ID, PASSWORD):
            return problem("100", "ErrorResponse")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault == "error":
            return PlainTextResponse("", 503)
        if fault == "nonsense":
            return PlainTextResponse("{", 200)
        if fault:
            return problem(fault, "ShipmentValidateErrorResponse")
        if ":DCTRequest" in text:
            return self.quote()
        if ":ShipmentRequest" in text:
            return self.ship(text)
        return self.track(element_of(text, "AWBNumber"))

    def quote(self) -> Response:
        return answer(
            "res:DCTResponse",
            "<GetQuoteResponse><BkgDetails><QtdShp>"
            "<GlobalProductCode>P</GlobalProductCode><LocalProductCode>P</LocalProductCode>"
            "<ProductShortName>EXPRESS WORLDWIDE</ProductShortName>"
            "<LocalProductName>EXPRESS WORLDWIDE</LocalProductName>"
            "<DeliveryDate><DlvyDateTime>2026-03-04 23:59:00</DlvyDateTime></DeliveryDate>"
            "<PricingDate>2026-03-01</PricingDate><CurrencyCode>USD</CurrencyCode>"
            "<WeightCharge>80.10</WeightCharge><ShippingCharge>91.30</ShippingCharge>"
            "</QtdShp></BkgDetails></GetQuoteResponse>",
        )

    def ship(self, text: str) -> Response:
        self.shipments.append(text)
        number = f"7{len(self.shipments):09}"
        label = b64encode(draw_label(number)).decode()
        return answer(
            "res:ShipmentResponse",
            f"<AirwayBillNumber>{number}</AirwayBillNumber><LabelImage><OutputFormat>PDF</OutputFormat>"
            f"<OutputImage>{label}</OutputImage></LabelImage>",
        )

    def track(self, number: str) -> Response:
        events = "".join(
            f"<ShipmentEvent><Date>{day}</Date><Time>{moment}</Time>"
            f"<ServiceEvent><EventCode>{code}</EventCode><Description>{text}</Description></ServiceEvent>"
            f"<ServiceArea><ServiceAreaCode>AUS</ServiceAreaCode><Description>{city}</Description>"
            "</ServiceArea></ShipmentEvent>"
            for code, text, day, moment, city in STEPS
        )
        return answer(
            "req:TrackingResponse",
            f"<AWBInfo><AWBNumber>{number}</AWBNumber><Status><ActionStatus>success</ActionStatus></Status>"
            f"<ShipmentInfo>{events}</ShipmentInfo></AWBInfo>",
        )

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: faults that a test asks for; what is known."""
        given = await request.json()
        if request.path_params["what"] == "fault":
            self.faults.append(given["fault"])
        elif request.path_params["what"] == "reset":
            self.__init__()  # type: ignore[misc]
        return JSONResponse({"shipments": self.shipments})


def element_of(text: str, name: str) -> str:
    """The text of the first element of a name."""
    found = re.search(rf"<(?:\w+:)?{name}>([^<]*)<", text)
    return found[1] if found else ""


def answer(name: str, content: str) -> Response:
    prefix = name.partition(":")[0]
    return Response(f'<{name} xmlns:{prefix}="http://www.dhl.com">{content}</{name}>', media_type="text/xml")


def problem(code: str, name: str) -> Response:
    condition = f"<ConditionCode>{code}</ConditionCode><ConditionData>It cannot be done.</ConditionData>"
    status = f"<Status><ActionStatus>Error</ActionStatus><Condition>{condition}</Condition></Status>"
    return answer(f"res:{name}", f"<Response>{status}</Response>")


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/XMLShippingServlet", server.serve, methods=["POST"]),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
