"""Goods on either way: not sent after all, sent back, sent again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.rules import Wanted
from domain.aftersales.states import ACCEPTED, SETTLED
from domain.aftersales.ticket import lines_of
from domain.errors import OutOfStock, WrongState
from domain.offer import Leaving, give_back_units
from domain.order.allocate import Goal, Shelves, allocate
from domain.shipment import refresh_fulfilment
from domain.stock import Allocation, levels, release, reserve, take_back
from models import (
    POSTAL_FIELDS,
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketLine,
    TicketStatus,
    Variant,
    Warehouse,
)


class AlreadyPacked(WrongState):
    """What was not to be sent has been packed meanwhile."""

    def __init__(self) -> None:
        super().__init__("Some of it has been packed or sent meanwhile; return it when it has arrived.")


async def withdraw(
    session: AsyncSession, order: Order, lines: Sequence[Wanted], *, now: datetime, by: int | None
) -> None:
    """Do not send these units after all: they leave their deliveries and go back on the shelf.

    What was sold of them at the price of a flash sale is sold at it again.
    """
    ids = [line.line_id for line in lines]
    kept, unpacked = await still_to_go(session, ids), await unpacked_of(session, ids)
    freed, leaving = [], []
    for line in lines:
        left = line.quantity
        variant_id = (await session.get_one(OrderLine, line.line_id)).variant_id
        for waiting in unpacked[line.line_id]:
            units = min(left, waiting.quantity - waiting.packed)
            await take_out(session, waiting, units)
            if units and waiting.reserved:
                freed.append(Allocation(variant_id, waiting.warehouse_id, units))
            left -= units
        if left:
            raise AlreadyPacked
        leaving.append(Leaving(variant_id, units=line.quantity, of=kept[line.line_id]))
    await session.flush()
    await release(session, freed, order_id=order.id, now=now, by=by)
    await give_back_units(session, order.id, leaving, now=now)
    await refresh_fulfilment(session, order, now=now, by=by)


async def still_to_go(session: AsyncSession, order_line_ids: Sequence[int]) -> Mapping[int, int]:
    """Units of each line that were not withdrawn, sent or not."""
    rows = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(DeliveryLine.order_line_id.in_(order_line_ids), Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in rows}


async def unpacked_of(
    session: AsyncSession, order_line_ids: Sequence[int]
) -> Mapping[int, Sequence[DeliveryLine]]:
    """What of each line is not packed yet, the last delivery's first."""
    found: defaultdict[int, list[DeliveryLine]] = defaultdict(list)
    rows = await session.scalars(
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(
            DeliveryLine.order_line_id.in_(order_line_ids),
            DeliveryLine.packed < DeliveryLine.quantity,
            Delivery.ticket_id.is_(None),
        )
        .order_by(Delivery.position.desc(), DeliveryLine.id.desc())
        .with_for_update(of=DeliveryLine)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.order_line_id].append(row)
    return found


async def take_out(session: AsyncSession, line: DeliveryLine, units: int) -> None:
    if units == line.quantity:
        await session.delete(line)
    else:
        line.quantity -= units


async def take_goods_back(
    session: AsyncSession, ticket: Ticket, order: Order, *, damaged: bool, now: datetime, by: int | None
) -> None:
    """Returned goods go to the warehouse they came from, to be sold again or to be written off."""
    back = [
        part
        for line in await lines_of(session, ticket)
        for part in slice_of(
            await came_from(session, line.order_line_id),
            skip=await came_back(session, line.order_line_id, but=ticket.id),
            units=line.quantity,
        )
    ]
    await take_back(session, back, damaged=damaged, order_id=order.id, now=now, by=by)


def slice_of(parts: Sequence[Allocation], *, skip: int, units: int) -> list[Allocation]:
    """`units` of what came out of several warehouses, after the first `skip`."""
    found = []
    for part in parts:
        passed = min(skip, part.quantity)
        taken = min(units, part.quantity - passed)
        skip, units = skip - passed, units - taken
        if taken:
            found.append(Allocation(part.variant_id, part.warehouse_id, taken))
    return found


async def came_from(session: AsyncSession, order_line_id: int) -> Sequence[Allocation]:
    """What was sent of a line and from where; what is sold without a limit never was in the books."""
    rows = await session.execute(
        select(OrderLine.variant_id, DeliveryLine.warehouse_id, ShipmentLine.quantity)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id == order_line_id, DeliveryLine.reserved)
        .where(Shipment.dispatched_at.is_not(None), Delivery.ticket_id.is_(None))
        .order_by(Shipment.id, DeliveryLine.id)
    )
    return [Allocation(*row) for row in rows]


