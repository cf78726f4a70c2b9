"""Edits of orders in tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.editing import EditRequest, edit_order
from domain.aftersales.order_editing.quote import quote_edit
from domain.cause import Cause
from models import Money, Order, PaymentMethod
from tests.factories.order import NOW, RECEIPT_AFTER, TERMS


async def edit(
    session: AsyncSession,
    order: Order,
    changes: OrderChanges,
    *,
    method: PaymentMethod | None = None,
    key: str = "edit-1",
    total: int | None = None,
) -> Order:
    """Edit an order at the quoted total."""
    if total is None:
        total = (await quote_edit(session, order.id, changes, now=NOW)).total.minor
    return await edit_order(
        session,
        order.id,
        EditRequest(changes, Money(total, order.currency), method, key),
        TERMS,
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW, order.account_id),
    )
