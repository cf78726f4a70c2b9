"""Calls to partners are counted, timed and traced, whatever the partner is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import httpx

from gateways.carrier import Carrier, CarrierEvent, Parcel, Waybill
from gateways.metrics import Metrics
from gateways.notice import NoticeRefused
from gateways.payment import Charge, NextAction, PaymentGateway, PaymentReport, ProviderRefused, RefundReport
from gateways.tracing import Tracer, open_span
from models import CarrierCode, Money, PaymentMethod


@dataclass(frozen=True, slots=True)
class CallObserver:
    """Measures the calls of one process to its partners."""

    metrics: Metrics
    tracer: Tracer | None = None

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


@dataclass(frozen=True, slots=True)
class MeasuredPayments:
    """A payment provider whose calls are measured."""

    gateway: PaymentGateway
    observer: CallObserver

    @property
    def method(self) -> PaymentMethod:
        return self.gateway.method

    async def start(self, charge: Charge) -> NextAction:
        with self.observer.observe("payment", self.method.value, "start"):
            return await self.gateway.start(charge)

    async def query(self, charge: Charge) -> PaymentReport:
        with self.observer.observe("payment", self.method.value, "query"):
            return await self.gateway.query(charge)

    async def close(self, charge: Charge) -> None:
        with self.observer.observe("payment", self.method.value, "close"):
            await self.gateway.close(charge)

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        with self.observer.observe("payment", self.method.value, "refund"):
            return await self.gateway.refund(charge, amount=amount, reference=reference, reason=reason)

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        return self.gateway.verify(headers, body, now=now)


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
