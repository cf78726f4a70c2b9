"""Calls to partners are counted, timed and traced, whatever the partner is."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import httpx

from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierGateway,
    CarrierNotReached,
    CarrierQuote,
    CarrierRefused,
    PushAnswer,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from gateways.circuit import CircuitBreaker
from gateways.metrics import Metrics
from gateways.notice import NoticeRefused
from gateways.payment.provider import (
    Attempt,
    Closed,
    Notice,
    NoticeAnswer,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentProvider,
    ProviderError,
    ProviderNotCalled,
    ProviderRefused,
    RefundStart,
    Start,
    Started,
    Verdict,
)
from gateways.search.protocol import SearchRefused, SearchUnavailable
from gateways.tracing import Tracer, open_span
from models import (
    AttemptReport,
    CarrierCode,
    CarrierConnection,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    RefundReport,
)

CALL_SECONDS = 30.0
"""How long a call to a provider or a carrier may take in all, with everything it consists of."""


SEARCH = "search"
"""The partner that is asked for what is found."""

LONGEST_SEARCH_PAUSE_SECONDS = 10.0
"""How long the search is left alone at most: nothing is found meanwhile."""


def new_breakers() -> dict[str, CircuitBreaker]:
    breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)
    breakers[SEARCH] = CircuitBreaker(longest_pause=LONGEST_SEARCH_PAUSE_SECONDS)
    return breakers


def queue_of(code: CarrierCode) -> str:
    """The partner that calls to one carrier are due at."""
    return f"carrier {code}"


@dataclass(frozen=True, slots=True)
class CallObserver:
    """Measures the calls of one process to its partners, and leaves those alone that do not answer."""

    metrics: Metrics
    tracer: Tracer | None = None
    breakers: dict[str, CircuitBreaker] = field(default_factory=new_breakers)
    """By payment method, by the queue of each carrier, and of the search."""

    @contextmanager
    def observe(self, kind: str, partner: str, call: str) -> Iterator[None]:
        """Measure the block: "ok", "refused" where the partner said no, "failed" where it did not answer."""
        began, outcome = perf_counter(), "failed"
        try:
            with open_span(self.tracer, f"{kind} {partner} {call}"):
                yield
            outcome = "ok"
        except (ProviderRefused, CarrierRefused, NoticeRefused, SearchRefused):
            outcome = "refused"
            raise
        finally:
            self.metrics.gateway_calls.at(kind, partner, call, outcome).add(perf_counter() - began)

    @asynccontextmanager
    async def call_provider(self, method: PaymentMethod, call: str) -> AsyncIterator[None]:
        """Measure a call to a payment provider; ProviderError where it takes too long or is not made."""
        breaker = self.breakers[method.value]
        answered: bool | None = False
        if not breaker.enter():
            raise ProviderNotCalled(f"{method} has not answered for some time")
        try:
            with self.observe("payment", method.value, call):
                async with asyncio.timeout(CALL_SECONDS):
                    yield
            answered = True
        except ProviderRefused:
            answered = True
            raise
        except asyncio.CancelledError:
            answered = None  # whoever asked has gone: that says nothing about the provider
            raise
        except TimeoutError as error:
            raise ProviderError(f"{method} takes too long") from error
        finally:
            breaker.leave(answered=answered)

    @asynccontextmanager
    async def call_carrier(self, code: CarrierCode, call: str) -> AsyncIterator[None]:
        """Measure a call to a carrier; CarrierError where it takes too long or is not made."""
        breaker = self.breakers[queue_of(code)]
        answered: bool | None = False
        if not breaker.enter():
            raise CarrierNotReached(f"{code} has not answered for some time")
        try:
            with self.observe("carrier", code, call):
                async with asyncio.timeout(CALL_SECONDS):
                    yield
            answered = True
        except CarrierRefused:
            answered = True
            raise
        except asyncio.CancelledError:
            answered = None  # whoever asked has gone: that says nothing about the carrier
            raise
        except TimeoutError as error:
            raise CarrierError(f"{code} takes too long") from error
        finally:
            breaker.leave(answered=answered)

    @asynccontextmanager
    async def call_search(self, call: str) -> AsyncIterator[None]:
        """Measure a call to a search engine; SearchUnavailable where it is not made."""
        breaker = self.breakers[SEARCH]
        answered: bool | None = False
        if not breaker.enter():
            raise SearchUnavailable("the search has not answered for some time")
        try:
            with self.observe(SEARCH, "opensearch", call):
                yield
            answered = True
        except SearchRefused:
            answered = True
            raise
        except asyncio.CancelledError:
            answered = None  # whoever asked has gone: that says nothing about the engine
            raise
        finally:
            breaker.leave(answered=answered)


@dataclass(frozen=True, slots=True)
class MeasuredPayments:
    """A payment provider whose calls are measured, and not made while it does not answer."""

    provider: PaymentProvider
    observer: CallObserver

    @property
    def method(self) -> PaymentMethod:
        return self.provider.method

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return self.provider.channels

    @property
    def currencies(self) -> frozenset[CurrencyCode]:
        return self.provider.currencies

    async def start(self, start: Start) -> Started:
        async with self.observer.call_provider(self.method, "start"):
            return await self.provider.start(start)

    async def query(self, attempt: Attempt) -> AttemptReport:
        async with self.observer.call_provider(self.method, "query"):
            return await self.provider.query(attempt)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        async with self.observer.call_provider(self.method, "close"):
            return await self.provider.close(attempt)

    async def refund(self, refund: RefundStart) -> RefundReport:
        async with self.observer.call_provider(self.method, "refund"):
            return await self.provider.refund(refund)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        async with self.observer.call_provider(self.method, "query_refund"):
            return await self.provider.query_refund(refund, provider_reference)

    async def read(self, request: NoticeRequest) -> Notice:
        return await self.provider.read(request)

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return self.provider.answer(verdict)

    async def check(self) -> Sequence[str]:
        async with self.observer.call_provider(self.method, "check"):
            return await self.provider.check()


@dataclass(frozen=True, slots=True)
class MeasuredCarrier:
    """A carrier whose calls are measured, and not made while it does not answer."""

    gateway: CarrierGateway
    observer: CallObserver
    code: CarrierCode

    @property
    def connection(self) -> CarrierConnection:
        return self.gateway.connection

    @property
    def capabilities(self) -> Capabilities:
        return self.gateway.capabilities

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        async with self.observer.call_carrier(self.code, "quote"):
            return await self.gateway.quote(booking)

    async def book(self, booking: Booking) -> BookedWaybill:
        async with self.observer.call_carrier(self.code, "book"):
            return await self.gateway.book(booking)

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        async with self.observer.call_carrier(self.code, "find_booking"):
            return await self.gateway.find_booking(booking)

    async def cancel(self, booking: Booking, number: str) -> None:
        async with self.observer.call_carrier(self.code, "cancel"):
            await self.gateway.cancel(booking, number)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        async with self.observer.call_carrier(self.code, "subscribe"):
            await self.gateway.subscribe(tracked)

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        async with self.observer.call_carrier(self.code, "track"):
            return await self.gateway.track(tracked)

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        return self.gateway.read_push(request)

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return self.gateway.answer(verdict)


class MeasuredTransport(httpx.AsyncBaseTransport):
    """HTTP requests to partners, by host; each is told which span sent it. Paths are not kept: they may name
    orders.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, metrics: Metrics, tracer: Tracer | None) -> None:
        self.transport = transport
        self.metrics = metrics
        self.tracer = tracer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        attributes = {"http.request.method": request.method, "server.address": host}
        with (
            self.metrics.gateway_requests.measure(host),
            open_span(self.tracer, f"{request.method} {host}", attributes) as span,
        ):
            if self.tracer and (traceparent := self.tracer.traceparent()):
                request.headers["traceparent"] = traceparent
            response = await self.transport.handle_async_request(request)
            span.note("http.response.status_code", response.status_code)
            return response

    async def aclose(self) -> None:
        await self.transport.aclose()
