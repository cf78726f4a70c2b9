"""Waves: deliveries of which one warehouse picks the units together. A delivery is in one wave at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound
from domain.shipment.carriers import find_carrier
from domain.state import move, transition_table
from domain.stock import Weekday
from models import (
    OFFLINE_METHODS,
    Carrier,
    CarrierCode,
    Delivery,
    DeliveryLine,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    ShippingMethod,
    Warehouse,
    Wave,
    WaveDropReason,
    WavePart,
    WavePartStatus,
    WaveStatus,
    WaveUnits,
    scanned_units,
    sent_variant_id,
    waiting_units,
)
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

W = WaveStatus
P = WavePartStatus
WAVE_TRANSITIONS = transition_table(
    W.OPEN, {W.OPEN: {W.COMPLETED, W.CANCELLED}, W.COMPLETED: set(), W.CANCELLED: set()}
)
PART_TRANSITIONS = transition_table(
    P.PICKING,
    {P.PICKING: {P.PACKED, P.DROPPED, P.FREED}, P.PACKED: set(), P.DROPPED: set(), P.FREED: set()},
)

SENT_METHODS = (ShippingMethod.EXPRESS, ShippingMethod.STANDARD)
"""What a wave is opened for where nobody says it; the first one is picked first."""
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class WaveDraft:
    """What a wave is to take."""

    warehouse_id: int
    carrier: CarrierCode | None = None
    methods: Sequence[ShippingMethod] = SENT_METHODS
    placed_before: datetime | None = None
    limit: int | None = None


async def open_wave(
    session: AsyncSession, draft: WaveDraft, *, number: str, limit: int, zone: ZoneInfo, cause: Cause
) -> Wave:
    """Take what one warehouse can pick now into a wave, the most urgent first, at most `limit` deliveries."""
    most = limit if draft.limit is None else draft.limit
    if not 1 <= most <= limit:
        raise Invalid("A wave takes 1 to {limit} deliveries.", limit=limit, field=("limit",))
    if not draft.methods or ShippingMethod.NONE in draft.methods:
        raise Invalid("Name shipping methods that need packing.", field=("methods",))
    warehouse = await session.get(Warehouse, draft.warehouse_id)
    if warehouse is None:
        raise NotFound("warehouse", field=("warehouse_id",))
    carrier = await find_carrier(session, draft.carrier) if draft.carrier else None
    candidates = await session.execute(select_candidates(draft, carrier, most))
    found = {row[0]: row[1] for row in candidates}
    if not found:
        raise Conflict("There is nothing to pick there.", field=("warehouse_id",))
    wave = Wave(
        number=number,
        warehouse_id=warehouse.id,
        status=W.OPEN,
        carrier=carrier.code if carrier else None,
        due_at=next_cut_off(carrier, cause.now, zone) if carrier else None,
        opened_at=cause.now,
        opened_by_id=cause.by,
    )
    session.add(wave)
    await session.flush()
    await add_parts(session, wave, found)
    return wave


def select_candidates(draft: WaveDraft, carrier: Carrier | None, limit: int) -> AnySelect:
    """The deliveries, with their orders, that a wave takes; their orders are locked, and those that another
    transaction has locked are left to it."""
    unpicked = select(DeliveryLine.id).where(
        DeliveryLine.delivery_id == Delivery.id,
        DeliveryLine.warehouse_id == draft.warehouse_id,
        DeliveryLine.quantity - DeliveryLine.packed - waiting_units() - scanned_units() > 0,
    )
    in_wave = select(WavePart.id).where(
        WavePart.delivery_id == Delivery.id,
        WavePart.warehouse_id == draft.warehouse_id,
        WavePart.status == P.PICKING,
    )
    edited = select(OrderEdit.id).where(
        OrderEdit.order_id == Order.id, OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT
    )
    replaces = Delivery.ticket_id.is_not(None) & (Order.status == OrderStatus.COMPLETED)
    urgency = case(
        {method: place for place, method in enumerate(SENT_METHODS)}, value=Delivery.method, else_=9
    )
    statement = (
        select(Delivery.id, Order.id)
        .join(Order, Order.id == Delivery.order_id)
        .where(or_(Order.status == OrderStatus.CONFIRMED, replaces))
        .where(Order.held_at.is_(None), Order.payment_due_at.is_(None))
        # What goes back to a customer after an inspection lies in no bin.
        .where(Delivery.method.in_(draft.methods), ~Delivery.sends_back)
        .where(exists(unpicked), ~exists(in_wave), ~exists(edited))
        .order_by(urgency, Order.placed_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Order, key_share=True, skip_locked=True)
    )
    if draft.placed_before is not None:
        statement = statement.where(Order.placed_at < draft.placed_before)
    if carrier is not None and not carrier.takes_cash:
        in_cash = select(Payment.id).where(
            Payment.order_id == Order.id,
            Payment.method.in_(OFFLINE_METHODS),
            Payment.status.not_in([PaymentStatus.CAPTURED, PaymentStatus.CLOSED]),
            Payment.amount > 0,
        )
        statement = statement.where(~exists(in_cash))
    return statement


async def add_parts(session: AsyncSession, wave: Wave, found: dict[int, int]) -> None:
    """Put deliveries into a wave, with all that is there of them, unless another wave was faster."""
    parts = await session.execute(
        upsert_into(session, WavePart)
        .values(
            [
                {
                    "wave_id": wave.id,
                    "order_id": order_id,
                    "delivery_id": delivery_id,
                    "warehouse_id": wave.warehouse_id,
                    "status": P.PICKING,
                }
                for delivery_id, order_id in found.items()
            ]
        )
        .on_conflict_do_nothing()
        .returning(WavePart.id, WavePart.delivery_id)
    )
    by_delivery = {delivery_id: part_id for part_id, delivery_id in parts}
    if not by_delivery:
        raise Conflict("There is nothing to pick there.", field=("warehouse_id",))
    left = DeliveryLine.quantity - DeliveryLine.packed - waiting_units() - scanned_units()
    rows = await session.execute(
        select(DeliveryLine.delivery_id, DeliveryLine.id, OrderLine.id, sent_variant_id(), left)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(DeliveryLine.delivery_id.in_(by_delivery), DeliveryLine.warehouse_id == wave.warehouse_id)
        .where(left > 0)
    )
    await session.execute(
        insert(WaveUnits),
        [
            {
                "part_id": by_delivery[delivery_id],
                "delivery_line_id": line_id,
                "order_line_id": order_line_id,
                "variant_id": variant_id,
                "quantity": units,
            }
            for delivery_id, line_id, order_line_id, variant_id, units in rows
        ],
    )


def next_cut_off(carrier: Carrier, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When a carrier takes parcels along next; None for one that has no cut-offs."""
    local, days = now.astimezone(zone), list(Weekday)
    for ahead in range(WEEK_DAYS + 1):
        day = local.date() + timedelta(days=ahead)
        minutes = carrier.cut_offs.get(days[day.weekday()].value)
        if minutes is None:
            continue
        moment = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
        if moment > now:
            return moment
    return None


