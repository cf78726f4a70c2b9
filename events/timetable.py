"""THE TABLE of what falls due."""

from collections.abc import Sequence

from events.aftersales import TICKETS_OVERDUE
from events.cart import GUEST_CARTS
from events.catalog import PRICE_CHANGES
from events.media import UNUSED_PICTURES
from events.order import SILENT_RECEIPTS, UNPAID_ORDERS
from events.payment import REFUSED_REFUNDS, SLOW_SANDBOX, STALLED_REFUNDS, UNSETTLED_PAYMENTS
from events.shipment import CARRIER_POLLS
from events.timers import Timer

TIMETABLE: Sequence[Timer] = (
    UNPAID_ORDERS,
    SILENT_RECEIPTS,
    SLOW_SANDBOX,
    UNSETTLED_PAYMENTS,
    REFUSED_REFUNDS,
    STALLED_REFUNDS,
    CARRIER_POLLS,
    TICKETS_OVERDUE,
    PRICE_CHANGES,
    UNUSED_PICTURES,
    GUEST_CARTS,
)
