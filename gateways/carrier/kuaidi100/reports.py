"""What kuaidi100 reports of a parcel, in pushes and answers alike: the whole history, the newest first."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from gateways.carrier.kuaidi100.statuses import CODES_BY_NAME, END_OF_LIFE, STATUSES
from gateways.carrier.protocol import NO_TIME, CarrierEvent

BEIJING = ZoneInfo("Asia/Shanghai")
"""Its times have no zone."""
MOMENT = "%Y-%m-%d %H:%M:%S"
MOMENT_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
TEXT_LIMIT = 500
EVENTS_LIMIT = 10_000
"""Of one history: many more than any parcel has."""


class Unreadable(ValueError):
    """A report that is not in the form of kuaidi100."""


def read_history(result: Mapping[str, object]) -> list[CarrierEvent]:
    """The events of a `lastResult` or an answer, the oldest first; Unreadable where it has another form. One
    that cannot be read has NO_TIME, and so have those beyond EVENTS_LIMIT, all together.

    Only the newest has the state of the parcel as a whole, where it has no code of its own, or where its code
    says less than the state: that the journey is over.
    """
    data = result.get("data")
    if data is None:
        return []
    if not isinstance(data, list):
        raise Unreadable("data is no list of events")
    events = [
        read_event(each) if isinstance(each, dict) else keep_unread(each) for each in data[:EVENTS_LIMIT]
    ]
    if len(data) > EVENTS_LIMIT:
        events.append(keep_unread(f"{len(data) - EVENTS_LIMIT} further events"))
    if not events:
        return []
    newest = max(range(len(events)), key=lambda index: (events[index].occurred_at, -index))
    events[newest] = with_state(events[newest], text_of(result, "state"))
    events.reverse()
    return sorted(events, key=lambda event: event.occurred_at)


def with_state(event: CarrierEvent, state: str) -> CarrierEvent:
    """The newest event with the state of the parcel."""
    status = STATUSES.get(state)
    if status is None or (event.status is not None and status not in END_OF_LIFE):
        return event
    return CarrierEvent(
        status=status,
        code=event.code or state,
        description=event.description,
        occurred_at=event.occurred_at,
        location=event.location,
        latitude=event.latitude,
        longitude=event.longitude,
    )


def read_event(item: Mapping[str, object]) -> CarrierEvent:
    name = text_of(item, "status")
    code = text_of(item, "statusCode") or CODES_BY_NAME.get(name, name)
    longitude, latitude = read_coordinates(text_of(item, "areaCenter"))
    try:
        occurred_at = read_moment(text_of(item, "time") or text_of(item, "ftime"))
    except Unreadable:
        return keep_unread(item)
    return CarrierEvent(
        status=STATUSES.get(code),
        code=code,
        description=text_of(item, "context")[:TEXT_LIMIT],
        occurred_at=occurred_at,
        location=(text_of(item, "areaName") or text_of(item, "location"))[:TEXT_LIMIT],
        latitude=latitude,
        longitude=longitude,
    )


def keep_unread(item: object) -> CarrierEvent:
    """What cannot be read as an event, as it came."""
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    return CarrierEvent(status=None, code="", description=text[:TEXT_LIMIT], occurred_at=NO_TIME)


def read_moment(text: str) -> datetime:
    if not MOMENT_FORM.fullmatch(text):
        raise Unreadable("an event has no time")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        raise Unreadable("an event has no time") from None


def read_coordinates(text: str) -> tuple[float | None, float | None]:
    """Longitude and latitude, as "113.9,22.5"; None where they are no place on the earth."""
    if not text:
        return None, None
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        return None, None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        return None, None
    return longitude, latitude


def text_of(item: Mapping[str, object], name: str) -> str:
    """A member as text; numbers come as numbers or as texts."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def newest_moment(events: Sequence[CarrierEvent]) -> datetime | None:
    return max((event.occurred_at for event in events if event.occurred_at != NO_TIME), default=None)
