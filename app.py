"""Assembles the shop and its web application: the only file that knows every part."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from demo.graphiql import find_demo_content
from demo.live_stock import moving_stock
from demo.picture_routes import picture_routes
from edge.client_guards import ClientGuards
from edge.connections import BodyDeadline, LiveConnections
from edge.cors import CrossOrigin
from edge.documents import document_routes
from edge.export import export_routes
from edge.graphiql import GraphiQL
from edge.graphql import GraphQLEndpoint
from edge.health import health_routes
from edge.limits.body import BodyLimit
from edge.logs import RequestLog, logged_loop_failures
from edge.media import UPLOAD_SECONDS, media_routes
from edge.metrics import serving_metrics
from edge.monitor import RequestMonitor
from edge.operations.registered import RegisteredOperations
from edge.persisted_operations import PersistedOperations
from edge.picture_sizes import PictureSizes
from edge.products import FILE_SECONDS, product_routes
from edge.products import PATH as PRODUCTS
from edge.rates import RequestRate
from edge.reader import ReaderLanguage
from edge.sandbox import sandbox_routes
from edge.security_headers import SecurityHeaders
from edge.start_page import start_routes
from edge.webhooks import PUSH_LIMITS, webhook_routes
from events.bus import LocalBus, RedisBus
from events.jobs.worker import running_jobs
from events.shop import Shop
from events.types import Clock
from gateways.buckets import MemoryBuckets, RedisBuckets
from gateways.calls import CallObserver
from gateways.carrier.registry import CONNECTIONS as CARRIER_CONNECTIONS
from gateways.carrier.registry import CarrierRegistration, connect_carriers
from gateways.geocoder import connect_geocoder
from gateways.leases import Leases
from gateways.meaning import connect_meaning
from gateways.measured import MeasuredTransport
from gateways.media import create_media_store
from gateways.metrics import Metrics
from gateways.notice.registry import connect_notice_gateways
from gateways.outside import open_outside_client
from gateways.payment.registry import (
    CONNECTIONS,
    PaymentConnection,
    connect_payment_providers,
    connect_sandbox,
)
from gateways.redis_client import connect_redis
from gateways.routing.registry import connect_matrix, create_planner
from gateways.search import connect_search
from gateways.secrets import Secrets
from gateways.statements import StatementWatch
from gateways.tracer_choice import connect_tracer
from loaders.search import ARTICLE_LAYOUT, PRODUCT_LAYOUT
from models.database import Database
from schema import schema
from settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_shop(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    app: Starlette | None = None,
    database: Database | None = None,
    connections: Sequence[PaymentConnection] = CONNECTIONS,
    carrier_registrations: Sequence[CarrierRegistration] = CARRIER_CONNECTIONS,
) -> Shop:
    """Everything but the web: database, bus, partners, queues and counters, as the settings say.

    The built-in payment provider calls our webhooks over HTTP, or `app` where the shop has no public address.
    """
    database = database or Database.open(settings.database.url, pool_size=settings.database.pool_size)
    metrics, tracer = Metrics(), connect_tracer(settings, version=version("cartwheel"))
    watch = StatementWatch(database, metrics, tracer)
    outside = own = open_outside_client(metrics, tracer)
    if app and not settings.server.public_url:
        own = httpx.AsyncClient(transport=MeasuredTransport(httpx.ASGITransport(app), metrics, tracer))
    secrets, search_calls = Secrets(), CallObserver(metrics, tracer)
    redis = connect_redis(settings.redis.url) if settings.redis.url else None
    sandbox = connect_sandbox(settings, database, secrets, own, clock)
    payments = connect_payment_providers(settings, outside, clock, secrets, connections)
    return Shop(
        settings=settings,
        database=database,
        bus=RedisBus(redis) if redis else LocalBus(),
        buckets=RedisBuckets(redis) if redis else MemoryBuckets(),
        leases=Leases(redis),
        payments={**payments, sandbox.method: sandbox} if sandbox else payments,
        sandbox=sandbox,
        carriers=connect_carriers(settings, outside, clock, carrier_registrations),
        geocoder=connect_geocoder(settings, outside),
        media=create_media_store(settings),
        products=connect_search(settings, PRODUCT_LAYOUT, outside, search_calls),
        articles=connect_search(settings, ARTICLE_LAYOUT, outside, search_calls),
        matrix=connect_matrix(settings, outside),
        planner=create_planner(settings),
        meaning=connect_meaning(settings),
        secrets=secrets,
        clock=clock,
        metrics=metrics,
        tracer=tracer,
        notices=connect_notice_gateways(settings, outside, clock),
        closers=[own.aclose, outside.aclose, watch.close, *([tracer.close] if tracer else [])],
    )


def guards(shop: Shop) -> list[Middleware]:
    """What a request passes before it is read, the first one first."""
    timeouts = {"/media": timedelta(seconds=UPLOAD_SECONDS), PRODUCTS: timedelta(seconds=FILE_SECONDS)}
    clients = [
        Middleware(ReaderLanguage, settings=shop.settings),
        Middleware(CrossOrigin, settings=shop.settings),
        Middleware(RequestRate, settings=shop.settings),
        Middleware(LiveConnections, shop=shop),
    ]
    return [
        Middleware(RequestLog),
        Middleware(RequestMonitor, shop=shop),
        Middleware(SecurityHeaders, settings=shop.settings),
        Middleware(ClientGuards, guards=clients),
        Middleware(BodyDeadline, settings=shop.settings.connections, timeouts=timeouts),
    ]


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    database: Database | None = None,
    connections: Sequence[PaymentConnection] = CONNECTIONS,
    carrier_registrations: Sequence[CarrierRegistration] = CARRIER_CONNECTIONS,
) -> Starlette:
    """The web application: GraphQL, files, webhooks and health; its jobs run while it is being served."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with logged_loop_failures():
            async with (
                running_jobs(shop, relays=settings.server.run_worker),
                graphql.running(),
                serving_metrics(shop),
                moving_stock(shop),
            ):
                yield

    uploads = {"/media": settings.limits.upload_bytes, PRODUCTS: settings.limits.import_bytes}
    limits = Middleware(BodyLimit, limit=settings.limits.body_bytes, limits=uploads | PUSH_LIMITS)
    app = Starlette(lifespan=lifespan)
    app.state.shop = shop = open_shop(
        settings,
        clock=clock,
        app=app,
        database=database,
        connections=connections,
        carrier_registrations=carrier_registrations,
    )
    app.user_middleware = [*guards(shop), limits]
    app.state.picture_sizes = PictureSizes(shop.media, shop.picture_memory)
    app.state.registered = registered = RegisteredOperations(shop.database.reads)
    persisted = PersistedOperations(
        shop.bus.redis if isinstance(shop.bus, RedisBus) else None,
        registered,
        registered_only=settings.operations.persisted_only,
    )
    graphiql = GraphiQL(
        find_content=lambda: find_demo_content(shop), registered_only=settings.operations.persisted_only
    )
    graphql = GraphQLEndpoint(schema, shop, persisted, graphiql)
    app.state.graphql = graphql
    app.router.routes += [
        *start_routes(shop, schema),
        graphiql.assets,
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        *picture_routes(shop),
        *media_routes(shop, app.state.picture_sizes),
        *product_routes(shop),
        *webhook_routes(shop),
        *export_routes(shop),
        *document_routes(shop),
        *sandbox_routes(shop),
        *health_routes(shop),
    ]
    return app