async def cancel_wave(session: AsyncSession, wave_id: int, *, cause: Cause) -> Wave:
    """Give up a wave: what is not packed can go into another one; a cancelled one stays so."""
    wave = await session.get(Wave, wave_id, with_for_update=True, populate_existing=True)
    if wave is None:
        raise NotFound("wave", field=("id",))
    if wave.status is W.CANCELLED:
        return wave
    move(wave, W.CANCELLED, WAVE_TRANSITIONS)
    wave.ended_at = cause.now
    await session.execute(
        update(WavePart)
        .where(WavePart.wave_id == wave_id, WavePart.status == P.PICKING)
        .values(status=P.FREED, ended_at=cause.now)
    )
    return wave


async def mark_packed_parts(session: AsyncSession, delivery_id: int, *, now: datetime) -> None:
    """Units of a delivery of a locked order were packed: its parts of which nothing is left are packed, and
    waves of which nothing is left are completed."""
    unpacked = (
        select(DeliveryLine.id)
        .join(WaveUnits, WaveUnits.delivery_line_id == DeliveryLine.id)
        .where(WaveUnits.part_id == WavePart.id)
        .where(DeliveryLine.packed < DeliveryLine.quantity - waiting_units())
        .correlate(WavePart)
    )
    waves = await session.scalars(
        update(WavePart)
        .where(WavePart.delivery_id == delivery_id, WavePart.status == P.PICKING, ~exists(unpacked))
        .values(status=P.PACKED, ended_at=now)
        .returning(WavePart.wave_id)
    )
    await complete_waves(session, set(waves), now=now)


async def drop_order_from_waves(
    session: AsyncSession, order_id: int, reason: WaveDropReason, *, now: datetime
) -> None:
    """An order has changed: what waves have of it drops out, and can go into another wave where it may."""
    waves = await session.scalars(
        update(WavePart)
        .where(WavePart.order_id == order_id, WavePart.status == P.PICKING)
        .values(status=P.DROPPED, reason=reason, ended_at=now)
        .returning(WavePart.wave_id)
    )
    await complete_waves(session, set(waves), now=now)


async def complete_waves(session: AsyncSession, wave_ids: set[int], *, now: datetime) -> None:
    """Complete those of these waves of which nothing is left; their rows are locked first, so that of two who
    pack the last parts at the same moment the second one sees what the first has done."""
    if not wave_ids:
        return
    await session.execute(select(Wave.id).where(Wave.id.in_(wave_ids)).order_by(Wave.id).with_for_update())
    picking = select(WavePart.id).where(WavePart.wave_id == Wave.id, WavePart.status == P.PICKING)
    await session.execute(
        update(Wave)
        .where(Wave.id.in_(wave_ids), Wave.status == W.OPEN, ~exists(picking))
        .values(status=W.COMPLETED, ended_at=now)
    )
