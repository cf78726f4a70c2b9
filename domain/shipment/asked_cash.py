"""What carriers are asked to collect: together never more than an order has to pay in cash."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import WrongState
from domain.order.cash import fix_cash, sum_cash_left
from domain.shipment.waybills import LIVE
from models import Order, Shipment, Waybill, WaybillStatus


async def expect_cash(session: AsyncSession, order: Order, shipments: Sequence[Shipment]) -> int:
    """What is to be collected for parcels of a locked order as it is fixed when they leave, in minor units.

    What carriers were asked to collect for other parcels that have not left yet is theirs. Nothing is fixed.
    """
    if not await sum_cash_left(session, order):
        return sum(shipment.cash_amount or 0 for shipment in shipments)
    unfixed = [shipment for shipment in shipments if shipment.cash_amount is None]
    for other, waybill in await load_asked_elsewhere(session, order, shipments):
        unfixed.append(other)
        asked, _ = await ask_share(session, order, other, waybill)
        other.cash_amount = asked
        await session.flush()
    total = 0
    for shipment in sorted(shipments, key=lambda each: each.id):
        total += await fix_cash(session, order, shipment)
    for shipment in unfixed:
        shipment.cash_amount = None
    await session.flush()
    return total


async def fix_asked_cash(session: AsyncSession, order: Order, shipment: Shipment, waybill: Waybill) -> None:
    """Fix for a parcel of a locked order what the carrier of its waybill was asked to collect.

    WrongState where that is not what is due any more.
    """
    asked, is_due = await ask_share(session, order, shipment, waybill)
    if not is_due:
        raise WrongState(
            "What is to be collected has changed since this waybill was booked; book another.", field=("id",)
        )
    shipment.cash_amount = asked


async def ask_share(
    session: AsyncSession, order: Order, shipment: Shipment, waybill: Waybill
) -> tuple[int, bool]:
    """What of the cash of a waybill falls to one of its parcels that has none fixed, and whether so much is
    due: of what goes along on a waybill, the last parcel that leaves brings the rest."""
    mother = waybill if waybill.mother_id is None else await session.get_one(Waybill, waybill.mother_id)
    due = await sum_cash_left(session, order)
    share = await fix_cash(session, order, shipment)
    shipment.cash_amount = None
    if not mother.cash_amount:
        return share, True
    on_it = or_(Waybill.id == mother.id, Waybill.mother_id == mother.id)
    along = await session.execute(
        select(Shipment.cash_amount, Shipment.dispatched_at)
        .join(Waybill, Waybill.shipment_id == Shipment.id)
        .where(on_it, Waybill.status.in_(LIVE), Shipment.id != shipment.id)
    )
    others = along.all()
    rest = mother.cash_amount - sum(amount or 0 for amount, _ in others)
    if any(amount is None for amount, _ in others):
        return max(0, min(share, rest)), True
    brings_all = share == due
    return max(0, min(rest, due)), 0 <= rest <= due and not (brings_all and rest < due)


async def load_asked_elsewhere(
    session: AsyncSession, order: Order, shipments: Sequence[Shipment]
) -> list[tuple[Shipment, Waybill]]:
    """Other parcels of an order that have not left, with the waybills for which their carriers were asked to
    collect cash, the first waybill first."""
    rows = await session.execute(
        select(Shipment, Waybill)
        .join(Waybill, Waybill.shipment_id == Shipment.id)
        .where(Shipment.order_id == order.id, Shipment.id.not_in([each.id for each in shipments]))
        .where(Shipment.dispatched_at.is_(None), Shipment.cash_amount.is_(None))
        .where(Waybill.status.in_(LIVE), or_(Waybill.mother_id.is_not(None), Waybill.cash_amount > 0))
        .order_by(Waybill.id)
    )
    chosen: dict[int, tuple[Shipment, Waybill]] = {}
    for shipment, waybill in rows:  # that which is booked, else the newest
        before = chosen.get(shipment.id)
        if before is None or before[1].status is not WaybillStatus.BOOKED:
            chosen[shipment.id] = shipment, waybill
    return sorted(chosen.values(), key=lambda each: each[1].id)
