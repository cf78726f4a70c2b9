"""Steps of a parcel as SF writes them, in answers and pushes alike."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from hmac import compare_digest
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from gateways.carrier.protocol import NO_TIME, CarrierEvent, PushRefused, PushRequest, TrackingPush
from gateways.carrier.sf_express.statuses import STATUSES

BEIJING = ZoneInfo("Asia/Shanghai")
"""Its times have no zone."""
MOMENT = "%Y-%m-%d %H:%M:%S"
TEXT_LIMIT = 500
ROUTES_LIMIT = 10_000
"""Of one push: many more than any parcels have."""
NO_NUMBER = ""


class UnreadableRoute(ValueError):
    """A list of steps that is not in the form of SF."""


def read_route(item: object) -> CarrierEvent:
    """A step; one that cannot be read has NO_TIME."""
    if not isinstance(item, dict):
        return keep_unread(item)
    code = member(item, "opCode")
    try:
        moment = datetime.strptime(member(item, "acceptTime"), MOMENT).replace(tzinfo=BEIJING)
    except ValueError:
        return keep_unread(item)
    return CarrierEvent(
        status=STATUSES.get(code),
        code=code,
        description=member(item, "remark")[:TEXT_LIMIT],
        occurred_at=moment,
        location=member(item, "acceptAddress")[:TEXT_LIMIT],
    )


def keep_unread(item: object) -> CarrierEvent:
    """What cannot be read as a step, as it came."""
    text = json.dumps(item, ensure_ascii=False)[:TEXT_LIMIT]
    return CarrierEvent(status=None, code="", description=text, occurred_at=NO_TIME)


def read_push(request: PushRequest, *, key: str) -> list[TrackingPush]:
    """What is pushed of one parcel or more, that of no parcel under no number; PushRefused unless it came to
    the address with the key.

    SF signs nothing: who knows the address is believed, so the address has a secret in it.
    """
    if not key:
        raise PushRefused("without a key anybody could push")
    [given] = parse_qs(request.query).get("key", [""])[:1]
    if not compare_digest(given.encode(), key.encode()):
        raise PushRefused("wrong key")
    try:
        content = json.loads(request.body)
        routes = content["Body"]["WaybillRoute"]
        if not isinstance(routes, list):
            raise UnreadableRoute("no list of steps")
        by_number: dict[str, list[CarrierEvent]] = defaultdict(list)
        for route in routes[:ROUTES_LIMIT]:
            by_number[number_of(route)].append(read_route(route))
        if len(routes) > ROUTES_LIMIT:
            by_number[NO_NUMBER].append(keep_unread(f"{len(routes) - ROUTES_LIMIT} further steps"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PushRefused(f"unreadable: {error}"[:200]) from None
    return [TrackingPush(number, events) for number, events in by_number.items()]


def number_of(route: object) -> str:
    return member(route, "mailno") if isinstance(route, dict) else NO_NUMBER


def member(item: Mapping[str, object], name: str) -> str:
    """A member as text; numbers come as numbers or as texts."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
