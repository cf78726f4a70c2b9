"""When something is to come: a time of day that an address prefers, and the window of one delivery."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo

from domain.address.parts import PostalAddress
from domain.errors import DomainError, ErrorCode, Invalid
from domain.incoming_text import Field
from models import Delivery, DeliveryWindow

TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
SHORTEST_WINDOW = timedelta(hours=1)
FURTHEST_WINDOW = timedelta(days=30)
"""A window ends at most so far ahead."""
DAY = timedelta(days=1)


class WindowReversed(DomainError):
    code = ErrorCode.WINDOW_REVERSED


class WindowPast(DomainError):
    code = ErrorCode.WINDOW_PAST


class WindowTooShort(DomainError):
    code = ErrorCode.WINDOW_TOO_SHORT


class WindowTooFar(DomainError):
    code = ErrorCode.WINDOW_TOO_FAR


def check_preferred_time(postal: PostalAddress, field: Field) -> None:
    """Refuse a preferred time of day that is none, that ends before it begins, or is too short."""
    begins, ends = postal.preferred_from, postal.preferred_until
    path = (*field, "preferred_from")
    if begins is None and ends is None:
        return
    if begins is None or ends is None:
        raise Invalid("Give both times of a day, or neither.", field=path)
    if not (TIME_OF_DAY.fullmatch(begins) and TIME_OF_DAY.fullmatch(ends)):
        raise Invalid('Give times of a day such as "09:00" and "18:00".', field=path)
    if ends <= begins:
        raise WindowReversed("The time of day ends before it begins.", field=path)
    if length_of(begins, ends) < SHORTEST_WINDOW:
        raise too_short(path)


def check_window(window: DeliveryWindow, *, now: datetime, field: Field) -> None:
    """Refuse a window in which nothing can come."""
    if window.ends <= window.begins:
        raise WindowReversed("The window ends before it begins.", field=field)
    if window.ends <= now:
        raise WindowPast("This window has passed.", field=field)
    if window.ends - window.begins < SHORTEST_WINDOW:
        raise too_short(field)
    if window.ends > now + FURTHEST_WINDOW:
        raise WindowTooFar("A window is at most {limit} days ahead.", limit=FURTHEST_WINDOW.days, field=field)


def too_short(field: Field) -> WindowTooShort:
    minutes = int(SHORTEST_WINDOW.total_seconds() // 60)
    return WindowTooShort("A window has at least {limit} minutes.", limit=minutes, field=field)


def length_of(begins: str, ends: str) -> timedelta:
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    return timedelta(hours=last.hour - first.hour, minutes=last.minute - first.minute)


def windows_within(
    delivery: Delivery, begins: datetime, ends: datetime, zone: tzinfo
) -> list[DeliveryWindow] | None:
    """When a delivery may come between two moments, the earliest first; None where any time will do.

    Its own window counts; without one, the time of day that its address prefers, in the shop's zone. An empty
    list says that it is wished at another time.
    """
    if window := delivery.window:
        wished = [window]
    elif delivery.preferred_from and delivery.preferred_until:
        wished = list(
            preferred_windows(delivery.preferred_from, delivery.preferred_until, begins, ends, zone)
        )
    else:
        return None
    cut = [DeliveryWindow(max(each.begins, begins), min(each.ends, ends)) for each in wished]
    return [each for each in cut if each.begins < each.ends]


def preferred_windows(
    first: str, last: str, begins: datetime, ends: datetime, zone: tzinfo
) -> Iterator[DeliveryWindow]:
    """The preferred time of each day between two moments, as the clocks of the zone show it."""
    day, last_day = begins.astimezone(zone).date(), ends.astimezone(zone).date()
    while day <= last_day:
        yield DeliveryWindow(
            datetime.combine(day, time.fromisoformat(first), zone),
            datetime.combine(day, time.fromisoformat(last), zone),
        )
        day += DAY
