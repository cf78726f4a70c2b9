"""THE TABLE of the events that give the staff something to do."""

from collections.abc import Collection, Mapping, Sequence

from domain.events import (
    CashDiffers,
    CashOverdue,
    DeliveryRunStalled,
    DisputeOpened,
    DisputeSettled,
    DomainEvent,
    OrderConfirmed,
    RefundAbnormal,
    RefundApprovalNeeded,
    RefundFailed,
    ShipmentOverdue,
    ShipmentReturned,
    TicketAgreed,
    TicketAssigned,
    TicketCancelled,
    TicketClosed,
    TicketDecided,
    TicketEscalated,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketOverdue,
    TicketReapplied,
    TicketRefundFailed,
    TicketRefundRetried,
    TicketRefused,
    TicketReturnAccepted,
    TicketReturnDelivered,
    TicketReturnOverdue,
    TicketReturnRefused,
    TicketReturnShipped,
    TicketReturnShort,
    TicketSplitOff,
    type_of,
)
from models import Event, Permission, Role, TicketStatus, is_granted

WORK_QUEUE: Mapping[type[DomainEvent], Collection[Permission]] = {
    OrderConfirmed: (Permission.SHIPMENT_PACK,),
    TicketOpened: (Permission.TICKET_HANDLE,),
    TicketSplitOff: (Permission.TICKET_HANDLE,),
    TicketReapplied: (Permission.TICKET_HANDLE,),
    TicketOverdue: (Permission.TICKET_HANDLE, Permission.TICKET_DECIDE, Permission.RETURN_RECEIVE),
    TicketRefundFailed: (Permission.TICKET_HANDLE,),
    TicketMessageAdded: (Permission.TICKET_HANDLE,),
    TicketReturnShipped: (Permission.RETURN_RECEIVE,),
    TicketReturnDelivered: (Permission.RETURN_RECEIVE,),
    TicketReturnOverdue: (Permission.RETURN_RECEIVE, Permission.TICKET_HANDLE),
    TicketReturnShort: (Permission.TICKET_DECIDE,),
    TicketEscalated: (Permission.TICKET_DECIDE,),
    RefundFailed: (Permission.REFUND,),
    RefundAbnormal: (Permission.REFUND,),
    RefundApprovalNeeded: (Permission.REFUND,),
    DisputeOpened: (Permission.REFUND,),
    DisputeSettled: (Permission.REFUND,),
    ShipmentReturned: (Permission.RETURN_RECEIVE,),
    ShipmentOverdue: (Permission.SHIPMENT_LIST,),
    DeliveryRunStalled: (Permission.DELIVERY_RUN_PLAN,),
    CashDiffers: (Permission.CASH_RECEIVE,),
    CashOverdue: (Permission.CASH_RECEIVE,),
}
"""What it takes to do the work of each event: who has the permission, or one of them, sees it."""

BY_CUSTOMER = frozenset({TicketMessageAdded})
"""Events that are work only where the customer caused them: a message of the staff's own is none."""

OVERDUE: frozenset[type[DomainEvent]] = frozenset(
    {TicketOverdue, TicketReturnOverdue, ShipmentOverdue, CashOverdue}
)
"""Events that say that nobody has acted in time."""

GONE: frozenset[type[DomainEvent]] = frozenset(
    {
        TicketAgreed,
        TicketAssigned,
        TicketCancelled,
        TicketClosed,
        TicketDecided,
        TicketMerged,
        TicketRefundRetried,
        TicketRefused,
        TicketReturnAccepted,
        TicketReturnRefused,
    }
)
"""Events after which a ticket waits no more, or for somebody else; so is an answer of the staff."""

SEES_TICKETS = (Permission.TICKET_HANDLE, Permission.TICKET_DECIDE, Permission.RETURN_RECEIVE)


AGENTS = frozenset({Permission.TICKET_HANDLE, Permission.TICKET_DECIDE})


def is_work_for(event: Event, role: Role) -> bool:
    """Whether an event of a type that is work of a role is its work, too: of what is overdue, the warehouse
    works on what came back."""
    if type_of(event) is not TicketOverdue or any(is_granted(each, role) for each in AGENTS):
        return True
    return bool(event.payload["status"] == TicketStatus.RETURN_SHIPPED)


def concerns_staff(event: Event) -> bool:
    """Whether an event is work of any role, or says that a ticket is no work any more."""
    event_type = type_of(event)
    return event_type in WORK_QUEUE or event_type in GONE


def gone_of(role: Role) -> Collection[type[DomainEvent]]:
    """The events after which a ticket is no work of a role any more."""
    return GONE if any(is_granted(permission, role) for permission in SEES_TICKETS) else ()


def work_of(role: Role) -> Sequence[type[DomainEvent]]:
    """The events that are work of a role."""
    return [
        event_type
        for event_type, permissions in WORK_QUEUE.items()
        if any(is_granted(each, role) for each in permissions)
    ]
