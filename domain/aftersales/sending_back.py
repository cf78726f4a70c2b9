"""What the shop does not keep of a return goes back to its customer, as a parcel like any other.

It is not of the stock and costs nothing. While a manager decides, what is not packed yet stays.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.parts import current_inspections_of, load_noted_units
from domain.aftersales.replacement import build_replacement, select_last_position
from domain.aftersales.sent_units import load_sent_units
from domain.aftersales.states import TRANSITIONS
from domain.aftersales.withdrawal import WithdrawnUnits, remove_units
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import TicketEscalated
from domain.order import reopen_order
from domain.outbox import record
from domain.shipment import end_replacement
from domain.state import move
from models import (
    Delivery,
    DeliveryLine,
    Order,
    ReturnCondition,
    ReturnInspection,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketStatus,
    scanned_units,
)

CLAIMED_GOODS = frozenset({ReturnCondition.DAMAGED, ReturnCondition.INCOMPLETE})
"""Goods of the shop that may be refused."""

SENT_BACK = CLAIMED_GOODS | {ReturnCondition.NOT_OURS}
"""What is there and goes back to its customer when it is refused."""


async def send_back_refused(session: AsyncSession, ticket: Ticket, order: Order) -> None:
    """Have refused units of a locked ticket packed that are at the warehouse, as far as they are not."""
    rows = [
        row
        for row in await current_inspections_of(session, ticket)
        if row.condition in SENT_BACK and not row.accepted
    ]
    await send_back_units(session, ticket, order, rows)


async def send_back_units(
    session: AsyncSession, ticket: Ticket, order: Order, rows: Sequence[ReturnInspection]
) -> None:
    """Have inspected units of a locked ticket packed, as far as they are at the warehouse and are not."""
    lines = await load_lines_back(session, rows)
    waiting = {
        row.id: row.quantity - row.kept - row.lost - quantity_of(lines.get(row.delivery_line_id))
        for row in rows
    }
    for row_id, ended in (await count_ended(session, rows)).items():
        waiting[row_id] += ended
    if not any(waiting.values()):
        return
    origins = await find_origins(session, ticket)
    deliveries: dict[tuple[int, int], Delivery] = {}
    added = Counter[int]()
    for row in rows:
        line, units = lines.get(row.delivery_line_id), waiting[row.id]
        if line is not None:
            line.quantity += units
        elif units:
            origin = origins[row.order_line_id]
            # A parcel has an order line once, by which its units are inspected when it comes back.
            added[row.order_line_id] += 1
            key = origin.delivery_id, added[row.order_line_id]
            if key not in deliveries:
                deliveries[key] = await add_delivery_back(session, ticket, order, origin)
            line = DeliveryLine(
                delivery_id=deliveries[key].id,
                order_line_id=row.order_line_id,
                warehouse_id=origin.warehouse_id,
                quantity=units,
                packed=0,
                reserved=False,
                variant_id=origin.variant_id,
            )
            session.add(line)
            await session.flush()
            row.delivery_line_id = line.id
    await session.flush()


async def add_delivery_back(
    session: AsyncSession, ticket: Ticket, order: Order, origin: DeliveryLine
) -> Delivery:
    """A delivery to where the goods were sent at first."""
    original = await session.get_one(Delivery, origin.delivery_id)
    position = 1 + (await session.scalar(select_last_position(order)) or 0)
    delivery = build_replacement(original, ticket, position=position)
    delivery.sends_back = True
    session.add(delivery)
    await session.flush()
    return delivery


async def find_origins(session: AsyncSession, ticket: Ticket) -> Mapping[int, DeliveryLine]:
    """What brought the customer units of each order line: of releases up to 0.2.0, what was sent first."""
    noted = {units.delivery_line_id for units, _ in await load_noted_units(session, ticket)}
    rows = await session.scalars(
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == ticket.order_id, ~Delivery.sends_back)
        .order_by(DeliveryLine.id)
    )
    origins: dict[int, DeliveryLine] = {}
    for line in sorted(rows, key=lambda each: (each.id not in noted, each.id)):
        origins.setdefault(line.order_line_id, line)
    return origins


async def load_lines_back(
    session: AsyncSession, rows: Sequence[ReturnInspection]
) -> Mapping[int | None, DeliveryLine]:
    """The delivery lines that send inspected units back, by id."""
    found = await session.scalars(
        select(DeliveryLine)
        .where(DeliveryLine.id.in_({row.delivery_line_id for row in rows if row.delivery_line_id}))
        .execution_options(populate_existing=True)
    )
    return {line.id: line for line in found}


async def count_ended(session: AsyncSession, rows: Sequence[ReturnInspection]) -> Mapping[int, int]:
    """The units that came back in parcels which have ended, by the id of their inspection: nobody sends those
    parcels once more."""
    parcels = await load_parcels_back(session, rows)
    return {
        row.id: sum(
            returned_units(line, shipment)
            for line, shipment in parcels[row.delivery_line_id or 0]
            if shipment.ended_at is not None
        )
        for row in rows
    }


def quantity_of(line: DeliveryLine | None) -> int:
    return 0 if line is None else line.quantity


async def keep_unsent(session: AsyncSession, ticket: Ticket) -> None:
    """Keep goods of a locked ticket that are about to be sent back and not packed yet."""
    rows = [row for row in await current_inspections_of(session, ticket) if row.condition in CLAIMED_GOODS]
    lines = await load_lines_back(session, rows)
    scanned_of, packed_before = await count_scanned(session, rows), await find_packed_before(session, rows)
    emptied, removed = set[int](), list[WithdrawnUnits]()
    for row in rows:
        line = lines.get(row.delivery_line_id)
        unsent = 0 if line is None else line.quantity - line.packed - scanned_of.get(line.id, 0)
        if line is None or not unsent:
            continue
        if unsent == line.quantity:
            if line.id in packed_before:
                continue
            row.delivery_line_id = None
            emptied.add(line.delivery_id)
            await session.flush()
        removed.append(WithdrawnUnits(line, unsent))
    await remove_units(session, removed)
    await delete_empty_deliveries(session, emptied)


async def find_packed_before(session: AsyncSession, rows: Sequence[ReturnInspection]) -> set[int]:
    """The delivery lines of which units were in a parcel that is sent once more: these go on their way."""
    line_ids = {row.delivery_line_id for row in rows if row.delivery_line_id}
    found = select(ShipmentLine.delivery_line_id).where(ShipmentLine.delivery_line_id.in_(line_ids))
    return set(await session.scalars(found))


async def delete_empty_deliveries(session: AsyncSession, delivery_ids: Collection[int]) -> None:
    """Delete deliveries of which no line is left."""
    lines = select(DeliveryLine.id).where(DeliveryLine.delivery_id == Delivery.id)
    await session.execute(
        delete(Delivery)
        .where(Delivery.id.in_(delivery_ids), ~lines.exists())
        .execution_options(synchronize_session="fetch")
    )


async def count_scanned(session: AsyncSession, rows: Sequence[ReturnInspection]) -> Mapping[int | None, int]:
    """The units in open parcels that go back to a customer, by delivery line."""
    scanned = await session.execute(
        select(DeliveryLine.id, scanned_units()).where(
            DeliveryLine.id.in_({row.delivery_line_id for row in rows if row.delivery_line_id})
        )
    )
    return {line_id: int(units) for line_id, units in scanned}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where refused goods are, by the id of their inspection; what got lost is nowhere."""

    here: Mapping[int, int]
    """Units at the warehouse."""
    away: Mapping[int, int]
    """Units with their customer, or on their way to them, be it in a parcel that is still open."""


