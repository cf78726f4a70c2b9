"""Health checks: `/healthz` says that the process runs, `/readyz` that it can serve, at most *degraded*."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from events.shop import Shop

CHECK_SECONDS = 2.0


def health_routes(shop: Shop) -> list[Route]:
    async def report_ready(request: Request) -> Response:
        checks: dict[str, Callable[[], Awaitable[object]]] = {"database": shop.database.check}
        if shop.settings.redis.url:
            checks["redis"] = shop.bus.check
        results = await asyncio.gather(*(run_check(check) for check in checks.values()))
        report = dict(zip(checks, results, strict=True))
        status = describe_status(report)
        return JSONResponse({"status": status, **report}, 503 if status == "unavailable" else 200)

    return [Route("/healthz", report_alive), Route("/readyz", report_ready)]


def describe_status(report: Mapping[str, str]) -> str:
    """Without the database nothing is served; without Redis everything is, but live updates come late."""
    if report["database"] != "ok":
        return "unavailable"
    return "ok" if set(report.values()) == {"ok"} else "degraded"


async def report_alive(request: Request) -> Response:
    return PlainTextResponse("ok")


async def run_check(check: Callable[[], Awaitable[object]]) -> str:
    """Return "ok", or the name of the error; a check may take CHECK_SECONDS."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:
        return type(error).__name__
    return "ok"
