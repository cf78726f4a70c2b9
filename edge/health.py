"""Whether this process lives, and whether it can serve."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from events.shop import Shop

CHECK_SECONDS = 2.0


def health_routes(shop: Shop) -> list[Route]:
    async def ready(request: Request) -> Response:
        checks: dict[str, Callable[[], Awaitable[object]]] = {
            "database": lambda: database_answers(shop),
            "redis": shop.bus.check,
        }
        outcomes = await asyncio.gather(*(outcome(check) for check in checks.values()))
        said = dict(zip(checks, outcomes, strict=True))
        return JSONResponse(said, 200 if set(outcomes) == {"ok"} else 503)

    return [Route("/healthz", alive), Route("/readyz", ready)]


async def alive(request: Request) -> Response:
    return PlainTextResponse("ok")


async def outcome(check: Callable[[], Awaitable[object]]) -> str:
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception as error:
        return type(error).__name__
    return "ok"


async def database_answers(shop: Shop) -> None:
    """A read that also proves the tables are there."""
    async with shop.database.reads() as session:
        await session.execute(text("SELECT 1 FROM events LIMIT 1"))
