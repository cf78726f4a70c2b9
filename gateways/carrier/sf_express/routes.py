"""Steps of a parcel as SF writes them, in answers and pushes alike."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from hmac import compare_digest
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from gateways.carrier.protocol import CarrierEvent, PushRefused, PushRequest, TrackingPush
from gateways.carrier.sf_express.statuses import STATUSES

BEIJING = ZoneInfo("Asia/Shanghai")
"""Its times have no zone."""
MOMENT = "%Y-%m-%d %H:%M:%S"
TEXT_LIMIT = 500
ROUTES_LIMIT = 1_000


class UnreadableRoute(ValueError):
    """A step that is not in the form of SF."""


def read_route(item: object) -> CarrierEvent:
    if not isinstance(item, dict):
        raise UnreadableRoute("a step is no object")
    code = member(item, "opCode")
    try:
        moment = datetime.strptime(member(item, "acceptTime"), MOMENT).replace(tzinfo=BEIJING)
    except ValueError:
        raise UnreadableRoute("a step has no time") from None
    return CarrierEvent(
        status=STATUSES.get(code),
        code=code,
        description=member(item, "remark")[:TEXT_LIMIT],
        occurred_at=moment,
        location=member(item, "acceptAddress")[:TEXT_LIMIT],
    )


def read_push(request: PushRequest, *, key: str) -> list[TrackingPush]:
    """What is pushed of one parcel or more; PushRefused unless it came to the address with the key.

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
        if len(routes) > ROUTES_LIMIT:
            raise UnreadableRoute(f"{len(routes)} steps, more than {ROUTES_LIMIT}")
        by_number: dict[str, list[CarrierEvent]] = defaultdict(list)
        for route in routes:
            by_number[number_of(route)].append(read_route(route))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PushRefused(f"unreadable: {error}"[:200]) from None
    return [TrackingPush(number, events) for number, events in by_number.items()]


def number_of(route: object) -> str:
    number = member(route, "mailno") if isinstance(route, dict) else ""
    if not number:
        raise UnreadableRoute("a step of no parcel")
    return number


def member(item: Mapping[str, object], name: str) -> str:
    """A member as text; numbers come as numbers or as texts."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
