"""THE TABLE: what follows after commit."""

from collections.abc import Mapping, Sequence

from events.aftersales import ticket_follows_refunds, ticket_follows_replacement, tickets_end_with_order
from events.reaction import Inside, Reaction

REACTIONS: Mapping[str, Sequence[Reaction]] = {
    "order.cancelled": [Inside(tickets_end_with_order)],
    "order.closed": [Inside(tickets_end_with_order)],
    "refund.requested": [Inside(ticket_follows_refunds)],
    "refund.succeeded": [Inside(ticket_follows_refunds)],
    "refund.failed": [Inside(ticket_follows_refunds)],
    "shipment.delivered": [Inside(ticket_follows_replacement)],
}
