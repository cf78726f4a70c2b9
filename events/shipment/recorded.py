"""Calls to carriers are recorded: all of a step after they were made, in one short transaction of its own.

Recording never fails what it records: where the database does not answer, the log has it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.shipment.carrier_answers import redact_answer, withhold_known
from domain.shipment.carrier_calls import CarrierCallSubject, MadeCarrierCall, record_carrier_calls
from events.types import Resources
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierNotCalled,
    CarrierNotReached,
    CarrierQuote,
    CarrierRefused,
    Parcel,
    TrackedParcel,
)
from gateways.carrier.wire import follow_wire
from gateways.measured import MeasuredCarrier
from loaders.shipment import ShipmentRoute
from models import Carrier, CarrierCallKind, CarrierCallOutcome, CarrierCode, Waybill
from text.withheld import withhold_secrets

log = structlog.get_logger()

RECORD_SECONDS = 2.0
"""How long recording may take: whoever made the calls waits for that."""
MILLISECONDS = 1_000
NOBODY_WAITED = "nobody waited for the answer"
SHORTEST_KNOWN = 2
"""Characters of what is left out because somebody is known by it; one alone says nothing."""


@dataclass(slots=True)
class CallJournal:
    """The calls that are made within its block, stored at its end."""

    resources: Resources
    by: int | None = None
    """The account that has started them; None for those that fell due."""
    calls: list[MadeCarrierCall] = field(default_factory=list)

    def follow(self, gateway: MeasuredCarrier, subject: CarrierCallSubject) -> "RecordedCarrier":
        return RecordedCarrier(gateway, subject, self)

    async def __aenter__(self) -> "CallJournal":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await store_calls(self.resources, self.calls)


@dataclass(slots=True)
class AnswerInWords:
    """What a carrier has answered to a call, in the words of the shop; filled in by who made it."""

    answer: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCarrier:
    """A carrier whose calls about one thing are recorded."""

    gateway: MeasuredCarrier
    subject: CarrierCallSubject
    journal: CallJournal

    @property
    def code(self) -> CarrierCode:
        return self.gateway.code

    @property
    def capabilities(self) -> Capabilities:
        return self.gateway.capabilities

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        with self.record(CarrierCallKind.QUOTE, booking.parcels) as given:
            quotes = await self.gateway.quote(booking)
            given.answer = describe_quotes(quotes)
            return quotes

    async def book(self, booking: Booking) -> BookedWaybill:
        with self.record(CarrierCallKind.BOOK, booking.parcels) as given:
            booked = await self.gateway.book(booking)
            given.answer = booked.number
            return booked

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        with self.record(CarrierCallKind.FIND_BOOKING, booking.parcels) as given:
            found = await self.gateway.find_booking(booking)
            given.answer = found.number if found else "NOT_BOOKED"
            return found

    async def cancel(self, booking: Booking, number: str) -> None:
        with self.record(CarrierCallKind.CANCEL, booking.parcels) as given:
            await self.gateway.cancel(booking, number)
            given.answer = "CANCELLED"

    async def subscribe(self, tracked: TrackedParcel) -> None:
        with self.record(CarrierCallKind.SUBSCRIBE, [tracked.parcel]) as given:
            await self.gateway.subscribe(tracked)
            given.answer = "SUBSCRIBED"

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        with self.record(CarrierCallKind.TRACK, [tracked.parcel]) as given:
            events = await self.gateway.track(tracked)
            given.answer = describe_events(events)
            return events

    @contextmanager
    def record(self, kind: CarrierCallKind, parcels: Sequence[Parcel]) -> Iterator[AnswerInWords]:
        """Record the block as a call, whatever comes of it; nothing where it was not made at all."""
        given, began, made = AnswerInWords(), perf_counter(), True
        outcome, reason = CarrierCallOutcome.NO_ANSWER, ""
        with follow_wire() as wire:
            try:
                yield given
                outcome = CarrierCallOutcome.ANSWERED
            except CarrierNotCalled:
                made = False
                raise
            except CarrierRefused as refusal:
                outcome, reason = CarrierCallOutcome.REFUSED, str(refusal)
                raise
            except CarrierNotReached as error:
                outcome, reason = CarrierCallOutcome.NOT_REACHED, str(error)
                raise
            except CarrierError as error:
                reason = str(error)
                raise
            except asyncio.CancelledError:
                reason = NOBODY_WAITED
                raise
            except Exception as error:
                reason = type(error).__name__
                raise
            finally:
                if made:
                    known = known_of(parcels)
                    self.journal.calls.append(
                        MadeCarrierCall(
                            subject=self.subject,
                            carrier=self.code,
                            kind=kind,
                            outcome=outcome,
                            by=self.journal.by,
                            ended_at=self.journal.resources.clock(),
                            milliseconds=round((perf_counter() - began) * MILLISECONDS),
                            answer=given.answer,
                            reason=withhold_secrets(withhold_known(reason, known)) or None,
                            status_code=wire.status_code,
                            body=redact_answer(wire.body, known),
                        )
                    )


def gateway_of(resources: Resources, carrier: Carrier) -> MeasuredCarrier | None:
    gateway = resources.carriers.get(carrier.connection)
    return MeasuredCarrier(gateway, resources.calls, carrier.code) if gateway else None


def subject_of_waybill(waybill: Waybill, routes: Sequence[ShipmentRoute]) -> CarrierCallSubject:
    order_id = routes[0].order.id if routes else None
    return CarrierCallSubject(order_id=order_id, waybill_id=waybill.mother_id or waybill.id)


def subject_of_parcel(route: ShipmentRoute) -> CarrierCallSubject:
    return CarrierCallSubject(order_id=route.order.id, shipment_id=route.shipment.id)


def known_of(parcels: Sequence[Parcel]) -> frozenset[str]:
    """What is known of the people that parcels go between."""
    people = [place for parcel in parcels for place in (parcel.sender, parcel.receiver)]
    texts = {text for each in people for text in (each.name, each.phone, each.line1, each.postal_code)}
    return frozenset(text for text in texts if len(text) >= SHORTEST_KNOWN)


def describe_quotes(quotes: Sequence[CarrierQuote]) -> str:
    """The lowest price."""
    if not quotes:
        return "NO_PRICE"
    price = min((each.price for each in quotes), key=lambda price: price.minor)
    return f"{price.amount} {price.currency}"


def describe_events(events: Sequence[CarrierEvent]) -> str:
    """The status of the newest event."""
    if not events:
        return "NO_EVENTS"
    newest = max(events, key=lambda event: event.occurred_at)
    return newest.status.value if newest.status else "UNKNOWN_CODE"


async def store_calls(resources: Resources, calls: Sequence[MadeCarrierCall]) -> None:
    """Write calls down; the log has what the database does not take in time."""
    if not calls:
        return
    stored = False
    try:
        async with asyncio.timeout(RECORD_SECONDS), resources.database.writes.begin() as session:
            await record_carrier_calls(session, calls)
        stored = True
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("carrier.calls_not_written", error=type(error).__name__)
    finally:
        for call in [] if stored else calls:
            log.warning(
                "carrier.call_not_recorded",
                carrier=call.carrier,
                call=call.kind,
                waybill=call.subject.waybill_id,
                shipment=call.subject.shipment_id,
                outcome=call.outcome,
                answer=call.answer,
                reason=call.reason,
                milliseconds=call.milliseconds,
            )
