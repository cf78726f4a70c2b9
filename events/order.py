"""What happens to an order when nobody acts in time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.extra_payment import carry_out_paid_edit, drop_unpaid_edit
from domain.aftersales.order_editing.payments import return_to_cash
from domain.cause import Cause
from domain.events import PaymentCaptured
from domain.order import cancel_overdue_orders, confirm_due_receipt, tell_filled_backorders
from domain.order.due import select_unconfirmed_receipts, select_unpaid_changes, select_unpaid_orders
from domain.order.waiting_edit import select_unpaid_edits
from domain.stock import select_filled_backorders
from events.types import Resources, Timer


async def cancel_unpaid_order(resources: Resources, order_id: int) -> None:
    await cancel_unpaid_orders(resources, [order_id])


async def cancel_unpaid_orders(resources: Resources, order_ids: Sequence[int]) -> int:
    """Cancel, in one transaction, those of these orders that were not paid in time; how many."""
    async with resources.database.writes.begin() as session:
        cancelled = await cancel_overdue_orders(session, order_ids, cause=Cause(resources.clock()))
    resources.after_commit(session)
    return cancelled


async def complete_order(resources: Resources, order_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await confirm_due_receipt(session, order_id, cause=Cause(resources.clock()))


async def tell_backorders_of_order(resources: Resources, order_id: int) -> None:
    """Record for which units of an order stock has come."""
    async with resources.database.writes.begin() as session:
        await tell_filled_backorders(session, order_id, cause=Cause(resources.clock()))
    resources.wake_relay()


async def carry_out_edit_of_payment(
    session: AsyncSession, event: PaymentCaptured, resources: Resources
) -> None:
    """Carry out the edit, if there is one, that a payment was made for."""
    receipt_after = resources.settings.deadlines.receipt_confirmed_after
    cause = Cause(resources.clock())
    await carry_out_paid_edit(session, event.payment_id, receipt_after=receipt_after, cause=cause)


async def drop_edit_unpaid(resources: Resources, edit_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await drop_unpaid_edit(session, edit_id, cause=Cause(resources.clock()))
    resources.after_commit(session)


async def return_unpaid_order_to_cash(resources: Resources, order_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await return_to_cash(session, order_id, cause=Cause(resources.clock()))
    resources.after_commit(session)


UNPAID_CHANGES = Timer("order.change_unpaid", due=select_unpaid_changes, act=return_unpaid_order_to_cash)
UNPAID_EDITS = Timer("order.edit_unpaid", due=select_unpaid_edits, act=drop_edit_unpaid)
UNPAID_ORDERS = Timer(
    "order.unpaid", due=select_unpaid_orders, act=cancel_unpaid_order, act_on_group=cancel_unpaid_orders
)
FILLED_BACKORDERS = Timer(
    "order.backorders_filled", due=select_filled_backorders, act=tell_backorders_of_order
)
UNCONFIRMED_RECEIPTS = Timer("order.receipt_overdue", due=select_unconfirmed_receipts, act=complete_order)
