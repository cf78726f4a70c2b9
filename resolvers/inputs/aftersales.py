from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.aftersales.rules import Claim, Wanted
from models import TicketReason, TicketStatus, TicketType
from resolvers.described import input_type
from resolvers.ids import row_id


@input_type
class TicketLineInput:
    """Units of an order line that a ticket is about."""

    line_id: strawberry.ID
    """The line of the order."""
    quantity: int
    """How many units of it."""


@input_type
class TicketQuoteInput:
    """What a customer would ask for."""

    order_id: strawberry.ID
    """The order it is about."""
    type: TicketType
    """What is asked for."""
    reason: TicketReason
    """Why."""
    lines: list[TicketLineInput]
    """Which goods, each line once."""

    def claim(self) -> Claim:
        return Claim(self.type, self.reason, wanted(self.lines))


@input_type
class TicketFilter:
    """Which tickets; everything given must hold."""

    status: list[TicketStatus] | None = None
    """In one of these states."""
    type: list[TicketType] | None = None
    """Of one of these types."""
    reason: list[TicketReason] | None = None
    """For one of these reasons."""
    assignee_id: strawberry.ID | None = None
    """Given to this member of staff."""
    order_id: strawberry.ID | None = None
    """About this order."""
    due_before: datetime | None = None
    """Falling due before this moment."""


def wanted(lines: Sequence[TicketLineInput]) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(row_id(line.line_id, "OrderLine", field=("lines", index, "line_id")), line.quantity)
        for index, line in enumerate(lines)
    )


def pictures(media_ids: Sequence[strawberry.ID]) -> tuple[int, ...]:
    return tuple(
        row_id(media_id, "Media", field=("media_ids", index)) for index, media_id in enumerate(media_ids)
    )
