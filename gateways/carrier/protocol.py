"""What a carrier is to the shop: the Protocol each connection implements, and the data it takes and gives.

Moments have a time zone. A carrier knows a booking by the shop's own reference, so every call can be
repeated: a repetition answers what the first one did.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from models import CarrierCode, CarrierConnection, LabelFormat, Money, ParcelSize, ShipmentStatus


class CarrierError(Exception):
    """The carrier does not answer, or its answer cannot be read: what it has done is not known."""


class CarrierNotReached(CarrierError):
    """The carrier was not reached, or certainly did nothing."""


class CarrierNotCalled(CarrierNotReached):
    """The carrier was not called at all, since it has not answered for some time."""


class CarrierRefused(Exception):
    """The carrier refused; asking again will not help. The text is the carrier's reason."""


class PushRefused(Exception):
    """A push that is forged or unreadable. The text goes to the log only."""


class CarrierRateTable(Protocol):
    """What carrying to one place costs by the shop's own table, and how long it takes."""

    def price_of(self, grams: int) -> Money:
        """The price of a weight."""

    @property
    def takes(self) -> timedelta | None:
        """How long it takes from when the carrier has it; None where nothing is promised."""


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """Which carrier a connection is to use, and as which customer."""

    code: CarrierCode
    name: str
    account: str = ""
    service: str = ""
    company_code: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connection can do."""

    books: bool = False
    cancels: bool = False
    quotes: bool = False
    tracks: bool = False
    pushes: bool = False
    """It reports by itself, once it is asked to."""
    many_parcels: bool = False
    """Several parcels can go on one waybill: the first has its number, the others have its children."""
    picks_up: bool = False
    """It can be asked to collect parcels at a time."""
    label_formats: frozenset[LabelFormat] = frozenset()


@dataclass(frozen=True, slots=True)
class CarrierAddress:
    """Where a parcel starts or ends."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    line1: str
    latitude: float | None = None
    longitude: float | None = None
    country_code: str = "CN"
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be carried. `number` is our own and unique."""

    number: str
    weight_grams: int
    sender: CarrierAddress
    receiver: CarrierAddress
    size: ParcelSize | None = None


@dataclass(frozen=True, slots=True)
class PickupWindow:
    """Between which moments a carrier is to collect parcels."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Booking:
    """A waybill that is asked for, for one parcel or more from one place to another."""

    reference: str
    """The shop's own name for it, never used for another one."""
    account: CarrierAccount
    parcels: Sequence[Parcel]
    cash: Money | None = None
    """What is to be collected at the door."""
    pickup: PickupWindow | None = None
    """When the carrier is to collect it; None where it is brought, or collected as always."""
    leaves_at: datetime | None = None
    """When the carrier takes it along, by its cut-offs: what it promises is counted from then on."""
    rate: CarrierRateTable | None = None
    """What it costs by the shop's own table, for carriers that cannot be asked."""
    asked_at: datetime | None = None
    """When it was first asked for."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed and put on a parcel, or on each of several that go on one waybill."""

    format: LabelFormat
    content: bytes
    kind: str = ""
    """Of a print job: which program prints it, in the words of the carrier; empty for other formats."""


NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,39}")
"""A number that a carrier may give: it is printed, put into addresses of pages and compared."""


@dataclass(frozen=True, slots=True)
class BookedWaybill:
    """What a carrier gives for a booking. CarrierError for what is no number."""

    number: str
    """Of the waybill, and of its first parcel."""
    children: Sequence[str] = ()
    """The numbers of its further parcels, in the order of the booking."""
    label: Label | None = None
    """None where the carrier gives none: the shop prints its own."""
    estimated_at: datetime | None = None

    def __post_init__(self) -> None:
        if not all(map(NUMBER.fullmatch, (self.number, *self.children))):
            raise CarrierError("the answer has a number of a wrong form")


@dataclass(frozen=True, slots=True)
class CarrierQuote:
    """What carrying would cost, and when it would arrive."""

    service: str
    price: Money
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrackedParcel:
    """A parcel on its way, as a carrier is asked about it."""

    account: CarrierAccount
    parcel: Parcel
    tracking_number: str
    dispatched_at: datetime


NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of an event whose own cannot be read: no parcel was packed then, so it is kept apart and counted,
and nothing that came with it is lost."""


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One thing a carrier reports about a parcel, with its status mapped to the shop's."""

    status: ShipmentStatus | None
    """None where the carrier gives no code, or one that the shop does not know."""
    code: str
    """The carrier's own code, as it came; may be empty."""
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class TrackingPush:
    """What a carrier reports by itself of one parcel."""

    tracking_number: str
    events: Sequence[CarrierEvent] = ()
    company_code: str = ""
    """What the connection calls the carrier; empty where there is only one."""
    new_company_code: str = ""
    """Where the connection has found that another carrier has the parcel."""
    has_ended: bool = False
    """It reports no more of it."""
    subscribe_again: bool = False
    """It has given up, and reports again only when it is asked once more."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push as it came: header names in lower case, the raw body that was signed."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: str = ""


class PushVerdict(StrEnum):
    """What became of a push."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """It is forged or cannot be read; coming again will not help."""
    RETRY = "RETRY"
    """The shop could not take it now; it is to come again."""


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What is answered to a push, so that this carrier retries or stops."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class CarrierGateway(Protocol):
    """A connection to one carrier or many.

    Calls may raise CarrierError (what it has done is unknown) or CarrierRefused; none is made inside a
    transaction. What `capabilities` does not name is refused.
    """

    @property
    def connection(self) -> CarrierConnection:
        """Which connection it is."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        """What carrying would cost; nothing is booked."""

    async def book(self, booking: Booking) -> BookedWaybill:
        """Book a waybill; a repeated reference answers the one that is there."""

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        """The waybill of a booking whose answer did not come; None where the carrier has none."""

    async def cancel(self, booking: Booking, number: str) -> None:
        """Cancel a waybill that was not used; one that is cancelled already stays so."""

    async def subscribe(self, tracked: TrackedParcel) -> None:
        """Ask for pushes about a parcel; asking twice changes nothing."""

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        """All that has happened to a parcel so far."""

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        """The verified content of a push; PushRefused unless it is genuine."""

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        """What is answered to a push, so that this carrier retries or stops."""
