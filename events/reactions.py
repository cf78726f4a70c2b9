"""THE TABLE of what follows an event after its transaction has committed."""

from domain.aftersales.replacement import find_replacements
from domain.aftersales.return_collection import find_returning
from domain.events import (
    OrderBackordersFilled,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderEditDropped,
    OrderEdited,
    OrderHeld,
    OrderLinesCancelled,
    OrderPaymentsChanged,
    OrderPickupEnded,
    OrderPickupReady,
    OrderReleased,
    PaymentCaptured,
    RefundAbnormal,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEnded,
    ShipmentTracked,
    TicketAgreed,
    TicketCancelled,
    TicketCompleted,
    TicketDecided,
    TicketDifferenceDue,
    TicketDifferencePaid,
    TicketDifferenceUnpaid,
    TicketEscalated,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketRefused,
    TicketRepairFinished,
    TicketReplacementChosen,
    TicketReplacementFilled,
    TicketReplacementUnavailable,
    TicketReturnAccepted,
    TicketReturnDelivered,
    TicketReturnOverdue,
    TicketReturnRefused,
)
from events.aftersales import (
    agree_by_rule,
    send_replacement_of_payment,
    update_replaced_ticket,
    update_ticket_of_refund,
)
from events.delivery_run import drop_cancelled_parcels
from events.notices.customer import notify_customer, notify_customers
from events.order import carry_out_edit_of_payment
from events.payment import close_attempts, credit_refunds, settle_cancelled_order
from events.pickup import end_pickups_of_cancelled_order
from events.return_parcel import end_return
from events.shipment import cancel_waybills, drop_from_packing
from events.types import InTransaction, Reactions, reactions_to
from events.unshipped import (
    deliver_replacement_without_shipping,
    deliver_what_needs_no_shipping,
)

DROP_FROM_PACKING = InTransaction(drop_from_packing)
END_RETURN = InTransaction(end_return, find_concerned=find_returning)
NOTIFY = InTransaction(notify_customer, effect_on_many=notify_customers)
CLOSE_ATTEMPTS = InTransaction(close_attempts)
DELIVER_REPLACEMENT = InTransaction(deliver_replacement_without_shipping)
DELIVER_UNSHIPPED = InTransaction(deliver_what_needs_no_shipping)
UPDATE_REPLACED_TICKET = InTransaction(update_replaced_ticket, find_concerned=find_replacements)

REACTIONS: Reactions = dict(
    [
        reactions_to(OrderConfirmed, DELIVER_UNSHIPPED, NOTIFY),
        reactions_to(OrderPickupReady, NOTIFY),
        reactions_to(OrderPickupEnded, NOTIFY),
        reactions_to(OrderReleased, DELIVER_UNSHIPPED),
        reactions_to(OrderBackordersFilled, DELIVER_UNSHIPPED),
        reactions_to(
            OrderCancelled,
            InTransaction(settle_cancelled_order),
            InTransaction(end_pickups_of_cancelled_order),
            InTransaction(cancel_waybills),
            InTransaction(drop_cancelled_parcels),
            DROP_FROM_PACKING,
            NOTIFY,
            CLOSE_ATTEMPTS,
        ),
        reactions_to(OrderCompleted, NOTIFY),
        reactions_to(OrderHeld, DROP_FROM_PACKING),
        reactions_to(OrderEdited, DELIVER_UNSHIPPED, DROP_FROM_PACKING),
        reactions_to(OrderLinesCancelled, DELIVER_UNSHIPPED, DROP_FROM_PACKING),
        reactions_to(OrderEditDropped, CLOSE_ATTEMPTS),
        reactions_to(OrderPaymentsChanged, CLOSE_ATTEMPTS),
        reactions_to(
            PaymentCaptured,
            InTransaction(carry_out_edit_of_payment),
            InTransaction(send_replacement_of_payment),
        ),
        reactions_to(RefundRequested, InTransaction(update_ticket_of_refund), InTransaction(credit_refunds)),
        reactions_to(RefundSucceeded, InTransaction(update_ticket_of_refund), NOTIFY),
        reactions_to(RefundAbnormal, InTransaction(update_ticket_of_refund)),
        reactions_to(RefundFailed, InTransaction(update_ticket_of_refund)),
        reactions_to(ShipmentDispatched, NOTIFY),
        reactions_to(ShipmentTracked, UPDATE_REPLACED_TICKET),
        reactions_to(ShipmentDelivered, UPDATE_REPLACED_TICKET, NOTIFY),
        reactions_to(ShipmentEnded, UPDATE_REPLACED_TICKET),
        reactions_to(TicketOpened, NOTIFY, InTransaction(agree_by_rule)),
        reactions_to(TicketAgreed, DELIVER_REPLACEMENT, NOTIFY),
        reactions_to(TicketMerged, NOTIFY, END_RETURN),
        reactions_to(TicketCancelled, END_RETURN),
        reactions_to(TicketEscalated, END_RETURN),
        reactions_to(TicketReturnAccepted, END_RETURN),
        reactions_to(TicketReturnDelivered, NOTIFY),
        reactions_to(TicketReturnOverdue, NOTIFY),
        reactions_to(TicketRefused, NOTIFY),
        reactions_to(TicketReturnRefused, NOTIFY, END_RETURN),
        reactions_to(TicketDecided, DELIVER_REPLACEMENT, NOTIFY),
        reactions_to(TicketReplacementChosen, DELIVER_REPLACEMENT),
        reactions_to(TicketReplacementFilled, DELIVER_REPLACEMENT),
        reactions_to(TicketRepairFinished, NOTIFY),
        reactions_to(TicketDifferenceDue, NOTIFY),
        reactions_to(TicketDifferencePaid, DELIVER_REPLACEMENT),
        reactions_to(TicketDifferenceUnpaid, NOTIFY),
        reactions_to(TicketMessageAdded, NOTIFY),
        reactions_to(TicketReplacementUnavailable, NOTIFY),
        reactions_to(TicketCompleted, NOTIFY),
    ]
)
