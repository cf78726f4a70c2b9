"""Edits that wait for their payment."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.order_editing.extra_payment import withdraw_edit
from domain.aftersales.order_editing.plan import EditPlan, PlannedAddition, PlannedLine, load_plan
from domain.aftersales.order_editing.quote import OrderEditQuoteDelivery, OrderEditQuoteLine
from models import Order, OrderEdit, OrderLine
from resolvers.context import Info
from resolvers.order.finding import own_order_id
from resolvers.order.stopping import stopping_payments


async def order_edit_cancel(info: Info, id: strawberry.ID) -> Order:
    """Gives up the edit of an order that waits for its payment; the order stays as it is.

    A payment that is being made is stopped.

    id: the order
    """
    order_id = await own_order_id(info, id)

    async def withdraw() -> Order:
        async with info.context.transaction() as session:
            return await withdraw_edit(session, order_id, cause=info.context.cause)

    return await stopping_payments(info, order_id, withdraw)


async def edited_lines(edits: Sequence[OrderEdit], info: Info) -> list[list[OrderEditQuoteLine]]:
    """The lines that it changes, and those that it adds."""
    plans = [plan_of(edit) for edit in edits]
    changed = [[line for line in plan.lines if line.before != line.after] if plan else [] for plan in plans]
    ids = [line.line_id for lines in changed for line in lines]
    rows = await info.context.load.order_line.load_many(ids)
    found = {row.id: row for row in rows if row}
    return [
        [
            *(changed_line(edit, line, found[line.line_id]) for line in lines),
            *(added_line(edit, added) for added in (plan.additions if plan else ())),
        ]
        for edit, plan, lines in zip(edits, plans, changed, strict=True)
    ]


async def edited_deliveries(edits: Sequence[OrderEdit], info: Info) -> list[list[OrderEditQuoteDelivery]]:
    """The deliveries whose fee or address it changes."""
    plans = [plan_of(edit) for edit in edits]
    changed = [
        [each for each in plan.deliveries if each.address or each.before != each.after] if plan else []
        for plan in plans
    ]
    ids = [each.delivery_id for deliveries in changed for each in deliveries]
    rows = await info.context.load.delivery.load_many(ids)
    found = {row.id: row for row in rows if row}
    return [
        [
            OrderEditQuoteDelivery(found[each.delivery_id], edit.money(each.before), edit.money(each.after))
            for each in deliveries
            if each.delivery_id in found
        ]
        for edit, deliveries in zip(edits, changed, strict=True)
    ]


def plan_of(edit: OrderEdit) -> EditPlan | None:
    return load_plan(edit.plan) if edit.plan else None


def changed_line(edit: OrderEdit, planned: PlannedLine, line: OrderLine) -> OrderEditQuoteLine:
    return OrderEditQuoteLine(
        order_line_id=line.id,
        variant_id=line.variant_id,
        quantity_before=planned.units_before,
        quantity=planned.units,
        unit_price=line.unit_price,
        before=edit.money(planned.before),
        after=edit.money(planned.after),
    )


def added_line(edit: OrderEdit, added: PlannedAddition) -> OrderEditQuoteLine:
    return OrderEditQuoteLine(
        order_line_id=None,
        variant_id=added.variant_id,
        quantity_before=0,
        quantity=added.quantity,
        unit_price=edit.money(added.unit_amount),
        before=edit.money(0),
        after=edit.money(added.after),
    )