async def came_back(session: AsyncSession, order_line_id: int, *, but: int) -> int:
    """Units of a line that other tickets have brought back."""
    found = await session.scalar(
        select(func.sum(TicketLine.quantity))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(TicketLine.order_line_id == order_line_id, Ticket.id != but)
        .where(Ticket.type.in_(ACCEPTED), Ticket.status.in_(SETTLED | {TicketStatus.RESHIPPING}))
    )
    return int(found or 0)


async def send_again(
    session: AsyncSession, ticket: Ticket, order: Order, *, now: datetime, by: int | None
) -> None:
    """The same goods once more, to where they went: packed and sent like any other delivery."""
    wanted = await destinations(session, ticket)
    lines = {line.id: line for line in await bought(session, ticket)}
    shelves = await stocked(session, lines, wanted.values())
    places = list(
        await session.scalars(
            select(Warehouse).where(Warehouse.active).order_by(Warehouse.position, Warehouse.id)
        )
    )
    sent = [(Goal.of(delivery), quantities) for delivery, quantities in wanted.values()]
    parts = allocate(sent, shelves, places)
    aside = [
        Allocation(lines[part.line].variant_id, part.warehouse_id, part.quantity)
        for part in parts
        if part.line not in shelves.unlimited
    ]
    await reserve(session, aside, order_id=order.id, now=now, by=by)
    first = 1 + (await session.scalar(last_position(order)) or 0)
    for index, (original, _) in enumerate(wanted.values()):
        again = replacement(original, ticket, position=first + index)
        session.add(again)
        await session.flush()
        session.add_all(
            DeliveryLine(
                delivery_id=again.id,
                order_line_id=part.line,
                warehouse_id=part.warehouse_id,
                quantity=part.quantity,
                packed=0,
                reserved=part.line not in shelves.unlimited,
            )
            for part in parts
            if part.delivery == index
        )
    await session.flush()


Destination = tuple[Delivery, dict[int, int]]
"""A delivery that was made, and the units by order line that go there again."""


async def destinations(session: AsyncSession, ticket: Ticket) -> Mapping[int, Destination]:
    """Each line goes again to the first address it went to."""
    rows = await session.execute(
        select(Delivery, TicketLine)
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(TicketLine, TicketLine.order_line_id == DeliveryLine.order_line_id)
        .where(TicketLine.ticket_id == ticket.id, Delivery.ticket_id.is_(None), DeliveryLine.packed > 0)
        .order_by(Delivery.position, TicketLine.order_line_id)
    )
    found: dict[int, Destination] = {}
    placed = set()
    for delivery, line in rows:
        if line.order_line_id not in placed:
            placed.add(line.order_line_id)
            found.setdefault(delivery.id, (delivery, {}))[1][line.order_line_id] = line.quantity
    return found


async def bought(session: AsyncSession, ticket: Ticket) -> Sequence[OrderLine]:
    rows = await session.scalars(
        select(OrderLine)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .where(TicketLine.ticket_id == ticket.id)
        .order_by(OrderLine.position)
    )
    return rows.all()


async def stocked(
    session: AsyncSession, lines: Mapping[int, OrderLine], wanted: Iterable[Destination]
) -> Shelves:
    """What is left of these lines and where; OutOfStock when it is not enough."""
    variants = {line.variant_id for line in lines.values()}
    rows = await session.scalars(select(Variant).where(Variant.id.in_(variants)))
    unlimited = {variant.id for variant in rows if not variant.limited}
    found = await levels(session, variants, active=True)
    left = {
        (line.id, level.warehouse_id): level.available
        for line in lines.values()
        for level in found.get(line.variant_id, [])
    }
    for line_id, quantity in (each for _, quantities in wanted for each in quantities.items()):
        line = lines[line_id]
        available = sum(level.available for level in found.get(line.variant_id, []))
        if line.variant_id not in unlimited and available < quantity:
            raise OutOfStock(line.title, left=available, field=())
    return Shelves(left, frozenset(line.id for line in lines.values() if line.variant_id in unlimited))


def replacement(original: Delivery, ticket: Ticket, *, position: int) -> Delivery:
    return Delivery(
        order_id=original.order_id,
        ticket_id=ticket.id,
        position=position,
        method=original.method,
        currency=original.currency,
        fee_amount=0,
        **{name: getattr(original, name) for name in POSTAL_FIELDS},
    )


def last_position(order: Order) -> Select[int]:
    return select(func.max(Delivery.position)).where(Delivery.order_id == order.id)


async def all_arrived(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether every unit of a ticket's replacement has been delivered."""
    sent = await session.scalar(
        select(func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket.id)
    )
    arrived = await session.scalar(
        select(func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.ticket_id == ticket.id, Shipment.status == ShipmentStatus.DELIVERED)
    )
    return sent is not None and arrived == sent
