"""Payment providers, carriers and HTTP whose calls are measured."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import httpx

from gateways.calls import CallErrors, CallObserver
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierGateway,
    CarrierNotCalled,
    CarrierQuote,
    CarrierRefused,
    PushAnswer,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from gateways.metrics import Metrics
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
from models import (
    AttemptReport,
    CarrierCode,
    CarrierConnection,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    RefundReport,
)

PROVIDER_ERRORS = CallErrors(refused=ProviderRefused, not_called=ProviderNotCalled, too_late=ProviderError)
CARRIER_ERRORS = CallErrors(refused=CarrierRefused, not_called=CarrierNotCalled, too_late=CarrierError)


def queue_of(code: CarrierCode) -> str:
    """The partner that calls to one carrier are due at."""
    return f"carrier {code}"


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

    def call(self, call: str) -> AbstractAsyncContextManager[None]:
        """Measure a call; ProviderError where it takes too long or is not made."""
        return self.observer.call_partner("payment", self.method.value, call, PROVIDER_ERRORS)

    async def start(self, start: Start) -> Started:
        async with self.call("start"):
            return await self.provider.start(start)

    async def query(self, attempt: Attempt) -> AttemptReport:
        async with self.call("query"):
            return await self.provider.query(attempt)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        async with self.call("close"):
            return await self.provider.close(attempt)

    async def refund(self, refund: RefundStart) -> RefundReport:
        async with self.call("refund"):
            return await self.provider.refund(refund)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        async with self.call("query_refund"):
            return await self.provider.query_refund(refund, provider_reference)

    async def read(self, request: NoticeRequest) -> Notice:
        return await self.provider.read(request)

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return self.provider.answer(verdict)

    async def check(self) -> Sequence[str]:
        async with self.call("check"):
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

    def call(self, call: str) -> AbstractAsyncContextManager[None]:
        """Measure a call; CarrierError where it takes too long or is not made."""
        return self.observer.call_partner(
            "carrier", self.code, call, CARRIER_ERRORS, queue=queue_of(self.code)
        )

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        async with self.call("quote"):
            return await self.gateway.quote(booking)

    async def book(self, booking: Booking) -> BookedWaybill:
        async with self.call("book"):
            return await self.gateway.book(booking)

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        async with self.call("find_booking"):
            return await self.gateway.find_booking(booking)

    async def cancel(self, booking: Booking, number: str) -> None:
        async with self.call("cancel"):
            await self.gateway.cancel(booking, number)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        async with self.call("subscribe"):
            await self.gateway.subscribe(tracked)

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        async with self.call("track"):
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
