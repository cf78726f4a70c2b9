"""Pushes as they are stored until they are folded: JSON, so that they are verified and read once."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

import orjson

from gateways.carrier.protocol import CarrierEvent, TrackingPush
from models import ShipmentStatus


class StoredCarrierEvent(TypedDict):
    """A `CarrierEvent` as JSON."""

    status: str | None
    code: str
    description: str
    occurred_at: str
    location: str
    latitude: float | None
    longitude: float | None


class UnreadableContent(ValueError):
    """A push that cannot be stored, or that this release cannot read."""


def write_content(push: TrackingPush) -> str:
    """A push as JSON; UnreadableContent where a text holds half a character."""
    try:
        return orjson.dumps(push).decode()
    except TypeError as error:
        raise UnreadableContent(str(error)) from None


def read_content(content: str) -> TrackingPush:
    """The push that was stored; UnreadableContent where it is none."""
    try:
        stored: Mapping[str, object] = orjson.loads(content)
        events = stored["events"]
        if not isinstance(events, list):
            raise UnreadableContent("no list of events")
        return TrackingPush(
            tracking_number=str(stored["tracking_number"]),
            events=[read_stored_event(each) for each in events],
            company_code=str(stored["company_code"]),
            new_company_code=str(stored["new_company_code"]),
            has_ended=bool(stored["has_ended"]),
            subscribe_again=bool(stored["subscribe_again"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableContent(f"{type(error).__name__}: {error}") from None


def read_stored_event(stored: StoredCarrierEvent) -> CarrierEvent:
    status, occurred_at = stored["status"], datetime.fromisoformat(stored["occurred_at"])
    if occurred_at.tzinfo is None:
        raise UnreadableContent("an event has no time zone")
    return CarrierEvent(
        status=ShipmentStatus(status) if status else None,
        code=stored["code"],
        description=stored["description"],
        occurred_at=occurred_at,
        location=stored["location"],
        latitude=stored["latitude"],
        longitude=stored["longitude"],
    )
