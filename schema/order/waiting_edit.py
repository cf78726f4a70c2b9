"""Edits that wait for their payment."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers.order.waiting_edit import edited_deliveries, edited_lines
from schema.limits.sizes import FEW, SOME
from schema.rows import batched, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.order.editing import OrderEditQuoteDelivery, OrderEditQuoteLine
    from schema.payment import Payment

LaterLine = Annotated["OrderEditQuoteLine", strawberry.lazy("schema.order.editing")]
LaterDelivery = Annotated["OrderEditQuoteDelivery", strawberry.lazy("schema.order.editing")]
LaterPayment = Annotated["Payment", strawberry.lazy("schema.payment")]


@row_type(models.OrderEdit)
class OrderEdit:
    """An edit that is carried out when the difference is paid; until then the order is as it was."""

    lines: list[LaterLine] = batched(edited_lines, size=SOME)
    deliveries: list[LaterDelivery] = batched(edited_deliveries, size=FEW)
    difference: Money
    """How much more the order will cost."""
    payment: LaterPayment = loaded("payment", key="payment_id")
    """The payment it waits for."""
    payment_due_at: datetime
    """When it is dropped unless it is paid by then."""
    created_at: datetime
    """When it was asked for."""
