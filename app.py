"""The whole shop, wired: the only file that knows every part."""

from collections.abc import AsyncIterator, Callable
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
from edge.persisted import PersistedQueries
from edge.products import PATH as PRODUCTS
from edge.products import product_routes
from edge.sandbox import sandbox_routes
from edge.webhooks import webhook_routes
from events.bus import LocalBus, RedisBus
from events.shop import Shop
from events.working import working
from gateways.carrier.simulated import SimulatedCarrier
from gateways.media import media_store
from gateways.payment.connected import connected
from gateways.secrets import Secrets
from models import CarrierCode
from models.database import Database
from schema import schema
from settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_shop(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    app: Starlette | None = None,
    database: Database | None = None,
) -> Shop:
    """Everything behind the counter; without an address of its own, partners reach it through `app`."""
    database = database or Database.open(settings.database_url, pool_size=settings.database_pool_size)
    inward = httpx.ASGITransport(app) if app and not settings.public_url else None
    client, secrets = httpx.AsyncClient(transport=inward), Secrets()
    return Shop(
        settings=settings,
        database=database,
        bus=RedisBus(Redis.from_url(settings.redis_url)) if settings.redis_url else LocalBus(),
        payments=connected(settings, database, secrets, client, clock),
        carriers={CarrierCode.SIMULATED: SimulatedCarrier(settings.simulated_carrier_step)},
        media=media_store(settings),
        secrets=secrets,
        clock=clock,
        closers=[client.aclose],
    )


def create_app(settings: Settings, *, clock: Clock = utc_now, database: Database | None = None) -> Starlette:
    """The counter: what the outside can knock at."""

    @asynccontextmanager
    async def opening_hours(app: Starlette) -> AsyncIterator[None]:
        async with working(shop, relays=settings.run_worker):
            yield

    uploads = {"/media": settings.upload_limit_bytes, PRODUCTS: settings.import_limit_bytes}
    limits = Middleware(BodyLimit, limit=settings.body_limit_bytes, limits=uploads)
    app = Starlette(middleware=[Middleware(RequestLog), limits], lifespan=opening_hours)
    app.state.shop = shop = open_shop(settings, clock=clock, app=app, database=database)
    persisted = PersistedQueries(shop.bus.redis if isinstance(shop.bus, RedisBus) else None)
    graphql = GraphQLEndpoint(schema, shop, persisted)
    app.router.routes += [
        graphiql_assets,
        Route("/graphql", graphql, methods=["GET", "POST", "OPTIONS"]),
        WebSocketRoute("/graphql", graphql),
        *gallery_routes(shop),
        *media_routes(shop),
        *product_routes(shop),
        *webhook_routes(shop),
        *sandbox_routes(shop),
        *health_routes(shop),
    ]
    return app
