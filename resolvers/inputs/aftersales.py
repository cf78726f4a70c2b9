from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.errors import Invalid, collect_refusals
from models import TicketReason, TicketStatus, TicketType
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class TicketLineInput:
    """Units of an order line that a ticket is about."""

    order_line_id: strawberry.ID
    """The line of the order."""
    quantity: int
    """How many units of it."""
    shipment_id: strawberry.ID | None = None
    """The parcel they came in; left out, those that came first and can be claimed."""


@input_type
class ClaimWindowInput:
    """For how many days something can be claimed for a reason."""

    reason: TicketReason
    """Why."""
    days: int
    """Days, from the one after it arrived to the end of the last one."""


@input_type
class TicketQuoteInput:
    """A request that a customer could make."""

    order_id: strawberry.ID
    """The order it is about."""
    type: TicketType
    """What is asked for."""
    reason: TicketReason
    """Why."""
    lines: list[TicketLineInput]
    """The lines of the order it is about, each once."""

    def claim(self) -> TicketClaim:
        return TicketClaim(self.type, self.reason, claimed_units(self.lines))


@input_type
class TicketFilter:
    """Which tickets; everything given must hold."""

    status: list[TicketStatus] | None = None
    """With one of these statuses."""
    type: list[TicketType] | None = None
    """Of one of these types."""
    reason: list[TicketReason] | None = None
    """For one of these reasons."""
    assignee_id: strawberry.ID | None = None
    """Assigned to this member of the staff."""
    order_id: strawberry.ID | None = None
    """About this order."""
    due_before: datetime | None = None
    """Due before this moment."""


def claimed_units(lines: Sequence[TicketLineInput]) -> tuple[ClaimedUnits, ...]:
    """The units of each line; NotFound for every id that is none."""
    with collect_refusals() as check:
        line_ids = [
            check.value(row_id, 0, line.order_line_id, "OrderLine", field=("lines", index, "order_line_id"))
            for index, line in enumerate(lines)
        ]
        shipment_ids = [
            check.value(row_id, 0, line.shipment_id, "Shipment", field=("lines", index, "shipment_id"))
            if line.shipment_id is not None
            else None
            for index, line in enumerate(lines)
        ]
    return tuple(
        ClaimedUnits(line_id, line.quantity, shipment_id)
        for line, line_id, shipment_id in zip(lines, line_ids, shipment_ids, strict=True)
    )


def media_row_ids(media_ids: Sequence[strawberry.ID]) -> tuple[int, ...]:
    with collect_refusals() as check:
        found = [
            check.value(row_id, 0, media_id, "Media", field=("media_ids", index))
            for index, media_id in enumerate(media_ids)
        ]
    return tuple(found)


def claim_windows(windows: Sequence[ClaimWindowInput]) -> dict[TicketReason, int]:
    """Days by reason; Invalid where one is named twice."""
    for index, window in enumerate(windows):
        if window.reason in {each.reason for each in windows[:index]}:
            raise Invalid("Name each reason once.", field=("windows", index, "reason"))
    return {window.reason: window.days for window in windows}
