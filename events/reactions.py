"""THE TABLE: what follows after commit."""

from collections.abc import Mapping, Sequence

from events.aftersales import ticket_follows_refunds, ticket_follows_replacement, tickets_end_with_order
from events.payment import close_at_providers, send_refunds, settle_cancelled
from events.reaction import Inside, Outside, Reaction

REACTIONS: Mapping[str, Sequence[Reaction]] = {
    "order.cancelled": [
        Inside(settle_cancelled),
        Inside(tickets_end_with_order),
        Outside(close_at_providers),
    ],
    "order.closed": [Inside(tickets_end_with_order)],
    "refund.requested": [Inside(ticket_follows_refunds), Outside(send_refunds)],
    "refund.succeeded": [Inside(ticket_follows_refunds)],
    "refund.failed": [Inside(ticket_follows_refunds)],
    "shipment.delivered": [Inside(ticket_follows_replacement)],
}
