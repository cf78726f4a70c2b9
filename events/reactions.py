"""THE TABLE of what follows an event after its transaction has committed."""

from domain.events import (
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentTracked,
    TicketAgreed,
    TicketCompleted,
    TicketDecided,
    TicketMessageAdded,
    TicketOpened,
    TicketRefused,
    TicketReplacementUnavailable,
    TicketReturnRefused,
)
from events.aftersales import (
    cancel_open_tickets,
    update_replaced_ticket,
    update_ticket_of_refund,
)
from events.notices.customer import notify_customer
from events.payment import close_payments_at_providers, send_refunds, settle_cancelled_order
from events.types import AfterTransaction, InTransaction, Reactions, reactions_to

NOTIFY = InTransaction(notify_customer)

REACTIONS: Reactions = dict(
    [
        reactions_to(OrderConfirmed, NOTIFY),
        reactions_to(
            OrderCancelled,
            InTransaction(settle_cancelled_order),
            InTransaction(cancel_open_tickets),
            NOTIFY,
            AfterTransaction(close_payments_at_providers),
        ),
        reactions_to(OrderCompleted, NOTIFY),
        reactions_to(RefundRequested, InTransaction(update_ticket_of_refund), AfterTransaction(send_refunds)),
        reactions_to(RefundSucceeded, InTransaction(update_ticket_of_refund), NOTIFY),
        reactions_to(RefundFailed, InTransaction(update_ticket_of_refund)),
        reactions_to(ShipmentDispatched, NOTIFY),
        reactions_to(ShipmentTracked, InTransaction(update_replaced_ticket)),
        reactions_to(ShipmentDelivered, InTransaction(update_replaced_ticket), NOTIFY),
        reactions_to(TicketOpened, NOTIFY),
        reactions_to(TicketAgreed, NOTIFY),
        reactions_to(TicketRefused, NOTIFY),
        reactions_to(TicketReturnRefused, NOTIFY),
        reactions_to(TicketDecided, NOTIFY),
        reactions_to(TicketMessageAdded, NOTIFY),
        reactions_to(TicketReplacementUnavailable, NOTIFY),
        reactions_to(TicketCompleted, NOTIFY),
    ]
)
