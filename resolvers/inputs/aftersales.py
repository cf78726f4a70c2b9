from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.aftersales.inspection import ReturnedUnits
from domain.aftersales.policies import check_days
from domain.aftersales.repair import RepairedUnits
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.errors import Invalid, collect_refusals
from loaders.work_queue import WorkQueue
from models import ReturnCondition, TicketChannel, TicketReason, TicketStatus, TicketType
from resolvers.descriptions import input_type
from resolvers.ids import row_id_or_zero


@input_type
class TicketLineInput:
    """Units of an order line that a ticket is about."""

    order_line_id: strawberry.ID
    """The line of the order."""
    quantity: int
    """How many units of it."""
    shipment_id: strawberry.ID | None = None
    """The parcel they came in; left out, those that came first and can be claimed."""
    variant_id: strawberry.ID | None = None
    """What is wanted in their place by an exchange: any variant that is sold; left out, the same again."""


@input_type
class ReturnedUnitsInput:
    """Units of an order line that came back in one condition, or did not."""

    order_line_id: strawberry.ID
    """The line of the order."""
    condition: ReturnCondition
    """How they were found."""
    quantity: int
    """How many units."""
    accepted: bool | None = None
    """Whether the shop keeps them and grants what was asked for: said of what is damaged or incomplete."""
    customers_fault: bool = False
    """Whether the customer has caused what is wrong with them; otherwise they are accepted."""
    note: str = ""
    """What the customer reads about them, in up to 1,000 characters; of what is refused, why."""

    def units(self) -> ReturnedUnits:
        return ReturnedUnits(
            row_id_or_zero(self.order_line_id, "OrderLine"),
            self.condition,
            self.quantity,
            self.accepted,
            self.customers_fault,
            self.note,
        )


@input_type
class RepairedUnitsInput:
    """Units of an order line that were repaired, or cannot be."""

    order_line_id: strawberry.ID
    """The line of the order."""
    quantity: int
    """How many units."""
    repaired: bool
    """Whether they work again and go back; for others the customer chooses what to get instead."""
    note: str = ""
    """What the customer reads about them, in up to 1,000 characters; of what cannot be repaired, why."""

    def units(self) -> RepairedUnits:
        return RepairedUnits(
            row_id_or_zero(self.order_line_id, "OrderLine"), self.quantity, self.repaired, self.note
        )


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
class TicketOpenInput:
    """What `ticketOpen` needs."""

    order_id: strawberry.ID
    """The order it is about."""
    type: TicketType
    """What is asked for."""
    reason: TicketReason
    """Why."""
    description: str
    """What happened, in up to 2,000 characters."""
    idempotency_key: str
    """Chosen by the client, the same for every attempt at the same request."""
    lines: list[TicketLineInput] = strawberry.field(default_factory=list)
    """The lines of the order it is about, each once; a question names none."""
    media_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Up to 9 pictures the customer has uploaded."""
    channel: TicketChannel | None = None
    """For the staff: how the customer has asked."""

    def claim(self) -> TicketClaim:
        return TicketClaim(self.type, self.reason, claimed_units(self.lines))

    def media_row_ids(self) -> tuple[int, ...]:
        return media_row_ids(self.media_ids)


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
    assigned: bool | None = None
    """true: that somebody has; false: that nobody has."""
    overdue: bool | None = None
    """true: that nobody has answered in time, and a manager must; false: the others."""
    unanswered: bool | None = None
    """true: whose customer waits for an answer to a message; false: the others."""
    about_order: bool | None = None
    """true: about an order; false: questions about none."""
    queue: WorkQueue | None = None
    """In this queue of the viewer's: those that `workQueueCounts` counts."""


def claimed_units(lines: Sequence[TicketLineInput]) -> tuple[ClaimedUnits, ...]:
    """The units of each line; what is no id of a line or parcel is refused as one that there is not."""
    return tuple(
        ClaimedUnits(
            row_id_or_zero(line.order_line_id, "OrderLine"),
            line.quantity,
            None if line.shipment_id is None else row_id_or_zero(line.shipment_id, "Shipment"),
            None if line.variant_id is None else row_id_or_zero(line.variant_id, "Variant"),
        )
        for line in lines
    )


def media_row_ids(media_ids: Sequence[strawberry.ID]) -> tuple[int, ...]:
    """The ids of pictures; what is no id of one is refused as one that there is not."""
    return tuple(row_id_or_zero(media_id, "Media") for media_id in media_ids)


def claim_windows(windows: Sequence[ClaimWindowInput]) -> dict[TicketReason, int]:
    """Days by reason; Invalid for those that are named twice, and for windows of too many days."""
    seen = set()
    with collect_refusals() as check:
        for index, window in enumerate(windows):
            if window.reason in seen:
                check.add(Invalid("Name each reason once.", field=("windows", index, "reason")))
            seen.add(window.reason)
        if check.found:
            for index, window in enumerate(windows):
                with check:
                    check_days(window.days, index)
    return {window.reason: window.days for window in windows}
