"""What has left for an order, parcel by parcel, and which tickets are about it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.reasons import ClaimStage, stage_of
from domain.aftersales.states import DECLINED
from domain.money import apportion
from domain.order.cash import cost_of
from domain.promotion.engine import refund_share
from models import (
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
    TicketType,
    TicketUnits,
)
from models.sql.together import read_together


@dataclass(slots=True)
class SentUnits:
    """Units of one order line in one parcel that has left."""

    shipment: Shipment
    delivery_line: DeliveryLine
    variant_id: int
    quantity: int
    replaces_ticket_id: int | None = None
    """The ticket whose replacement it is; None for what was ordered originally."""
    claims: dict[int, int] = field(default_factory=dict)
    """Units by the ticket that is about them; of a declined one as long as they go back to the customer."""
    away: timedelta = timedelta(0)
    """For how long some of them were with the shop to be repaired."""
    cash_due: int = 0
    """Their part of the cash that is to be collected for their parcel, in minor units."""

    @property
    def order_line_id(self) -> int:
        return self.delivery_line.order_line_id

    @property
    def claimed(self) -> int:
        return sum(self.claims.values())

    @property
    def left(self) -> int:
        """Units that no ticket is about and that have not come back undelivered."""
        return 0 if self.came_back else max(0, self.quantity - self.claimed)

    @property
    def came_back(self) -> bool:
        """Whether the parcel came back, or was given up as lost."""
        shipment = self.shipment
        return shipment.status is ShipmentStatus.RETURNED or shipment.ended_at is not None

    @property
    def is_unpaid(self) -> bool:
        """Whether it has arrived and its cash was not collected: it is still due, or was written off."""
        shipment = self.shipment
        is_due = bool(shipment.cash_amount) and shipment.cash_collected_at is None
        return self.arrived_at is not None and (is_due or shipment.cash_written_off_at is not None)

    @property
    def arrived_at(self) -> datetime | None:
        return self.shipment.delivered_at if self.shipment.status is ShipmentStatus.DELIVERED else None


PickedUnits = tuple[SentUnits, int]
"""So many of the units in a parcel."""


async def load_sent_units(
    session: AsyncSession, order: Order, *, without_ticket_id: int | None = None
) -> Sequence[SentUnits]:
    """What has left for an order, replacements included, in the order of its packing, with its claims; not
    what goes back to the customer after an inspection.

    The claims of one ticket can be left out: what it is about is then free for it.
    """
    packed_lines = (
        select(ShipmentLine, Shipment, DeliveryLine, Delivery.ticket_id, OrderLine)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(Shipment.order_id == order.id, Shipment.dispatched_at.is_not(None), ~Delivery.sends_back)
        .order_by(Shipment.id, DeliveryLine.id)
        .execution_options(populate_existing=True)
    )
    rows, claims = await read_together(
        session, session.execute(packed_lines), load_claims(session, order, without_ticket_id)
    )
    costs, sent = [], []
    for packed, shipment, line, ticket_id, order_line in rows:
        variant_id = line.variant_id or order_line.variant_id
        sent.append(SentUnits(shipment, line, variant_id, packed.quantity, ticket_id))
        costs.append(cost_of(order_line, packed.quantity))
    add_cash_due(sent, costs)
    add_claims(sent, claims)
    return sent


def add_cash_due(sent: Sequence[SentUnits], costs: Sequence[int]) -> None:
    """Note the parts of the cash that is still to be collected for each parcel, by what its units cost."""
    by_parcel: defaultdict[int, list[int]] = defaultdict(list)
    for index, each in enumerate(sent):
        by_parcel[each.shipment.id].append(index)
    for indexes in by_parcel.values():
        shipment = sent[indexes[0]].shipment
        weights = [costs[index] for index in indexes]
        is_due = shipment.cash_amount and shipment.cash_collected_at is None and shipment.ended_at is None
        if is_due and any(weights):
            for index, share in zip(indexes, apportion(shipment.cash_amount or 0, weights), strict=True):
                sent[index].cash_due = share


@dataclass(frozen=True, slots=True)
class OrderClaims:
    """What tickets claim of an order."""

    units: Sequence[tuple[TicketUnits, bool]]
    """Units by parcel, and whether goods of their ticket are still to arrive at the customer again."""
    lines: Sequence[tuple[Ticket, TicketLine]]
    """Those of tickets that were not declined."""


async def load_claims(session: AsyncSession, order: Order, without_ticket_id: int | None) -> OrderClaims:
    rows, tickets = await read_together(
        session,
        session.execute(
            select(TicketUnits, is_going_back())
            .join(Ticket, Ticket.id == TicketUnits.ticket_id)
            .where(Ticket.order_id == order.id)
        ),
        session.execute(
            select(Ticket, TicketLine)
            .join(TicketLine, TicketLine.ticket_id == Ticket.id)
            .where(Ticket.order_id == order.id, Ticket.status.not_in(DECLINED))
            .order_by(Ticket.id, TicketLine.order_line_id)
        ),
    )
    lines = [(ticket, line) for ticket, line in tickets if ticket.id != without_ticket_id]
    units = [(row, goes_back) for row, goes_back in rows if row.ticket_id != without_ticket_id]
    return OrderClaims(units, lines)


def is_going_back() -> ColumnElement[bool]:
    """Whether refused goods of a ticket are at the warehouse, or on their way back to its customer."""
    arrived = (
        select(func.coalesce(func.sum(ShipmentLine.quantity), 0))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.delivery_line_id == DeliveryLine.id)
        .where((Shipment.status == ShipmentStatus.DELIVERED) | Shipment.ended_at.is_not(None))
        .correlate(DeliveryLine)
        .scalar_subquery()
    )
    return (
        exists()
        .where(DeliveryLine.delivery_id == Delivery.id, DeliveryLine.quantity > arrived)
        .where(Delivery.ticket_id == Ticket.id, Delivery.sends_back)
        .correlate(Ticket)
    )


def add_claims(sent: Sequence[SentUnits], claims: OrderClaims) -> None:
    """Note which tickets are about which units."""
    by_parcel = {(each.shipment.id, each.delivery_line.id): each for each in sent}
    noted: defaultdict[tuple[int, int], int] = defaultdict(int)
    active = {ticket.id for ticket, _ in claims.lines}
    for row, goes_back in claims.units:
        each = by_parcel[row.shipment_id, row.delivery_line_id]
        if row.ticket_id in active or goes_back:
            each.claims[row.ticket_id] = row.quantity
            noted[row.ticket_id, each.order_line_id] += row.quantity
    for ticket, line in claims.lines:
        # Releases up to 0.2.0 did not note the parcel: theirs are the units that were sent first.
        rest = line.quantity - noted[ticket.id, line.order_line_id]
        if rest and stage_of(ticket.type, ticket.reason) is not ClaimStage.WAITING:
            originals = [
                each
                for each in sent
                if each.order_line_id == line.order_line_id and each.replaces_ticket_id is None
            ]
            for each, quantity in pick_units(originals, rest, free=lambda it: it.quantity - it.claimed):
                each.claims[ticket.id] = each.claims.get(ticket.id, 0) + quantity
    for ticket, line in claims.lines:
        if ticket.type is TicketType.REPAIR and ticket.status is TicketStatus.COMPLETED:
            free_repaired(sent, ticket, line)


def free_repaired(sent: Sequence[SentUnits], ticket: Ticket, line: TicketLine) -> None:
    """Count no claim on units that are with their customer again after a repair.

    Their time to be claimed stood still while they were away, as did that of all in the same parcel.
    """
    of_line = [each for each in sent if each.order_line_id == line.order_line_id]
    replaced = sum(
        each.claimed if each.came_back else each.quantity
        for each in of_line
        if each.replaces_ticket_id == ticket.id
    )
    free = max(0, line.quantity - line.refunded_in_place - replaced)
    for each in of_line:
        taken = min(free, each.claims.get(ticket.id, 0))
        if not taken:
            continue
        free -= taken
        each.claims[ticket.id] -= taken
        if not each.claims[ticket.id]:
            del each.claims[ticket.id]
        if ticket.closed_at is not None:
            each.away += ticket.closed_at - ticket.opened_at


def pick_units(
    sent: Iterable[SentUnits], quantity: int, *, free: Callable[[SentUnits], int] = lambda each: each.left
) -> list[PickedUnits]:
    """Up to `quantity` units, from the first parcels on."""
    picked: list[PickedUnits] = []
    for each in sent:
        taken = min(quantity, free(each))
        if taken > 0:
            picked.append((each, taken))
            quantity -= taken
    return picked


def units_of_ticket(sent: Iterable[SentUnits], ticket_id: int) -> list[PickedUnits]:
    """The units a ticket is about, by parcel."""
    return [(each, each.claims[ticket_id]) for each in sent if ticket_id in each.claims]


def reduction_of(picked: Iterable[PickedUnits], quantity: int | None = None) -> int:
    """What units cost less than those they replaced, in minor units; of the first `quantity` of them."""
    total = 0
    for each, units in picked:
        counted = units if quantity is None else min(units, quantity)
        total += counted * each.delivery_line.reduction_amount
        quantity = None if quantity is None else quantity - counted
    return total


def cash_due_of(picked: Iterable[PickedUnits]) -> int:
    """What is still to be collected for units, in minor units."""
    return sum(refund_share(each.cash_due, each.quantity, 0, units) for each, units in picked)
