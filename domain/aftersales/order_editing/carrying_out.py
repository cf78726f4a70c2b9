"""Carrying out the plan of an edit: every row of the order, its stock, its promotions and its books."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress, write_address
from domain.aftersales.order_editing.facts import EditFacts
from domain.aftersales.order_editing.plan import EditPlan, PlannedAddition, PlannedRemoval, PlannedSource
from domain.aftersales.withdrawal import WithdrawnUnits, remove_units
from domain.cause import Cause
from domain.events import OrderEvent
from domain.ledger import NewPosting, write_postings
from domain.outbox import record
from domain.promotion import load_rule
from domain.promotion.restating import restate_uses
from domain.shipment import refresh_fulfilment
from domain.stock import Allocation, LineAllocation, release_line_units, reserve_line_units
from models import (
    CoordinateSource,
    DeliveryLine,
    Order,
    OrderLine,
    OrderPromotionRules,
    PostingKind,
)
from models.base import JsonObject
from models.sql.types import NewRow


async def carry_out(
    session: AsyncSession,
    facts: EditFacts,
    plan: EditPlan,
    event: OrderEvent,
    *,
    total_change: int,
    cause: Cause,
) -> None:
    """Change a locked order as planned; `total_change` is what is added to its payments, in minor units.

    Raises OutOfStock or PromotionUsedUp where others were faster; the transaction must then be rolled back.
    """
    order = facts.order
    await take_off_units(session, facts, plan.removals, cause=cause)
    # At once: the amounts of an order add up at each flush.
    restate_order(facts, plan, total_change)
    restate_lines(facts, plan)
    restate_deliveries(session, facts, plan, now=cause.now)
    await add_lines(session, facts, plan.additions, cause=cause)
    if plan.rules is not None:
        await store_rules(session, order, plan)
    rules = [load_rule(each) for each in plan.rules or ()]
    await restate_uses(session, order, plan.uses, rules, now=cause.now)
    record(session, event, cause)
    await post_edit(session, order, total_change, removed_amount=plan.removed_amount, cause=cause)
    await session.flush()
    await refresh_fulfilment(session, order, cause=cause)


async def take_off_units(
    session: AsyncSession, facts: EditFacts, removals: Sequence[PlannedRemoval], *, cause: Cause
) -> None:
    """Take units out of their deliveries and release them."""
    lines = {line.id: line for line in facts.sending.lines}
    released = [
        LineAllocation(
            each.delivery_line_id,
            Allocation(
                facts.kept[each.order_line_id].line.variant_id,
                lines[each.delivery_line_id].warehouse_id,
                each.units,
            ),
        )
        for each in removals
        if lines[each.delivery_line_id].reserved
    ]
    await release_line_units(session, released, order_id=facts.order.id, cause=cause)
    await remove_units(
        session, [WithdrawnUnits(lines[each.delivery_line_id], each.units) for each in removals]
    )


def restate_order(facts: EditFacts, plan: EditPlan, total_change: int) -> None:
    order = facts.order
    lines = sum(each.discount_amount - facts.kept[each.line_id].line.discount_amount for each in plan.lines)
    order.subtotal_amount += sum(each.unit_amount * each.quantity for each in plan.additions)
    order.discount_amount += lines + sum(each.discount_amount for each in plan.additions)
    order.shipping_amount += sum(each.after - each.before for each in plan.deliveries)
    order.cancelled_amount += plan.removed_amount
    order.total_amount += total_change
    order.extra_amount += total_change - plan.difference


def restate_lines(facts: EditFacts, plan: EditPlan) -> None:
    """Units that are taken off count as cancelled, at what they cost; the discounts are the new ones."""
    for planned in plan.lines:
        line = facts.kept[planned.line_id].line
        line.discount_amount, line.discounts = planned.discount_amount, planned.discounts
        line.cancelled += planned.removed
        line.cancelled_amount += planned.removed_amount


def restate_deliveries(session: AsyncSession, facts: EditFacts, plan: EditPlan, *, now: datetime) -> None:
    deliveries = {each.id: each for each in facts.sending.deliveries}
    for planned in plan.deliveries:
        delivery = deliveries[planned.delivery_id]
        delivery.fee_amount, delivery.discount_amount = planned.fee_amount, planned.discount_amount
        delivery.discounts = planned.discounts
        if planned.address:
            write_address(session, delivery, load_address(planned.address), now=now)


def load_address(kept: JsonObject) -> PostalAddress:
    """An address that a plan has kept; plans of before know no coordinates."""
    source = kept.get("coordinate_source")
    return PostalAddress(**kept | {"coordinate_source": CoordinateSource(source) if source else None})


async def add_lines(
    session: AsyncSession, facts: EditFacts, additions: Sequence[PlannedAddition], *, cause: Cause
) -> None:
    """Add lines with their units to be sent, and reserve them."""
    order = facts.order
    if not additions:
        return
    lines = await session.scalars(
        insert(OrderLine).returning(OrderLine),
        [
            new_line(order, planned, position)
            for position, planned in enumerate(additions, start=facts.last_position + 1)
        ],
    )
    planned_by_line = {line.id: additions[line.position - facts.last_position - 1] for line in lines.all()}
    rows = await session.scalars(
        insert(DeliveryLine).returning(DeliveryLine),
        [
            new_delivery_line(line_id, planned, source)
            for line_id, planned in planned_by_line.items()
            for source in planned.sources
        ],
    )
    counted = [
        LineAllocation(
            row.id,
            Allocation(planned.variant_id, row.warehouse_id, row.quantity),
            backordered_units(planned, row),
        )
        for row in rows.all()
        if (planned := planned_by_line[row.order_line_id]).tracked
    ]
    if counted:
        await reserve_line_units(session, counted, order_id=order.id, cause=cause)


def backordered_units(planned: PlannedAddition, line: DeliveryLine) -> int:
    here = (line.delivery_id, line.warehouse_id)
    return sum(each.backordered for each in planned.sources if (each.delivery_id, each.warehouse_id) == here)


def new_delivery_line(line_id: int, planned: PlannedAddition, source: PlannedSource) -> NewRow:
    return {
        "delivery_id": source.delivery_id,
        "order_line_id": line_id,
        "warehouse_id": source.warehouse_id,
        "quantity": source.quantity,
        "packed": 0,
        "reserved": planned.tracked,
    }


def new_line(order: Order, planned: PlannedAddition, position: int) -> NewRow:
    return {
        "order_id": order.id,
        "position": position,
        "product_id": planned.product_id,
        "variant_id": planned.variant_id,
        "sku": planned.sku,
        "title": planned.title,
        "translations": planned.translations,
        "options": planned.options,
        "picture_url": planned.picture_url,
        "weight_grams": planned.weight_grams,
        "requires_shipping": planned.requires_shipping,
        "currency": order.currency,
        "unit_amount": planned.unit_amount,
        "quantity": planned.quantity,
        "discount_amount": planned.discount_amount,
        "cancelled": 0,
        "cancelled_amount": 0,
        "discounts": planned.discounts,
    }


async def store_rules(session: AsyncSession, order: Order, plan: EditPlan) -> None:
    """Keep the rules that the next edit is priced with, those of added codes among them."""
    row = await session.scalar(select(OrderPromotionRules).where(OrderPromotionRules.order_id == order.id))
    if row is None:
        row = OrderPromotionRules(order_id=order.id, rules=[])
        session.add(row)
    row.rules = list(plan.rules or ())


async def post_edit(
    session: AsyncSession, order: Order, total_change: int, *, removed_amount: int, cause: Cause
) -> None:
    """Invoice what was added, and credit what was taken off or made cheaper before it was paid."""
    invoiced = max(0, total_change + removed_amount)
    credited = invoiced - total_change
    order.credited_amount += max(0, -(total_change + removed_amount))
    postings = [
        NewPosting(
            order_id=order.id,
            payment_id=None,
            kind=kind,
            amount=order.money(amount),
            key=f"{kind.value.lower()} by edit:{order.number}:{order.version}",
        )
        for kind, amount in ((PostingKind.INVOICED, invoiced), (PostingKind.CREDITED, credited))
        if amount
    ]
    await write_postings(session, postings, now=cause.now)
