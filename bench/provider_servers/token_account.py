"""An account at a carrier that wants a token with each call, and errs when told to."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

TOKEN = "token-of-the-shop"
HANG_SECONDS = 30.0


@dataclass
class TokenAccount(ABC):
    """What was shipped and cancelled, and the faults of calls to come."""

    not_authorized: ClassVar[str]
    """The code of the answer to a wrong token."""
    broken: ClassVar[tuple[str, int]]
    """Code and status of the answer of a server that is broken."""

    faults: list[str] = field(default_factory=list)
    """Of calls to come; each is met once, after the token was given."""
    shipments: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    @abstractmethod
    def refuse(self, code: str, status: int) -> Response:
        """An answer that names a code, as the carrier writes it."""

    async def meet(self, request: Request) -> Response | None:
        """The answer to a wrong token, and to a call that is to fail; None where it goes on."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.refuse(self.not_authorized, 401)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if fault == "error":
            return self.refuse(*self.broken)
        if fault == "nonsense":
            return PlainTextResponse("<html>", 200)
        return self.refuse(fault, 400) if fault else None

    async def control(self, request: Request) -> Response:
        """POST /control/{what}: faults that a test asks for; what is known."""
        given = await request.json()
        if request.path_params["what"] == "fault":
            self.faults.append(given["fault"])
        elif request.path_params["what"] == "reset":
            for known in (self.faults, self.shipments, self.cancelled):
                known.clear()
        return JSONResponse({"shipments": self.shipments, "cancelled": self.cancelled})
