"""THE TABLE of what the shop does by itself when something falls due."""

from collections.abc import Sequence

from events.aftersales import (
    CHANGED_DAYS,
    RELEASES_ENDED,
    TICKETS_FREE,
    TICKETS_IN_STOCK,
    TICKETS_OUTDATED,
    TICKETS_OVERDUE,
    TICKETS_UNCERTIFIED,
    TICKETS_UNRANKED,
    UNASKED_TICKETS,
)
from events.cart import GUEST_CARTS
from events.catalog import PRICE_CHANGES
from events.delivery_run import ENDED_DRAFTS, OLD_POSITIONS, REPLANS, STALLED_RUNS
from events.knowledge import UNCOUNTED_READS
from events.media import UNUSED_PICTURES
from events.notices.retention import EXPIRED_READINGS, EXPIRED_VERIFICATIONS, OLD_NOTICES
from events.order import (
    FILLED_BACKORDERS,
    UNCONFIRMED_RECEIPTS,
    UNPAID_CHANGES,
    UNPAID_EDITS,
    UNPAID_ORDERS,
)
from events.payment import (
    ADOPTED_PAYMENTS,
    DELAYED_SANDBOX_CHARGES,
    LATE_CREDIT_REFUNDS,
    OLD_NOTIFICATIONS,
    OVERDUE_CASH,
    REFUND_CALLS,
    REFUSED_REFUNDS,
    UNSETTLED_PAYMENTS,
)
from events.personal_data import ERASED_PICTURES, ERASURES
from events.pickup import UNCOLLECTED_PICKUPS
from events.places import UNLOCATED_PLACES
from events.return_parcel import UNATTENDED_RETURNS
from events.shipment import FORGOTTEN_PARCELS, OLD_CALLS, OLD_REPORTS, UNDELIVERED_SHIPMENTS
from events.shipment.lanes import FINISHED_JOURNEYS
from events.shipment.tasks import OVERDUE_SHIPMENTS
from events.store_credit import EXPIRED_GIFT_CARDS
from events.training import TRAINING
from events.types import Timer

SCHEDULE: Sequence[Timer] = (
    UNPAID_ORDERS,
    UNPAID_EDITS,
    UNPAID_CHANGES,
    FILLED_BACKORDERS,
    UNCONFIRMED_RECEIPTS,
    DELAYED_SANDBOX_CHARGES,
    ADOPTED_PAYMENTS,
    *UNSETTLED_PAYMENTS,
    REFUSED_REFUNDS,
    *REFUND_CALLS,
    LATE_CREDIT_REFUNDS,
    OVERDUE_CASH,
    EXPIRED_GIFT_CARDS,
    UNDELIVERED_SHIPMENTS,
    ENDED_DRAFTS,
    STALLED_RUNS,
    OLD_POSITIONS,
    REPLANS,
    OLD_CALLS,
    OLD_REPORTS,
    FINISHED_JOURNEYS,
    *OVERDUE_SHIPMENTS,
    *UNLOCATED_PLACES,
    FORGOTTEN_PARCELS,
    UNCOLLECTED_PICKUPS,
    TICKETS_OVERDUE,
    TICKETS_IN_STOCK,
    TICKETS_UNRANKED,
    TICKETS_OUTDATED,
    TICKETS_UNCERTIFIED,
    TICKETS_FREE,
    RELEASES_ENDED,
    CHANGED_DAYS,
    UNASKED_TICKETS,
    UNATTENDED_RETURNS,
    *TRAINING,
    UNCOUNTED_READS,
    PRICE_CHANGES,
    UNUSED_PICTURES,
    GUEST_CARTS,
    ERASURES,
    ERASED_PICTURES,
    EXPIRED_VERIFICATIONS,
    OLD_NOTICES,
    OLD_NOTIFICATIONS,
    EXPIRED_READINGS,
)

PARTNERS = tuple(sorted({timer.partner for timer in SCHEDULE if timer.partner}))
"""The partners that timers call; the timers of each run beside all others."""
