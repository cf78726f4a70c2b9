"""OSRM's table service over a plain road network: checks requests strictly, and errs when told to."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from geo import Point, distance_km

PLACES_LIMIT = 100
"""As `osrm-routed` has it by default."""
DETOUR, METRES_PER_SECOND = 1.3, 10.0
HANG_SECONDS = 30.0


@dataclass
class Server:
    """A server with roads everywhere."""

    faults: list[str] = field(default_factory=list)
    """Of calls to come; each is met once, "down" by all, and "none" is a call without one."""
    sizes: list[int] = field(default_factory=list)
    """How many places each request has named."""

    async def table(self, request: Request) -> Response:
        """GET /table/v1/{profile}/{coordinates}"""
        fault = self.faults[0] if self.faults else ""
        if fault and fault != "down":
            self.faults.pop(0)
        if fault in {"error", "down"}:
            return PlainTextResponse("", 503)
        if fault == "nonsense":
            return PlainTextResponse("<html></html>")
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
        places = [read_place(each) for each in request.path_params["coordinates"].split(";")]
        self.sizes.append(len(places))
        if len(places) > PLACES_LIMIT:
            return JSONResponse({"code": "TooBig", "message": "Too many table coordinates"}, 400)
        rows = read_indices(request.query_params["sources"], len(places))
        columns = read_indices(request.query_params["destinations"], len(places))
        metres = [[1_000 * DETOUR * distance_km(places[a], places[b]) for b in columns] for a in rows]
        answer: dict[str, Any] = {
            "code": "Ok",
            "distances": metres,
            "durations": [[way / METRES_PER_SECOND for way in row] for row in metres],
        }
        if fault == "no road":
            answer["distances"][0][-1] = answer["durations"][0][-1] = None
        if fault == "short":
            answer["distances"].pop()
        if fault == "negative":
            answer["distances"][0][-1] = -1.0
        return JSONResponse(answer)


def read_place(text: str) -> Point:
    longitude, latitude = text.split(",")
    return Point(float(latitude), float(longitude))


def read_indices(text: str, count: int) -> list[int]:
    indices = [int(each) for each in text.split(";")]
    if any(not 0 <= each < count for each in indices):
        raise ValueError(text)
    return indices


def create_server(server: Server | None = None) -> Starlette:
    table = (server or Server()).table
    return Starlette(routes=[Route("/table/v1/{profile}/{coordinates:path}", table, methods=["GET"])])
