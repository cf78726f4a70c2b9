"""THE TABLE of what follows an event after its transaction has committed."""

from domain.events import (
    OrderCancelled,
    OrderClosed,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    ShipmentDelivered,
)
from events.aftersales import (
    cancel_open_tickets,
    complete_replaced_ticket,
    update_ticket_of_refund,
)
from events.payment import close_payments_at_providers, send_refunds, settle_cancelled_order
from events.types import AfterTransaction, InTransaction, Reactions, reactions_to

REACTIONS: Reactions = dict(
    [
        reactions_to(
            OrderCancelled,
            InTransaction(settle_cancelled_order),
            InTransaction(cancel_open_tickets),
            AfterTransaction(close_payments_at_providers),
        ),
        reactions_to(OrderClosed, InTransaction(cancel_open_tickets)),
        reactions_to(RefundRequested, InTransaction(update_ticket_of_refund), AfterTransaction(send_refunds)),
        reactions_to(RefundSucceeded, InTransaction(update_ticket_of_refund)),
        reactions_to(RefundFailed, InTransaction(update_ticket_of_refund)),
        reactions_to(ShipmentDelivered, InTransaction(complete_replaced_ticket)),
    ]
)
