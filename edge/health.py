"""Health checks: `/healthz` says that the process runs, `/readyz` that it can serve."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from events.shop import Shop

CHECK_SECONDS = 2.0


def health_routes(shop: Shop) -> list[Route]:
    async def report_ready(request: Request) -> Response:
        checks: dict[str, Callable[[], Awaitable[object]]] = {
            "database": shop.database.check,
            "redis": shop.bus.check,
        }
        results = await asyncio.gather(*(run_check(check) for check in checks.values()))
        return JSONResponse(dict(zip(checks, results, strict=True)), 200 if set(results) == {"ok"} else 503)

    return [Route("/healthz", report_alive), Route("/readyz", report_ready)]


async def report_alive(request: Request) -> Response:
    return PlainTextResponse("ok")


async def run_check(check: Callable[[], Awaitable[object]]) -> str:
    """Return "ok", or the name of the error; a check may take CHECK_SECONDS."""
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception as error:
        return type(error).__name__
    return "ok"
