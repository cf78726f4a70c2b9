"""Carriers that karrio knows, such as DHL, UPS and FedEx: one account each, called in threads."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from gateways.carrier.karrio_carriers.library import KarrioMissing, LibraryAccount
from gateways.carrier.karrio_carriers.statuses import STATUSES
from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierAddress,
    CarrierError,
    CarrierEvent,
    CarrierQuote,
    CarrierRefused,
    Label,
    Parcel,
    PushAnswer,
    PushRefused,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from models import CarrierConnection, CurrencyCode, LabelFormat, Money

T = TypeVar("T")

THREADS = 8
"""A thread that waits for a carrier cannot be ended: more calls than this wait for one."""
INSTALL = "karrio is not installed: pip install 'cartwheel[carriers]'."
LABEL_FORMATS: Mapping[str, LabelFormat] = {"PDF": LabelFormat.PDF, "PNG": LabelFormat.PNG}
CAPABILITIES = Capabilities(
    books=True,
    cancels=True,
    quotes=True,
    tracks=True,
    label_formats=frozenset({LabelFormat.PDF, LabelFormat.PNG, LabelFormat.PRINT_JOB}),
)


@dataclass(frozen=True, slots=True)
class KarrioCarriers:
    """The shop's accounts at carriers that karrio knows, by karrio's name of each."""

    accounts: Mapping[str, Mapping[str, object]]
    addresses: Mapping[str, str]
    opened: dict[str, LibraryAccount] = field(default_factory=dict)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "karrio"))
    connection: CarrierConnection = field(default=CarrierConnection.KARRIO, init=False)
    capabilities: Capabilities = field(default=CAPABILITIES, init=False)

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        request = {
            **terms_of(booking),
            "services": [booking.account.service] if booking.account.service else [],
        }
        found = await self.call(booking.account.company_code, lambda account: account.fetch_rates(request))
        return [
            CarrierQuote(each.service, price_of(each.amount, each.currency), end_of_day(each.day))
            for each in found
        ]

    async def book(self, booking: Booking) -> BookedWaybill:
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        request = {**terms_of(booking), "service": booking.account.service, "label_type": "PDF"}
        made = await self.call(booking.account.company_code, lambda account: account.create_shipment(request))
        label = None
        if made.label is not None:
            known = LABEL_FORMATS.get(made.label_type)
            label = (
                Label(known, made.label)
                if known
                else Label(LabelFormat.PRINT_JOB, made.label, kind=made.label_type)
            )
        return BookedWaybill(made.number, label=label)

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        """None of these carriers can be asked by the shop's reference: what it did stays unknown."""
        raise CarrierError("it cannot be asked what became of a booking: somebody has to ask")

    async def cancel(self, booking: Booking, number: str) -> None:
        await self.call(booking.account.company_code, lambda account: account.cancel_shipment(number))

    async def subscribe(self, tracked: TrackedParcel) -> None:
        raise CarrierRefused("It is asked.")

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        found = await self.call(
            tracked.account.company_code, lambda account: account.fetch_events(tracked.tracking_number)
        )
        events = [
            CarrierEvent(
                status=STATUSES.get(each.status),
                code=each.code,
                description=each.description,
                occurred_at=each.at,
                location=each.location,
            )
            for each in found
        ]
        return sorted(events, key=lambda event: event.occurred_at)

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        raise PushRefused("it is asked")

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return PushAnswer(404)

    async def call(self, company: str, ask: Callable[[LibraryAccount], T]) -> T:
        """Ask in a thread; the first call to a carrier opens its account there."""

        def run() -> T:
            if company not in self.opened:
                if company not in self.accounts:
                    raise CarrierRefused(f"KARRIO_ACCOUNTS has no {company}.")
                try:
                    self.opened[company] = LibraryAccount(
                        company, self.accounts[company], self.addresses.get(company)
                    )
                except KarrioMissing:
                    raise CarrierRefused(INSTALL) from None
            return ask(self.opened[company])

        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, run)
        except (CarrierError, CarrierRefused):
            raise
        except Exception as error:  # whatever karrio did not expect
            raise CarrierError(type(error).__name__) from error


def terms_of(booking: Booking) -> dict[str, object]:
    first = booking.parcels[0]
    return {
        "shipper": address_of(first.sender, booking.account.name),
        "recipient": address_of(first.receiver, ""),
        "parcels": [parcel_of(each) for each in booking.parcels],
        "reference": booking.reference,
        "payment": {"paid_by": "sender"},
    }


def address_of(place: CarrierAddress, company: str) -> dict[str, object]:
    return {
        "person_name": place.name,
        "company_name": company or None,
        "phone_number": place.phone,
        "address_line1": place.line1,
        "city": place.city,
        "state_code": place.province,
        "postal_code": place.postal_code,
        "country_code": place.country_code,
    }


def parcel_of(parcel: Parcel) -> dict[str, object]:
    terms: dict[str, object] = {"weight": parcel.weight_grams / 1000, "weight_unit": "KG"}
    if parcel.size is not None:
        terms |= {
            "length": parcel.size.length_mm / 10,
            "width": parcel.size.width_mm / 10,
            "height": parcel.size.height_mm / 10,
            "dimension_unit": "CM",
        }
    return terms


def price_of(amount: str, currency: str) -> Money:
    try:
        return Money.of(Decimal(amount), CurrencyCode(currency))
    except (ValueError, ArithmeticError):
        raise CarrierError("a price cannot be read") from None


def end_of_day(day: str) -> datetime | None:
    """The end of the day that is promised."""
    try:
        found = datetime.fromisoformat(day)
    except ValueError:
        return None
    return found.replace(hour=23, minute=59, second=0, tzinfo=found.tzinfo or UTC)
