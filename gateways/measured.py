"""Calls to partners are counted, timed and traced, whatever the partner is."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

import httpx

from gateways.carrier import Carrier, CarrierEvent, Parcel, Waybill
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
from gateways.tracing import Tracer, open_span
from models import AttemptReport, CarrierCode, CurrencyCode, PaymentChannel, PaymentMethod, RefundReport

CALL_SECONDS = 30.0
"""How long a call to a payment provider may take in all, with everything it consists of."""


@dataclass(frozen=True, slots=True)
class CallObserver:
    """Measures the calls of one process to its partners, and leaves those alone that do not answer."""

    metrics: Metrics
    tracer: Tracer | None = None
    breakers: dict[str, CircuitBreaker] = field(default_factory=lambda: defaultdict(CircuitBreaker))
    """By payment method."""

    @contextmanager
    def observe(self, kind: str, partner: str, call: str) -> Iterator[None]:
        """Measure the block: "ok", "refused" where the partner said no, "failed" where it did not answer."""
        began, outcome = perf_counter(), "failed"
        try:
            with open_span(self.tracer, f"{kind} {partner} {call}"):
                yield
            outcome = "ok"
        except (ProviderRefused, NoticeRefused):
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
    """A carrier whose calls are measured."""

    carrier: Carrier
    observer: CallObserver

    @property
    def code(self) -> CarrierCode:
        return self.carrier.code

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        with self.observer.observe("carrier", self.code.value, "book"):
            return await self.carrier.book(parcel, now=now)

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        with self.observer.observe("carrier", self.code.value, "track"):
            return await self.carrier.track(
                parcel, tracking_number=tracking_number, dispatched_at=dispatched_at, now=now
            )


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
