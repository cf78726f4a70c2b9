"""`node` and `nodes`: anything by its global id, as far as the viewer may see it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import strawberry

from domain.errors import LimitReached
from resolvers.account import find_account, find_address, find_sign_in
from resolvers.aftersales import find_canned_answer, find_ticket, find_ticket_message
from resolvers.carrier import find_carrier_row, find_unhandled_report
from resolvers.carrier_rule import find_carrier_rule
from resolvers.cart import find_cart, find_cart_line, find_saved_line
from resolvers.cash import find_cash_hand_in
from resolvers.catalog import (
    find_attribute,
    find_category,
    find_media,
    find_price_change,
    find_product,
    find_variant,
)
from resolvers.context import Info
from resolvers.delivery_run import find_delivery_run, find_delivery_run_stop
from resolvers.delivery_run.vehicles import find_vehicle
from resolvers.dispute import find_dispute
from resolvers.ids import parse_id
from resolvers.knowledge import find_article, find_synonym_group
from resolvers.order import find_delivery, find_delivery_line, find_order, find_order_line
from resolvers.packing import find_box_type, find_open_parcel, find_wave
from resolvers.payment import find_payment, find_payment_attempt, find_refund
from resolvers.promotion import find_promotion
from resolvers.shipment import find_shipment, find_shipment_task, find_waybill_task
from resolvers.shipping import find_shipping_zone
from resolvers.statement import find_difference
from resolvers.stock import find_warehouse
from resolvers.store_credit import find_gift_card
from resolvers.training import (
    find_certificate,
    find_certificate_requirement,
    find_course,
    find_quiz_attempt,
)

NODES_LIMIT = 100

FindRow = Callable[[Info, int], Awaitable[object]]

NODES: Mapping[str, FindRow] = {
    "Account": find_account,
    "Address": find_address,
    "SignIn": find_sign_in,
    "Attribute": find_attribute,
    "Category": find_category,
    "Media": find_media,
    "PriceChange": find_price_change,
    "Product": find_product,
    "Variant": find_variant,
    "Warehouse": find_warehouse,
    "Article": find_article,
    "SynonymGroup": find_synonym_group,
    "Carrier": find_carrier_row,
    "CarrierRule": find_carrier_rule,
    "UnhandledReport": find_unhandled_report,
    "Cart": find_cart,
    "CartLine": find_cart_line,
    "SavedLine": find_saved_line,
    "Promotion": find_promotion,
    "Order": find_order,
    "OrderLine": find_order_line,
    "Delivery": find_delivery,
    "DeliveryLine": find_delivery_line,
    "Payment": find_payment,
    "PaymentAttempt": find_payment_attempt,
    "Refund": find_refund,
    "Dispute": find_dispute,
    "StatementDifference": find_difference,
    "CashHandIn": find_cash_hand_in,
    "Shipment": find_shipment,
    "OpenParcel": find_open_parcel,
    "Wave": find_wave,
    "BoxType": find_box_type,
    "ShipmentTask": find_shipment_task,
    "WaybillTask": find_waybill_task,
    "ShippingZone": find_shipping_zone,
    "DeliveryRun": find_delivery_run,
    "DeliveryRunStop": find_delivery_run_stop,
    "Vehicle": find_vehicle,
    "GiftCard": find_gift_card,
    "Course": find_course,
    "QuizAttempt": find_quiz_attempt,
    "Certificate": find_certificate,
    "CertificateRequirement": find_certificate_requirement,
    "Ticket": find_ticket,
    "TicketMessage": find_ticket_message,
    "CannedAnswer": find_canned_answer,
}
"""GraphQL type -> what finds one by its number; None when it does not exist or is not the viewer's."""


async def node(info: Info, id: strawberry.ID) -> object:
    """Anything by its id; null when it does not exist or is not yours.

    id: its global id
    """
    parsed = parse_id(id)
    find = NODES.get(parsed[0]) if parsed else None
    return await find(info, parsed[1]) if find and parsed else None


async def nodes(info: Info, ids: list[strawberry.ID]) -> Sequence[object]:
    """Several by their ids, in the order given; null for each that does not exist or is not yours.

    ids: their global ids, at most 100
    """
    if len(ids) > NODES_LIMIT:
        raise LimitReached("At most {limit} ids at once.", limit=NODES_LIMIT, field=("ids",))
    return await asyncio.gather(*(node(info, id=each) for each in ids))
