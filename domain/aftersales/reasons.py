"""The reasons a ticket can have: one row each says which types take it and what it entitles to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from domain.order.states import WITHDRAWAL_REASONS
from models import TicketReason, TicketType
from text.messages import Message


class ClaimStage(Enum):
    """How far the units a claim is about must have come."""

    WAITING = auto()
    """Not packed yet."""
    SENT = auto()
    ARRIVED = auto()


class WindowKind(Enum):
    """How long after its arrival something can be claimed, where no terms say it."""

    RETURN = auto()
    QUALITY = auto()
    WARRANTY = auto()


DEFAULT_DAYS: Mapping[WindowKind, int] = {
    WindowKind.RETURN: 7,
    WindowKind.QUALITY: 15,
    WindowKind.WARRANTY: 365,
}


@dataclass(frozen=True, slots=True)
class ReasonRules:
    """What follows from a reason."""

    types: frozenset[TicketType]
    """The types of ticket that take it."""
    fault: bool = True
    """Whether the shop is to blame: the shipping fee of an order that comes back whole is refunded, too."""
    by_law: bool = True
    """Whether the law lets customers claim for it, whatever the terms of the shop say."""
    window: WindowKind = WindowKind.QUALITY
    stage: ClaimStage = ClaimStage.ARRIVED


REFUND_ONLY, RETURN_REFUND = TicketType.REFUND_ONLY, TicketType.RETURN_REFUND
EXCHANGE, RESHIP = TicketType.EXCHANGE, TicketType.RESHIP
REPAIR, QUESTION = TicketType.REPAIR, TicketType.QUESTION

REASONS: Mapping[TicketReason, ReasonRules] = {
    TicketReason.NO_REASON: ReasonRules(
        frozenset({REFUND_ONLY, RETURN_REFUND, EXCHANGE}), fault=False, by_law=False, window=WindowKind.RETURN
    ),
    TicketReason.QUALITY_FAULT: ReasonRules(frozenset({REFUND_ONLY, RETURN_REFUND, EXCHANGE, REPAIR})),
    TicketReason.WRONG_ITEM: ReasonRules(frozenset({REFUND_ONLY, RETURN_REFUND, EXCHANGE, RESHIP})),
    TicketReason.MISSING_ITEM: ReasonRules(frozenset({REFUND_ONLY, RESHIP})),
    TicketReason.DAMAGED: ReasonRules(frozenset({REFUND_ONLY, RETURN_REFUND, EXCHANGE, REPAIR})),
    TicketReason.NOT_AS_DESCRIBED: ReasonRules(frozenset({REFUND_ONLY, RETURN_REFUND, EXCHANGE})),
    TicketReason.NOT_RECEIVED: ReasonRules(frozenset({REFUND_ONLY, RESHIP}), stage=ClaimStage.SENT),
    TicketReason.FAULT_IN_USE: ReasonRules(frozenset({REPAIR}), by_law=False, window=WindowKind.WARRANTY),
    TicketReason.QUESTION: ReasonRules(frozenset({QUESTION}), fault=False, by_law=False),
}
"""A new reason is a member of TicketReason and a row here; everything else follows from the row."""

CLAIM_REASONS = frozenset(reason for reason, rules in REASONS.items() if QUESTION not in rules.types)
"""The reasons of tickets that ask for something: each has a window. A question has none."""

NAMED_REASONS = CLAIM_REASONS - {TicketReason.FAULT_IN_USE}
"""The reasons for which the terms of everything name the days: those that came later have a default."""


REASON_TEXTS: Mapping[TicketReason, Message] = {
    TicketReason.NO_REASON: Message("Given back without a reason."),
    TicketReason.QUALITY_FAULT: Message("It had a fault."),
    TicketReason.WRONG_ITEM: Message("Something else was sent."),
    TicketReason.MISSING_ITEM: Message("It was missing from the parcel."),
    TicketReason.DAMAGED: Message("It was damaged when it arrived."),
    TicketReason.NOT_AS_DESCRIBED: Message("It was not as described."),
    TicketReason.NOT_RECEIVED: Message("It did not arrive."),
    TicketReason.FAULT_IN_USE: Message("It broke in use."),
    TicketReason.QUESTION: Message("A question was asked."),
}
"""What is read where money goes back, or units are cancelled, for the reason of a ticket."""


def stage_of(type: TicketType, reason: TicketReason) -> ClaimStage:
    """Where the units of such a claim must be."""
    if type is TicketType.REFUND_ONLY and reason in WITHDRAWAL_REASONS:
        return ClaimStage.WAITING
    return REASONS[reason].stage
