"""Orders: quoting, placing, the life of an order, and changing it after it was placed."""

from domain.order.backorders import tell_filled_backorders
from domain.order.batch import BatchItem, OrderBatch, OrderResult, find_earlier_results
from domain.order.cash_rules import (
    CashRules,
    CashTerms,
    check_cash_amount,
    find_cash_terms,
    remove_cash_rule,
    save_cash_rule,
)
from domain.order.deliveries import OrderQuoteDelivery
from domain.order.editing import (
    add_note,
    buy_again,
    hold_disputed_order,
    hold_order,
    release_disputed_order,
    release_order,
)
from domain.order.lifecycle import (
    cancel_order,
    cancel_overdue_orders,
    confirm_due_receipt,
    confirm_if_secured,
    confirm_receipt,
    is_unpaid_at,
    lock_order,
    lock_shipment,
    reopen_order,
    required_reason,
    settle_order,
    settle_orders,
)
from domain.order.method_choice import (
    MethodRequest,
    PaymentMethodOption,
    ProviderReach,
    weigh_method,
)
from domain.order.place import (
    OrderTerms,
    SoldMeanwhile,
    check_each_payment,
    place_order,
    place_orders,
)
from domain.order.quote import OrderQuote, OrderQuoteLine, quote_order
from domain.order.refusals import AmountMismatch, EditTotalMismatch, NotOffered, label_of_line
from domain.order.request import OrderRequest, PaymentPlan, PlannedPayment, RequestedDelivery, RequestedLine
from domain.order.states import FINAL, NOT_DISPATCHED, TRANSITIONS
from domain.order.waiting_edit import EDIT_TRANSITIONS

__all__ = [
    "EDIT_TRANSITIONS",
    "FINAL",
    "NOT_DISPATCHED",
    "TRANSITIONS",
    "AmountMismatch",
    "BatchItem",
    "CashRules",
    "CashTerms",
    "EditTotalMismatch",
    "MethodRequest",
    "NotOffered",
    "OrderBatch",
    "OrderQuote",
    "OrderQuoteDelivery",
    "OrderQuoteLine",
    "OrderRequest",
    "OrderResult",
    "OrderTerms",
    "PaymentMethodOption",
    "PaymentPlan",
    "PlannedPayment",
    "ProviderReach",
    "RequestedDelivery",
    "RequestedLine",
    "SoldMeanwhile",
    "add_note",
    "buy_again",
    "cancel_order",
    "cancel_overdue_orders",
    "check_cash_amount",
    "check_each_payment",
    "confirm_due_receipt",
    "confirm_if_secured",
    "confirm_receipt",
    "find_cash_terms",
    "find_earlier_results",
    "hold_disputed_order",
    "hold_order",
    "is_unpaid_at",
    "label_of_line",
    "lock_order",
    "lock_shipment",
    "place_order",
    "place_orders",
    "quote_order",
    "release_disputed_order",
    "release_order",
    "remove_cash_rule",
    "reopen_order",
    "required_reason",
    "save_cash_rule",
    "settle_order",
    "settle_orders",
    "tell_filled_backorders",
    "weigh_method",
]
