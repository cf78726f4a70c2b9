"""The whole shop, wired: the only file that knows every part."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from demo.gallery import gallery_routes
from edge.graphiql import graphiql_assets
from edge.graphql import GraphQLEndpoint
from edge.health import health_routes
from edge.limits import BodyLimit
from edge.logs import RequestLog
from edge.media import media_routes
from edge.sandbox import sandbox_routes
from edge.webhooks import webhook_routes
from events.bus import LocalBus, RedisBus
from events.relay import Relay
from events.shop import Shop
from events.timers import Timers
from events.timetable import TIMETABLE
from gateways.carrier.simulated import SimulatedCarrier
from gateways.media import LocalMedia
from gateways.payment import PaymentGateway
from gateways.payment.cash import Cash
from gateways.payment.sandbox import Sandbox
from gateways.secrets import Secrets
from models import CarrierCode
from models.database import Database
from schema import schema
from settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_shop(
    settings: Settings, *, clock: Clock = utc_now, inside: httpx.AsyncBaseTransport | None = None
) -> Shop:
    """Everything behind the counter. `inside` carries the built-in provider's messages when we have no
    address of our own."""
    database = Database.open(settings.database_url, pool_size=settings.database_pool_size)
    secrets = Secrets()
    payments: list[PaymentGateway] = [Cash()]
    closers: list[Callable[[], Awaitable[None]]] = []
    if settings.offers_sandbox:
        client = httpx.AsyncClient(transport=None if settings.public_url else inside)
        key = settings.signing_key()
        payments.append(Sandbox(database, client, key, settings.address, clock, secrets.token))
        closers.append(client.aclose)
    return Shop(
        settings=settings,
        database=database,
        bus=RedisBus(Redis.from_url(settings.redis_url)) if settings.redis_url else LocalBus(),
        payments={gateway.method: gateway for gateway in payments},
        carriers={CarrierCode.SIMULATED: SimulatedCarrier(settings.simulated_carrier_step)},
        media=LocalMedia(settings.media_dir),
        secrets=secrets,
        clock=clock,
        closers=closers,
    )


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Starlette:
    """The counter: what the outside can knock at."""

    @asynccontextmanager
    async def opening_hours(app: Starlette) -> AsyncIterator[None]:
        async with working(shop, relays=settings.run_worker):
            yield

    limits = {"/media": settings.upload_limit_bytes}
    app = Starlette(
        middleware=[
            Middleware(RequestLog),
            Middleware(BodyLimit, limit=settings.body_limit_bytes, limits=limits),
        ],
        lifespan=opening_hours,
    )
    app.state.shop = shop = open_shop(settings, clock=clock, inside=httpx.ASGITransport(app))
    graphql = GraphQLEndpoint(schema, shop)
    app.router.routes += [
        graphiql_assets,
        Route("/graphql", graphql, methods=["GET", "POST", "OPTIONS"]),
        WebSocketRoute("/graphql", graphql),
        *gallery_routes(shop),
        *media_routes(shop),
        *webhook_routes(shop),
        *sandbox_routes(shop),
        *health_routes(shop),
    ]
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
        await shop.close()
