"""AMap's geocoder: verifies keys and signatures strictly, knows the places it is told, errs when told to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

KEY, SIGNING_KEY = "amap-key", "amap-signing-key"
HANG_SECONDS = 30.0
PARAMETERS = frozenset({"address", "city", "key", "output", "sig"})


@dataclass
class Server:
    """One key at AMap."""

    places: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What is answered, by address."""
    faults: list[str] = field(default_factory=list)
    """Of calls to come; each is met once."""
    asked: list[dict[str, str]] = field(default_factory=list)

    async def geocode(self, request: Request) -> Response:
        """GET /v3/geocode/geo"""
        question = dict(request.query_params)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "error":
            return PlainTextResponse("", 500)
        if fault == "nonsense":
            return PlainTextResponse("<html></html>")
        if fault == "large":
            return PlainTextResponse("x" * 200_000)
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault.isdigit():
            return refuse(fault, "REFUSED")
        if unknown := question.keys() - PARAMETERS:
            return refuse("20000", f"INVALID_PARAMS {sorted(unknown)}")
        if question.get("key") != KEY:
            return refuse("10001", "INVALID_USER_KEY")
        if question.get("sig") != sign(question):
            return refuse("10007", "INVALID_USER_SIGNATURE")
        if not question.get("address"):
            return refuse("20001", "MISSING_REQUIRED_PARAMS")
        self.asked.append(question)
        found = self.places.get(question["address"])
        if found is None:
            return refuse("30001", "ENGINE_RESPONSE_DATA_ERROR")
        return JSONResponse(
            {"status": "1", "info": "OK", "infocode": "10000", "count": str(len(found)), "geocodes": found}
        )

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: faults and places that a test asks for; what was asked."""
        what, given = request.path_params["what"], await request.json()
        if what == "fault":
            self.faults.append(given["fault"])
        elif what == "places":
            self.places[given["address"]] = given["geocodes"]
        elif what == "reset":
            self.__init__()  # type: ignore[misc]
        return JSONResponse({"asked": self.asked})


def refuse(code: str, info: str) -> Response:
    return JSONResponse({"status": "0", "info": info, "infocode": code})


def sign(question: Mapping[str, str]) -> str:
    signed = "&".join(f"{name}={question[name]}" for name in sorted(question) if name != "sig")
    return md5((signed + SIGNING_KEY).encode(), usedforsecurity=False).hexdigest()


def create_server() -> Starlette:
    server = Server()
    return Starlette(
        routes=[
            Route("/v3/geocode/geo", server.geocode, methods=["GET"]),
            Route("/control/{what}", server.control, methods=["POST"]),
        ]
    )
