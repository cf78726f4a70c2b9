"""The transitions of a shipment."""

from collections.abc import Iterable

from domain.state import transition_table
from models import ShipmentStatus

FINAL = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED})

NOT_KEPT = frozenset({ShipmentStatus.RETURNED, ShipmentStatus.EXPIRED})
"""The parcel is back or lost: it waits to be inspected, and its part of the order to be ended."""

TRANSITIONS = transition_table(
    ShipmentStatus.PENDING,
    {
        status: set() if status in FINAL else set(ShipmentStatus) - {ShipmentStatus.PENDING, status}
        for status in ShipmentStatus
    },
)
"""Carriers skip and repeat steps: anything may follow but PENDING, and nothing follows a final status."""


def status_after(statuses: Iterable[ShipmentStatus]) -> ShipmentStatus:
    """The status that reported statuses, in order of time, lead to; impossible steps are skipped."""
    status = ShipmentStatus.PENDING
    for reported in statuses:
        if reported in TRANSITIONS[status]:
            status = reported
    return status
