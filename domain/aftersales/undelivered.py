"""A parcel that came back or was lost ends: its units leave the order by the rule of withdrawals.

The cash for them is not due any more; the rest of what they cost is refunded. The fee of a delivery of which
nothing was kept goes with them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import load_claim_facts
from domain.aftersales.refund_amounts import price_withdrawal
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.sending_back import escalate_lost, has_lost_units
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import (
    RefundTerms,
    WithdrawnUnits,
    cancelled_units,
    load_sending_plan,
    settle_withdrawn,
)
from domain.cause import Cause
from domain.order import reopen_order
from domain.order.cash import find_cash_payments, fix_cash
from domain.promotion import release_promotion_units
from domain.shipment import (
    check_endable,
    end_replacement,
    enter_ending,
    lock_shipment,
    refresh_fulfilment,
    set_receipt_due,
)
from models import (
    Delivery,
    DeliveryLine,
    Order,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    TicketReason,
    TicketType,
)
from models.sql.types import AnySelect
from text.messages import Message

NOT_DELIVERED = Message("It could not be delivered.")


async def end_shipment(
    session: AsyncSession, shipment_id: int, *, receipt_after: timedelta, cause: Cause
) -> Shipment:
    """End a parcel that came back and was inspected, or was lost: its units leave the order.

    WrongState for one that is under way or has ended.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    check_endable(shipment)
    await end_undelivered(session, order, shipment, receipt_after=receipt_after, cause=cause)
    return shipment


async def end_overdue_shipment(
    session: AsyncSession, shipment_id: int, *, waited_since: datetime, receipt_after: timedelta, cause: Cause
) -> bool:
    """End a parcel that nobody has ended since `waited_since`; False when somebody has.

    What nobody has inspected stays missing: who finds it books it then.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    if shipment.waiting_since is None or shipment.waiting_since > waited_since:
        return False
    await end_undelivered(session, order, shipment, receipt_after=receipt_after, cause=cause)
    return True


def select_overdue_shipments(waited_since: datetime) -> AnySelect:
    """Select the ids of parcels that are back or lost since then, the longest waiting first."""
    return (
        select(Shipment.id)
        .where(Shipment.waiting_since <= waited_since)
        .order_by(Shipment.waiting_since, Shipment.id)
    )


async def end_undelivered(
    session: AsyncSession, order: Order, shipment: Shipment, *, receipt_after: timedelta, cause: Cause
) -> None:
    """End a locked parcel, and settle what its units cost that no ticket has settled."""
    await reopen_order(session, order, cause=cause)
    delivery = await session.get_one(Delivery, shipment.delivery_id)
    if delivery.ticket_id is not None:
        await end_replacement(session, order, shipment, cause=cause)
        if delivery.sends_back:
            await session.flush()
            lost = await has_lost_units(session, shipment)
            await escalate_lost(session, delivery.ticket_id, order, lost=lost, cause=cause.automatic)
    else:
        await end_original(session, order, shipment, cause=cause)
    await refresh_fulfilment(session, order, cause=cause)
    set_receipt_due(order, receipt_after=receipt_after)
    await settle_claimed_order(session, order, cause=cause.automatic)


async def end_original(session: AsyncSession, order: Order, shipment: Shipment, *, cause: Cause) -> None:
    """End a parcel of what was ordered: its units leave the order, but those that a ticket has settled."""
    cash = await fix_cash(session, order, shipment)
    await enter_ending(session, order, shipment, ShipmentEnding.WITHDRAWN, cause=cause)
    withdrawn = await load_units_to_withdraw(session, shipment)
    if withdrawn:
        await settle_undelivered(session, order, withdrawn, cash=cash, cause=cause)


async def load_units_to_withdraw(session: AsyncSession, shipment: Shipment) -> list[WithdrawnUnits]:
    """The units of a parcel by their delivery lines, without those that a ticket has settled."""
    rows = await session.execute(
        select(DeliveryLine, ShipmentLine.quantity - ShipmentLine.claimed)
        .join(ShipmentLine, ShipmentLine.delivery_line_id == DeliveryLine.id)
        .where(ShipmentLine.shipment_id == shipment.id)
        .order_by(DeliveryLine.id)
        .execution_options(populate_existing=True)
    )
    return [WithdrawnUnits(line, units) for line, units in rows if units]


async def settle_undelivered(
    session: AsyncSession, order: Order, withdrawn: Sequence[WithdrawnUnits], *, cash: int, cause: Cause
) -> None:
    """Take units that were sent off a locked order; `cash` is what was to be collected for them."""
    claimed = tuple(ClaimedUnits(each.line.order_line_id, each.units) for each in withdrawn)
    claim = TicketClaim(TicketType.REFUND_ONLY, TicketReason.NO_REASON, claimed)
    facts = await load_claim_facts(session, order, claim)
    case = replace(facts.case, unpaid=cash)
    plan = await load_sending_plan(session, order)
    amounts = price_withdrawal(case, fees=plan.fees_without(withdrawn))
    variants = {line.id: line.variant_id for line in case.lines.values()}
    cancelled, kept = cancelled_units(claimed, plan, variants), plan.deliveries_without(withdrawn)
    for each in withdrawn:
        each.line.ended += each.units
    await session.flush()
    await release_promotion_units(session, order.id, cancelled, now=cause.now)
    payments = await find_cash_payments(session, order)
    await settle_withdrawn(
        session, case, amounts, kept, payments, terms=RefundTerms(str(NOT_DELIVERED)), cause=cause
    )
