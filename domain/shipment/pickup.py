"""When a carrier collects parcels: by its cut-offs, which are times of the shop's time zone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import Invalid
from domain.stock import Weekday
from models import Carrier

PICKUP_WITHIN = timedelta(days=14)
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class PickupTime:
    """Between which moments a carrier is to collect parcels, in the shop's time zone."""

    begins_at: datetime
    ends_at: datetime


def check_pickup(carrier: Carrier, pickup: PickupTime, *, now: datetime) -> None:
    """Refuse a time that is over, too far away or outside the hours of the carrier."""
    if pickup.ends_at <= pickup.begins_at:
        raise Invalid("A time to collect begins before it ends.", field=("pickup", "ends_at"))
    if pickup.ends_at <= now:
        raise Invalid("This time to collect is over.", field=("pickup", "ends_at"))
    if pickup.ends_at > now + PICKUP_WITHIN:
        raise pickup_too_far()
    if pickup.begins_at.date() != pickup.ends_at.date():
        raise Invalid("A time to collect is on one day.", field=("pickup", "ends_at"))
    if not carrier.cut_offs:
        return
    until = cut_off_on(carrier, pickup.ends_at)
    if until is None:
        raise Invalid(
            "{name} collects nothing on this day.", name=carrier.name, field=("pickup", "begins_at")
        )
    if pickup.ends_at > until:
        raise Invalid(
            "{name} collects until {until} on this day.",
            name=carrier.name,
            until=f"{until:%H:%M}",
            field=("pickup", "ends_at"),
        )


def pickup_too_far() -> Invalid:
    template = "Parcels are collected within {limit} days."
    return Invalid(template, limit=PICKUP_WITHIN.days, field=("pickup", "ends_at"))


def cut_off_on(carrier: Carrier, moment: datetime) -> datetime | None:
    """Until when a carrier takes parcels along on the day of a moment; None where it does not come."""
    minutes = carrier.cut_offs.get(list(Weekday)[moment.weekday()].value)
    if minutes is None:
        return None
    return moment.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0)


def next_collection(carrier: Carrier, moment: datetime) -> datetime:
    """When a carrier next takes parcels along, from a moment in the shop's time zone on; then, where it has
    no cut-offs."""
    for days in range(WEEK_DAYS + 1):
        until = cut_off_on(carrier, moment + timedelta(days=days))
        if until is not None and until >= moment:
            return until
    return moment