async def count_whereabouts(session: AsyncSession, rows: Sequence[ReturnInspection]) -> Whereabouts:
    """Where the goods of the shop are among inspected units."""
    goods = [row for row in rows if row.condition in CLAIMED_GOODS]
    parcels, lines = await load_parcels_back(session, goods), await load_lines_back(session, goods)
    here, away = dict[int, int](), dict[int, int]()
    for row in goods:
        of_row = parcels[row.delivery_line_id or 0]
        back = sum(returned_units(line, shipment) for line, shipment in of_row)
        done = sum(line.quantity for line, shipment in of_row if not is_with_customer(shipment))
        to_send = quantity_of(lines.get(row.delivery_line_id))
        away[row.id] = to_send - done
        here[row.id] = row.quantity - to_send + back
    return Whereabouts(here, away)


async def load_parcels_back(
    session: AsyncSession, rows: Sequence[ReturnInspection]
) -> Mapping[int, Sequence[tuple[ShipmentLine, Shipment]]]:
    """The parcels that bring inspected units back, by delivery line; not those that were sent once more."""
    found = await session.execute(
        select(ShipmentLine, Shipment)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.delivery_line_id.in_({row.delivery_line_id for row in rows}))
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .execution_options(populate_existing=True)
    )
    parcels = defaultdict[int, list[tuple[ShipmentLine, Shipment]]](list)
    for line, shipment in found:
        parcels[line.delivery_line_id].append((line, shipment))
    return parcels


