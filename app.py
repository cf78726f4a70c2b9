"""The whole shop, wired: the only file that knows every part."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from edge.graphiql import graphiql_assets
from edge.graphql import GraphQLEndpoint
from edge.health import health_routes
from edge.limits import BodyLimit
from edge.logs import RequestLog
from edge.sandbox import sandbox_routes
from edge.webhooks import webhook_routes
from events.bus import LocalBus, RedisBus
from events.relay import Relay
from events.shop import Shop
from events.timers import Timers
from events.timetable import TIMETABLE
from gateways.carrier.simulated import SimulatedCarrier
from gateways.media import LocalMedia
from gateways.payment.connected import payment_gateways
from gateways.secrets import Secrets
from models import CarrierCode
from models.database import Database
from schema import schema
from settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_shop(
    settings: Settings, *, clock: Clock = utc_now, counter: httpx.AsyncBaseTransport | None = None
) -> Shop:
    """Everything behind the counter; `counter` is how it reaches itself where it has no public address."""
    database = Database.open(settings.database_url, pool_size=settings.database_pool_size)
    client = httpx.AsyncClient(transport=None if settings.public_url else counter)
    secrets = Secrets()
    return Shop(
        settings=settings,
        database=database,
        bus=RedisBus(Redis.from_url(settings.redis_url)) if settings.redis_url else LocalBus(),
        payments=payment_gateways(settings, database=database, client=client, secrets=secrets, clock=clock),
        carriers={CarrierCode.SIMULATED: SimulatedCarrier(settings.simulated_carrier_step)},
        media=LocalMedia(settings.media_dir),
        secrets=secrets,
        clock=clock,
    )


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Starlette:
    """The counter: what the outside can knock at."""

    async def counter(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    shop = open_shop(settings, clock=clock, counter=httpx.ASGITransport(counter))
    graphql = GraphQLEndpoint(schema, shop)

    @asynccontextmanager
    async def opening_hours(app: Starlette) -> AsyncIterator[None]:
        async with working(shop, relays=settings.run_worker):
            yield

    app = Starlette(
        routes=[
            graphiql_assets,
            Route("/graphql", graphql, methods=["GET", "POST", "OPTIONS"]),
            WebSocketRoute("/graphql", graphql),
            *health_routes(shop),
            *sandbox_routes(shop),
            *webhook_routes(shop),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(BodyLimit, limit=settings.body_limit_bytes, limits={"/media": settings.upload_limit_bytes}),
        ],
        lifespan=opening_hours,
    )
    app.state.shop = shop
    return app


@asynccontextmanager
async def working(shop: Shop, *, relays: bool = True) -> AsyncIterator[None]:
    """What goes on in the background, for as long as somebody is inside."""
    jobs = [shop.bus.run()]
    if relays:
        jobs += [Relay(shop).run(), Timers(shop, TIMETABLE).run()]
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await shop.bus.close()
        await shop.database.close()
