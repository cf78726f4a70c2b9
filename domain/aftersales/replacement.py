"""Replacements: the goods of a ticket sent again, as deliveries of their own, and what has become of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from domain.address import postal_address_of
from domain.aftersales.kept_units import NOTHING_KEPT, KeptUnits, share_kept
from domain.aftersales.repaired_units import count_going_back, is_repair_under_way
from domain.aftersales.sent_units import SentUnits, load_sent_units, units_of_ticket
from domain.aftersales.states import AGREED
from domain.aftersales.ticket import ticket_lines_of
from domain.cause import Cause
from domain.errors import OutOfStock
from domain.order.allocation import AllocatedUnits, AvailableStock, DeliveryPlace, allocate_units
from domain.stock import Allocation, LineAllocation, levels_by_variant, release_stock, reserve_line_units
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Product,
    Shipment,
    ShippingMethod,
    Ticket,
    Variant,
    Warehouse,
)
from text.messages import Localized


@dataclass(frozen=True, slots=True)
class OwedUnits:
    """Units that a ticket still owes its customer, who had them or was to get them by a delivery."""

    delivery_id: int
    order_line_id: int
    variant_id: int
    quantity: int
    reduction_amount: int = 0
    """What one unit costs less than the one that was ordered, in minor units; negative: more."""
    replaced_reduction_amount: int = 0
    """The same of the one that it replaces."""

    @property
    def difference_amount(self) -> int:
        """What all of them cost less than those they replace; negative: more."""
        return self.quantity * (self.reduction_amount - self.replaced_reduction_amount)


async def find_replaced_ticket(session: AsyncSession, shipment_id: int) -> int | None:
    """The id of the ticket that a shipment is a replacement for; None for the goods of an order."""
    return await session.scalar(
        select(Delivery.ticket_id)
        .join(Shipment, Shipment.delivery_id == Delivery.id)
        .where(Shipment.id == shipment_id)
    )


async def find_replacements(session: AsyncSession, shipment_ids: Collection[int]) -> set[int]:
    """Those of these shipments that are replacements of tickets."""
    found = await session.scalars(
        select(Shipment.id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.id.in_(shipment_ids), Delivery.ticket_id.is_not(None))
    )
    return set(found)


async def find_owed_units(session: AsyncSession, ticket: Ticket, order: Order) -> list[OwedUnits]:
    """What a ticket still owes: neither refunded, nor sent or to be sent; what came back is owed again, be it
    a replacement or what was repaired."""
    sent = await load_sent_units(session, order)
    replaced, going = await count_replacements(session, ticket), await count_going_back(session, ticket)
    came_back = [each for each in sent if each.replaces_ticket_id == ticket.id and each.came_back]
    claimed = units_of_ticket(sent, ticket.id)
    # The newest parcel that came back says best where the units go and what they are. What another ticket
    # is about in it is settled there.
    sources = [(each, each.quantity - each.claimed) for each in reversed(came_back)] + claimed
    owed: list[OwedUnits] = []
    for line in await ticket_lines_of(session, ticket):
        of_line = [(each, units) for each, units in sources if each.order_line_id == line.order_line_id]
        back = sum(units for each, units in of_line if each in came_back)
        settled = line.refunded_in_place + going[line.order_line_id]
        missing = line.quantity - settled - (replaced[line.order_line_id] - back)
        owed += take_units(of_line, missing)
    return owed


def take_units(sources: Iterable[tuple[SentUnits, int]], quantity: int) -> Iterable[OwedUnits]:
    """The first `quantity` units, as they are owed again."""
    for each, units in sources:
        taken = min(units, quantity)
        quantity -= taken
        if taken > 0:
            line, reduction = each.delivery_line, each.delivery_line.reduction_amount
            yield OwedUnits(
                each.shipment.delivery_id, line.order_line_id, each.variant_id, taken, reduction, reduction
            )


async def count_replacements(session: AsyncSession, ticket: Ticket) -> Mapping[int, int]:
    """Units of each order line that were sent again for a ticket, or are to be."""
    rows = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket.id, ~Delivery.sends_back)
        .group_by(DeliveryLine.order_line_id)
    )
    return defaultdict(int, {line_id: int(quantity) for line_id, quantity in rows})


async def is_replacement_under_way(session: AsyncSession, ticket: Ticket, order: Order) -> bool:
    """Whether units of a replacement neither arrived nor came back, and no other ticket settles them, or what
    was repaired has not arrived."""
    if await is_repair_under_way(session, ticket):
        return True
    sent = [each for each in await load_sent_units(session, order) if each.replaces_ticket_id == ticket.id]
    to_arrive = sum((await count_replacements(session, ticket)).values())
    others = {id for each in sent for id in each.claims}
    agreed = set(
        await session.scalars(select(Ticket.id).where(Ticket.id.in_(others), Ticket.status.in_(AGREED)))
    )
    ended = sum(
        each.quantity
        if each.arrived_at or each.came_back
        else sum(units for id, units in each.claims.items() if id in agreed)
        for each in sent
    )
    return ended < to_arrive


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """From where owed units are sent, each to where the unit it replaces was sent."""

    owed: Sequence[OwedUnits]
    originals: Sequence[Delivery]
    """The deliveries of the units they replace."""
    lines: Mapping[int, OrderLine]
    parts: Sequence[AllocatedUnits]
    uncounted: frozenset[int]
    """The variants of which nothing is reserved."""

    @property
    def allocations(self) -> list[Allocation]:
        """What is in stock of it, by variant and warehouse."""
        units: defaultdict[tuple[int, int], int] = defaultdict(int)
        for part in self.parts:
            if part.line not in self.uncounted:
                units[part.line, part.warehouse_id] += part.in_stock
        return [Allocation(*level, quantity) for level, quantity in sorted(units.items()) if quantity]


async def plan_replacement(
    session: AsyncSession, owed: Sequence[OwedUnits], kept: KeptUnits = NOTHING_KEPT
) -> ReplacementPlan:
    """From where owed units can be sent now; OutOfStock where there are too few.

    Units of which more can be sold than there are wait for stock. What was collected is collected again, at
    the same place and from its stock. `kept` is reserved for them.
    """
    originals = await find_deliveries(session, owed)
    lines = await find_order_lines(session, owed)
    pickup_places = await find_pickup_places(session, originals)
    stock = await find_available_stock(session, owed, pickup_places, kept)
    warehouses = list(
        await session.scalars(
            select(Warehouse).where(Warehouse.active).order_by(Warehouse.position, Warehouse.id)
        )
    )
    # Units of the same variant take from the same stock: what is allocated are variants, not lines.
    places = [
        (
            replace(DeliveryPlace.of(original), pickup_at=pickup_places.get(original.id)),
            sum_by_variant(owed, original.id),
        )
        for original in originals
    ]
    parts = allocate_units(places, stock, warehouses)
    return ReplacementPlan(owed, originals, lines, parts, stock.unlimited)


async def create_replacement(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    *,
    kept: KeptUnits = NOTHING_KEPT,
    cause: Cause,
) -> None:
    """Reserve what a ticket owes besides what is `kept` for it, and add deliveries of it; after OutOfStock
    nothing has changed."""
    plan = await plan_replacement(session, owed, kept)
    first = 1 + (await session.scalar(select_last_position(order)) or 0)
    async with session.begin_nested():
        deliveries = [
            build_replacement(original, ticket, position=first + index)
            for index, original in enumerate(plan.originals)
        ]
        session.add_all(deliveries)
        await session.flush()
        shared = list(share_allocated(owed, [original.id for original in plan.originals], plan.parts))
        added = [
            build_replacement_line(
                each,
                deliveries[each.part.delivery],
                plan.lines[each.owed.order_line_id],
                reserved=each.part.line not in plan.uncounted,
            )
            for each in shared
        ]
        session.add_all(added)
        await session.flush()
        counted = [
            LineAllocation(
                line.id,
                Allocation(each.part.line, each.part.warehouse_id, each.quantity),
                each.backordered,
            )
            for line, each in zip(added, shared, strict=True)
            if line.reserved
        ]
        counted, unused = share_kept(counted, kept)
        await reserve_line_units(session, counted, order_id=order.id, cause=cause)
        await release_stock(session, unused, order_id=order.id, cause=cause)


@dataclass(frozen=True, slots=True)
class SharedUnits:
    """Which owed units a part of an allocation sends, and how many of them."""

    owed: OwedUnits
    part: AllocatedUnits
    quantity: int
    backordered: int
    """How many of them wait for stock."""


def build_replacement_line(
    shared: SharedUnits, delivery: Delivery, line: OrderLine, *, reserved: bool
) -> DeliveryLine:
    another = shared.owed.variant_id != line.variant_id
    return DeliveryLine(
        delivery_id=delivery.id,
        order_line_id=line.id,
        warehouse_id=shared.part.warehouse_id,
        quantity=shared.quantity,
        packed=0,
        reserved=reserved,
        variant_id=shared.owed.variant_id if another else None,
        reduction_amount=shared.owed.reduction_amount,
        replaced_reduction_amount=shared.owed.replaced_reduction_amount,
    )


def sum_by_variant(owed: Iterable[OwedUnits], delivery_id: int) -> dict[int, int]:
    """Units by variant of those that go where a delivery went."""
    found: defaultdict[int, int] = defaultdict(int)
    for units in owed:
        if units.delivery_id == delivery_id:
            found[units.variant_id] += units.quantity
    return found


def sum_by_place(
    owed: Iterable[OwedUnits], pickup_places: Mapping[int, Warehouse]
) -> Mapping[tuple[int, Warehouse], int]:
    """Units by variant and place of those that are collected."""
    found: defaultdict[tuple[int, Warehouse], int] = defaultdict(int)
    for units in owed:
        if place := pickup_places.get(units.delivery_id):
            found[units.variant_id, place] += units.quantity
    return found


def share_allocated(
    owed: Sequence[OwedUnits], delivery_ids: Sequence[int], parts: Iterable[AllocatedUnits]
) -> Iterator[SharedUnits]:
    """Share the parts of an allocation among the units they send: what is in stock goes to the first."""
    left = {index: units.quantity for index, units in enumerate(owed)}
    for part in parts:
        quantity, in_stock = part.quantity, part.in_stock
        for index, units in enumerate(owed):
            if (units.delivery_id, units.variant_id) != (delivery_ids[part.delivery], part.line):
                continue
            if taken := min(quantity, left[index]):
                at_once = min(in_stock, taken)
                yield SharedUnits(units, part, taken, taken - at_once)
                left[index], quantity, in_stock = left[index] - taken, quantity - taken, in_stock - at_once


async def find_deliveries(session: AsyncSession, owed: Sequence[OwedUnits]) -> Sequence[Delivery]:
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.id.in_({units.delivery_id for units in owed}))
        .order_by(Delivery.position)
    )
    return rows.all()


async def find_order_lines(session: AsyncSession, owed: Sequence[OwedUnits]) -> Mapping[int, OrderLine]:
    """The lines that units were ordered on, by their ids."""
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.id.in_({units.order_line_id for units in owed}))
    )
    return {line.id: line for line in rows}


async def find_pickup_places(session: AsyncSession, originals: Sequence[Delivery]) -> Mapping[int, Warehouse]:
    """Where deliveries were collected, by their ids; without those that were sent."""
    collected = {delivery.id for delivery in originals if delivery.method is ShippingMethod.PICKUP}
    if not collected:
        return {}
    rows = await session.execute(
        select(DeliveryLine.delivery_id, Warehouse)
        .join(Warehouse, Warehouse.id == DeliveryLine.warehouse_id)
        .where(DeliveryLine.delivery_id.in_(collected))
    )
    return dict(rows.all())


async def find_available_stock(
    session: AsyncSession,
    owed: Sequence[OwedUnits],
    pickup_places: Mapping[int, Warehouse],
    kept: KeptUnits,
) -> AvailableStock:
    """What is available of these variants and where, with what is kept; OutOfStock when it is not enough, in
    all warehouses or where it is to be collected, or where nothing is collected there any more."""
    needed: defaultdict[int, int] = defaultdict(int)
    titles: dict[int, Localized] = {}
    for units in owed:
        needed[units.variant_id] += units.quantity
    rows = await session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id.in_(needed))
        .options(load_only(Product.title, Product.translations))
    )
    variants: dict[int, Variant] = {}
    for variant, product in rows:
        variants[variant.id] = variant
        titles[variant.id] = Localized.of(product.title, product.translations, "title")
    found = await levels_by_variant(session, set(needed), active=True)
    left = {
        (variant_id, level.warehouse_id): level.available + kept.get((variant_id, level.warehouse_id), 0)
        for variant_id in needed
        for level in found.get(variant_id, [])
    }
    for variant_id, quantity in needed.items():
        available = sum(units for (of_variant, _), units in left.items() if of_variant == variant_id)
        if variants[variant_id].can_sell_out and available < quantity:
            raise OutOfStock(titles[variant_id], left=available, field=())
    for (variant_id, place), quantity in sum_by_place(owed, pickup_places).items():
        open_there = place.active and place.allows_pickup
        here = left.get((variant_id, place.id), 0)
        if not open_there or (variants[variant_id].can_sell_out and here < quantity):
            raise OutOfStock(titles[variant_id], left=here if open_there else 0, field=())
    return AvailableStock(
        left,
        unlimited=frozenset(id for id, variant in variants.items() if not variant.tracked),
        backordered=frozenset(id for id, variant in variants.items() if variant.is_backordered_when_out),
    )


def build_replacement(original: Delivery, ticket: Ticket, *, position: int) -> Delivery:
    return Delivery(
        order_id=original.order_id,
        ticket_id=ticket.id,
        position=position,
        method=original.method,
        currency=original.currency,
        fee_amount=0,
        geocode_at=original.geocode_at,
        **asdict(postal_address_of(original)),
    )


def select_last_position(order: Order) -> Select[int]:
    return select(func.max(Delivery.position)).where(Delivery.order_id == order.id)