def returned_units(line: ShipmentLine, shipment: Shipment) -> int:
    """Units of a parcel that came back to the shop; what its inspection has not found did not."""
    if shipment.status is not ShipmentStatus.RETURNED:
        return 0
    return line.quantity if shipment.inspected_at is None else line.restocked + line.damaged


def is_with_customer(shipment: Shipment) -> bool:
    return shipment.status is not ShipmentStatus.RETURNED and shipment.ended_at is None


async def require_inspected_parcels(session: AsyncSession, rows: Sequence[ReturnInspection]) -> None:
    """Refuse to decide about goods in a parcel that came back and into which nobody has looked."""
    for parcels in (await load_parcels_back(session, rows)).values():
        for _, shipment in parcels:
            if shipment.status is ShipmentStatus.RETURNED and shipment.inspected_at is None:
                template = "Inspect first what came back in {number}."
                raise WrongState(template, number=shipment.number, field=("id",))


async def end_parcels_kept(
    session: AsyncSession, order: Order, rows: Sequence[ReturnInspection], *, cause: Cause
) -> None:
    """End the parcels that came back and whose goods the shop keeps now, so that nobody sends them again."""
    parcels = (await load_parcels_back(session, rows)).values()
    returned = {shipment.id: shipment for of_row in parcels for _, shipment in of_row}
    for _, shipment in sorted(returned.items()):
        if shipment.status is ShipmentStatus.RETURNED and shipment.ended_at is None:
            await end_replacement(session, order, shipment, cause=cause.automatic)


async def has_lost_units(session: AsyncSession, shipment: Shipment) -> bool:
    """Whether units of an ended parcel have not come back, as far as anybody has looked."""
    lines = await session.scalars(
        select(ShipmentLine)
        .where(ShipmentLine.shipment_id == shipment.id)
        .execution_options(populate_existing=True)
    )
    is_back = shipment.status is ShipmentStatus.RETURNED
    return not is_back or any(line.missing for line in lines)


async def escalate_lost(
    session: AsyncSession, ticket_id: int, order: Order, *, lost: bool = True, cause: Cause
) -> None:
    """Let a manager decide about refused goods whose parcel back has ended, unless somebody does.

    Where they were to come once more, nobody can send them, lost or not: the manager grants them as they are
    now. What came back complete waits for its customer to say more. Where another ticket is about the goods
    meanwhile, that one is decided.
    """
    ticket = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    is_awaited = ticket.status is TicketStatus.AWAITING_RETURN
    is_refused = ticket.status is TicketStatus.RETURN_REFUSED and lost
    if not (is_awaited or is_refused) or not await are_units_free(session, ticket, order):
        return
    move(ticket, TicketStatus.ARBITRATION, TRANSITIONS)
    ticket.due_at = None
    await reopen_order(session, order, cause=cause)
    record(session, TicketEscalated(ticket, lost=True), cause)


async def find_last_arrival(session: AsyncSession, ticket: Ticket, *, now: datetime) -> datetime | None:
    """When the last of the goods arrived that were sent back to the customer of a locked ticket: now, where
    some have not yet; None where nothing was sent back."""
    rows = await current_inspections_of(session, ticket)
    lines, parcels = await load_lines_back(session, rows), await load_parcels_back(session, rows)
    arrived = []
    for line_id, line in lines.items():
        done = [(it, each) for it, each in parcels[line_id or 0] if each.ended_at or each.delivered_at]
        arrived += [each.delivered_at for _, each in done if each.delivered_at is not None]
        arrived += [now] if sum(it.quantity for it, _ in done) < line.quantity else []
    return max(arrived, default=None)


async def are_units_free(session: AsyncSession, ticket: Ticket, order: Order) -> bool:
    """Whether no other ticket is about the units of a locked one."""
    sent = {
        (each.shipment.id, each.delivery_line.id): each
        for each in await load_sent_units(session, order, without_ticket_id=ticket.id)
    }
    noted = await load_noted_units(session, ticket)
    return all(sent[units.shipment_id, units.delivery_line_id].left >= units.quantity for units, _ in noted)
