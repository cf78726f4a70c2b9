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
from events.types import Inside, Outside, Reactions, reactions_to

REACTIONS: Reactions = dict(
    [
        reactions_to(
            OrderCancelled,
            Inside(settle_cancelled_order),
            Inside(cancel_open_tickets),
            Outside(close_payments_at_providers),
        ),
        reactions_to(OrderClosed, Inside(cancel_open_tickets)),
        reactions_to(RefundRequested, Inside(update_ticket_of_refund), Outside(send_refunds)),
        reactions_to(RefundSucceeded, Inside(update_ticket_of_refund)),
        reactions_to(RefundFailed, Inside(update_ticket_of_refund)),
        reactions_to(ShipmentDelivered, Inside(complete_replaced_ticket)),
    ]
)
