"""The warehouse inspects what came back undelivered: each unit is restocked, damaged or missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from domain.events import ShipmentInspected
from domain.order import lock_shipment
from domain.outbox import record
from domain.stock import Allocation, return_stock
from models import DeliveryLine, Order, OrderLine, Shipment, ShipmentLine, ShipmentStatus

ReturnedLine = tuple[ShipmentLine, DeliveryLine, OrderLine]


@dataclass(frozen=True, slots=True)
class InspectedUnits:
    """What became of the units of an order line in a parcel that came back."""

    order_line_id: int
    restocked: int
    damaged: int
    missing: int


async def inspect_shipment(
    session: AsyncSession, shipment_id: int, lines: Sequence[InspectedUnits], *, cause: Cause
) -> Shipment:
    """Book what came back: it can be sold again or is damaged, and leaves the rest missing.

    What was missing and is found later is booked by inspecting again.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    if shipment.status is not ShipmentStatus.RETURNED:
        raise WrongState("This shipment has not come back.", field=("id",))
    returned = await load_returned_lines(session, shipment)
    check_inspected(lines, returned)
    restocked, damaged = [], []
    for units in lines:
        line, delivery_line, order_line = returned[units.order_line_id]
        line.restocked += units.restocked
        line.damaged += units.damaged
        if delivery_line.reserved:
            level = delivery_line.variant_id or order_line.variant_id, delivery_line.warehouse_id
            restocked += [Allocation(*level, units.restocked)] if units.restocked else []
            damaged += [Allocation(*level, units.damaged)] if units.damaged else []
    shipment.inspected_at = cause.now
    await session.flush()
    await book_returned(session, order, restocked, damaged, cause=cause)
    record(session, ShipmentInspected(shipment, account_id=order.account_id), cause)
    return shipment


async def book_returned(
    session: AsyncSession,
    order: Order,
    restocked: Sequence[Allocation],
    damaged: Sequence[Allocation],
    *,
    cause: Cause,
) -> None:
    if restocked:
        await return_stock(session, restocked, damaged=False, order_id=order.id, cause=cause)
    if damaged:
        await return_stock(session, damaged, damaged=True, order_id=order.id, cause=cause)


async def load_returned_lines(session: AsyncSession, shipment: Shipment) -> Mapping[int, ReturnedLine]:
    """The lines of a parcel with those of its delivery and its order, by the id of the order line."""
    rows = await session.execute(
        select(ShipmentLine, DeliveryLine, OrderLine)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(ShipmentLine.shipment_id == shipment.id)
        .order_by(ShipmentLine.order_line_id)
        .execution_options(populate_existing=True)
    )
    return {line.order_line_id: (line, delivery_line, order_line) for line, delivery_line, order_line in rows}


def check_inspected(lines: Sequence[InspectedUnits], returned: Mapping[int, ReturnedLine]) -> None:
    """Refuse an inspection that does not say of every missing unit of the parcel what became of it."""
    if len({units.order_line_id for units in lines}) < len(lines):
        raise Invalid("Name each line once.", field=("lines",))
    missing = {id: line.missing for id, (line, _, _) in returned.items() if line.missing}
    if not missing:
        raise WrongState("Everything in this shipment has been booked already.", field=("id",))
    for index, units in enumerate(lines):
        path = ("lines", index)
        if units.order_line_id not in returned:
            raise NotFound("order line", field=(*path, "order_line_id"))
        counts = {"restocked": units.restocked, "damaged": units.damaged, "missing": units.missing}
        for name, count in counts.items():
            if count < 0:
                raise Invalid("A number of units is not negative.", field=(*path, name))
        left = missing.pop(units.order_line_id, 0)
        if sum(counts.values()) != left:
            raise Invalid("Say of {left} units what became of them.", left=left, field=path)
    if missing:
        raise Invalid("Name every line of the shipment.", field=("lines",))
