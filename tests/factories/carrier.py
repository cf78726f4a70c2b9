"""Carriers: those that a migration adds to every shop, and further ones."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import cast

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierError,
    CarrierEvent,
    CarrierGateway,
    CarrierQuote,
    CarrierRefused,
    PushAnswer,
    PushRefused,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from models import (
    Carrier,
    CarrierCode,
    CarrierConnection,
    CarrierPreference,
    CarrierRule,
    Shipment,
)
from models.database import Database

STARTED_AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def first_carriers(connection: Connection) -> None:
    import_module("migrations.versions.0052_carriers_are_rows").first_carriers(connection)


async def create_carrier(
    session: AsyncSession,
    code: str,
    connection: CarrierConnection = CarrierConnection.MANUAL,
    *,
    position: int = 3,
    company_code: str = "",
    account: str = "",
    service: str = "",
    tracking_link: str = "",
    takes_cash: bool = False,
    cut_offs: dict[str, int] | None = None,
    rates: Sequence[dict[str, object]] = (),
) -> Carrier:
    carrier = Carrier(
        code=CarrierCode(code),
        name=f"Carrier {code}",
        connection=connection,
        account=account,
        service=service,
        company_code=company_code,
        tracking_link=tracking_link,
        cut_offs=cut_offs or {},
        rates=list(rates),
        takes_cash=takes_cash,
        position=position,
        version=1,
    )
    session.add(carrier)
    await session.flush()
    return carrier


async def create_carrier_rule(
    session: AsyncSession,
    name: str,
    *codes: str,
    preference: CarrierPreference = CarrierPreference.ORDER,
    shares: Mapping[str, int] | None = None,
    position: int = 1,
) -> CarrierRule:
    rule = CarrierRule(
        name=name,
        position=position,
        regions=[],
        preference=preference,
        carriers=list(codes),
        shares=dict(shares or {}),
        chosen={},
        version=1,
        changed_at=STARTED_AT,
    )
    session.add(rule)
    await session.flush()
    return rule


@dataclass
class ScriptedCarrier:
    """A carrier that books what it is asked for and answers as a test says; by default it never answers."""

    answers: list[BookedWaybill | Exception] = field(default_factory=list)
    """What the next calls to book are answered; afterwards none is."""
    events: list[CarrierEvent] | None = None
    cancel_answer: Exception | None = None
    connection: CarrierConnection = CarrierConnection.SIMULATED
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(books=True, cancels=True, tracks=True)
    )
    bookings: list[Booking] = field(default_factory=list)
    booked: dict[str, BookedWaybill] = field(default_factory=dict)
    """By reference, whether or not the answer came."""
    cancelled: list[str] = field(default_factory=list)
    asked_after: list[Booking] = field(default_factory=list)

    quotes: Sequence[CarrierQuote] | Exception = field(default_factory=lambda: CarrierRefused("no prices"))
    asked_for_quotes: list[Booking] = field(default_factory=list)

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        self.asked_for_quotes.append(booking)
        if isinstance(self.quotes, Exception):
            raise self.quotes
        return self.quotes

    async def book(self, booking: Booking) -> BookedWaybill:
        self.bookings.append(booking)
        if not self.answers:
            raise CarrierError("no answer")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return self.booked.setdefault(booking.reference, answer)

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        self.asked_after.append(booking)
        return self.booked.get(booking.reference)

    async def cancel(self, booking: Booking, number: str) -> None:
        if self.cancel_answer:
            raise self.cancel_answer
        self.cancelled.append(number)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        raise CarrierRefused("it does not push")

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        if self.events is None:
            raise CarrierError("no answer")
        return self.events

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        raise PushRefused("it does not push")

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return PushAnswer(404)


class WatchfulCarrier(ScriptedCarrier):
    """A carrier that fails when the shop holds a lock during the call."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    async def book(self, booking: Booking) -> BookedWaybill:
        async with self.database.writes.begin() as session:
            await session.execute(select(Shipment).with_for_update(nowait=True))
        self.answers.append(BookedWaybill(f"W-{booking.reference}"))
        return await super().book(booking)


def connect_carrier(shop: Shop, carrier: CarrierGateway) -> None:
    """Connect a carrier in place of the one with its connection."""
    cast(MutableMapping[CarrierConnection, CarrierGateway], shop.carriers)[carrier.connection] = carrier
