"""The border to karrio, which has no types and waits for each answer: it is called in threads.

What it says is read here into texts, numbers and moments; nothing of karrio goes any further.
"""

import warnings
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

from gateways.carrier.protocol import NO_TIME, CarrierError, CarrierNotReached, CarrierRefused

REASON_LIMIT = 200
NOT_SENT = ("Connection refused", "Name or service not known", "nodename nor servname")
UNKNOWN_OUTCOME = ("SHIPPING_SDK_INTERNAL_ERROR", "INTERNAL", "UNAVAILABLE", "TIMEOUT")


class KarrioMissing(Exception):
    """karrio, or its part for a carrier, is not installed."""


@dataclass(frozen=True, slots=True)
class LibraryShipment:
    """A shipment that was created."""

    number: str
    label: bytes | None
    label_type: str


@dataclass(frozen=True, slots=True)
class LibraryEvent:
    """One step of a parcel."""

    status: str
    code: str
    description: str
    location: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LibraryRate:
    """What a service costs; `day` is that of the arrival."""

    service: str
    amount: str
    currency: str
    day: str


class LibraryAccount:
    """The account at one carrier; every call waits, and is made in a thread."""

    def __init__(self, company: str, credentials: Mapping[str, object], address: str | None) -> None:
        try:
            with warnings.catch_warnings():
                # what karrio imports announces its end, which is nothing that the shop can change
                warnings.simplefilter("ignore", DeprecationWarning)
                self.sdk = import_module("karrio.sdk")
                settings = import_module(f"karrio.mappers.{company}").Settings
                # its log has what was asked, with names and keys; metrics and this shop's log have the rest
                import_module("loguru").logger.disable("karrio")
        except ImportError as error:
            raise KarrioMissing(str(error)) from None
        if address is not None:
            settings = type("Settings", (settings,), {"server_url": address})
        self.gateway = self.sdk.gateway[company].create(settings(**credentials))

    def fetch_rates(self, request: Mapping[str, object]) -> Sequence[LibraryRate]:
        found, messages = self.sdk.Rating.fetch(dict(request)).from_(self.gateway).parse()
        if not found:
            refuse(messages)
        return [
            LibraryRate(
                service=str(each.service),
                amount=str(each.total_charge),
                currency=str(each.currency),
                day=str(each.estimated_delivery or ""),
            )
            for each in found
        ]

    def create_shipment(self, request: Mapping[str, object]) -> LibraryShipment:
        created, messages = self.sdk.Shipment.create(dict(request)).from_(self.gateway).parse()
        if created is None or not created.tracking_number:
            refuse(messages)
        label = created.docs.label if created.docs else None
        return LibraryShipment(
            number=str(created.tracking_number),
            label=b64decode(label) if label else None,
            label_type=str(created.label_type or "PDF"),
        )

    def cancel_shipment(self, number: str) -> None:
        request = {"shipment_identifier": number}
        cancelled, messages = self.sdk.Shipment.cancel(request).from_(self.gateway).parse()
        if cancelled is None or not cancelled.success:
            refuse(messages)

    def fetch_events(self, number: str) -> Sequence[LibraryEvent]:
        request = {"tracking_numbers": [number]}
        found, messages = self.sdk.Tracking.fetch(request).from_(self.gateway).parse()
        own = [each for each in found or [] if str(each.tracking_number) == number]
        if not own:
            refuse(messages)
        return [
            LibraryEvent(
                status=str(each.status or ""),
                code=str(each.code or ""),
                description=str(each.description or ""),
                location=str(each.location or ""),
                at=read_moment(each.timestamp, each.date, each.time),
            )
            for each in own[0].events
        ]


def refuse(messages: Sequence[object]) -> None:
    """Raise what a carrier gives as the reason; CarrierError where it is not known what it did."""
    reasons = [(str(getattr(each, "code", "")), str(getattr(each, "message", ""))) for each in messages]
    text = "; ".join(f"{code}: {message}" for code, message in reasons)[:REASON_LIMIT]
    if any(part in message for _, message in reasons for part in NOT_SENT):
        raise CarrierNotReached(text)
    if not reasons or any(part in code.upper() for code, _ in reasons for part in UNKNOWN_OUTCOME):
        raise CarrierError(text or "the answer says nothing")
    raise CarrierRefused(text)


def read_moment(timestamp: object, date: object, time: object) -> datetime:
    """When something happened; times without a zone are those of UTC, since karrio drops the zone."""
    for text in (str(timestamp or ""), f"{date}T{time}", str(date)):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return NO_TIME
