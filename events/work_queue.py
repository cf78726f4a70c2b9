"""THE TABLE of the events that give the staff something to do."""

from collections.abc import Mapping, Sequence

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
    TicketEscalated,
    TicketMessageAdded,
    TicketOpened,
    TicketOverdue,
    TicketReapplied,
    TicketReturnShipped,
    type_of,
)
from models import Event, Permission, Role, is_granted

WORK_QUEUE: Mapping[type[DomainEvent], Permission] = {
    OrderConfirmed: Permission.SHIPMENT_PACK,
    TicketOpened: Permission.TICKET_HANDLE,
    TicketReapplied: Permission.TICKET_HANDLE,
    TicketOverdue: Permission.TICKET_DECIDE,
    TicketMessageAdded: Permission.TICKET_HANDLE,
    TicketReturnShipped: Permission.RETURN_RECEIVE,
    TicketEscalated: Permission.TICKET_DECIDE,
    RefundFailed: Permission.REFUND,
    RefundAbnormal: Permission.REFUND,
    RefundApprovalNeeded: Permission.REFUND,
    DisputeOpened: Permission.REFUND,
    DisputeSettled: Permission.REFUND,
    ShipmentReturned: Permission.RETURN_RECEIVE,
    ShipmentOverdue: Permission.SHIPMENT_LIST,
    DeliveryRunStalled: Permission.DELIVERY_RUN_PLAN,
    CashDiffers: Permission.CASH_RECEIVE,
    CashOverdue: Permission.CASH_RECEIVE,
}
"""What it takes to do the work of each event: who has the permission sees it."""

BY_CUSTOMER = frozenset({TicketMessageAdded})
"""Events that are work only where the customer caused them: a message of the staff's own is none."""


def is_work(event: Event) -> bool:
    """Whether an event is work of any role."""
    event_type = type_of(event)
    return event_type in WORK_QUEUE and (event_type not in BY_CUSTOMER or event.actor_id == event.account_id)


def work_of(role: Role) -> Sequence[type[DomainEvent]]:
    """The events that are work of a role."""
    return [event_type for event_type, permission in WORK_QUEUE.items() if is_granted(permission, role)]
