"""What parcels are proposed for a delivery, from the measures of its units."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from domain.bin_packing import Box, Misfit, PackedBox, PackingPlan, UnitToPack, plan_boxes
from loaders.packing import UnitsToPack, load_box_types, load_units_to_pack
from models import BoxType
from resolvers.context import Info
from resolvers.packing.open_parcels import DeliveryPacking

__all__ = ["Misfit"]

AT_ONCE_LIMIT = 20
"""So many units are packed in a few milliseconds; more are packed in a thread, beside other requests."""


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """Units of one delivery line."""

    delivery_line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class UnitPosition:
    """Where one unit lies in a box: its corner nearest to that of the box, and its size as it lies."""

    delivery_line_id: int
    x_mm: int
    y_mm: int
    z_mm: int
    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class ProposedParcel:
    """A box with what goes into it."""

    warehouse_id: int
    box_type_id: int
    weight_grams: int
    lines: Sequence[ProposedLine]
    positions: Sequence[UnitPosition]


@dataclass(frozen=True, slots=True)
class LeftUnits:
    """Units for which there is no box."""

    delivery_line_id: int
    quantity: int
    reason: Misfit


@dataclass(frozen=True, slots=True)
class ParcelProposal:
    """Parcels for what is there of a delivery and not packed."""

    parcels: Sequence[ProposedParcel]
    left: Sequence[LeftUnits]


async def proposals(roots: Sequence[DeliveryPacking], info: Info) -> list[ParcelProposal]:
    """Which boxes its units would go into, by their dimensions and weights; nothing is packed."""
    return [await propose_parcels(info, root.delivery_id) for root in roots]


async def propose_parcels(info: Info, delivery_id: int) -> ParcelProposal:
    reads = info.context.shop.database.reads
    units = await load_units_to_pack(reads, delivery_id, warehouse_id=None)
    boxes = await load_box_types(reads)
    parcels: list[ProposedParcel] = []
    left: Counter[tuple[int, Misfit]] = Counter()
    for warehouse_id in sorted({each.line.warehouse_id for each in units}):
        here = [each for each in units if each.line.warehouse_id == warehouse_id]
        plan = await plan_in_time(units_of(here), boxes_of(boxes, warehouse_id))
        parcels += [describe_box(packed, warehouse_id) for packed in plan.boxes]
        left.update((unit.key, misfit) for unit, misfit in plan.left)
    return ParcelProposal(
        parcels, [LeftUnits(line_id, count, misfit) for (line_id, misfit), count in sorted(left.items())]
    )


async def plan_in_time(units: Sequence[UnitToPack], boxes: Sequence[Box]) -> PackingPlan:
    if len(units) <= AT_ONCE_LIMIT:
        return plan_boxes(units, boxes)
    return await asyncio.to_thread(plan_boxes, units, boxes)


def units_of(rows: Sequence[UnitsToPack]) -> list[UnitToPack]:
    return [
        UnitToPack(row.line.id, astuple(row.size) if row.size else None, row.weight_grams)
        for row in rows
        for _ in range(row.quantity)
    ]


def boxes_of(rows: Sequence[BoxType], warehouse_id: int) -> list[Box]:
    return [
        Box(row.id, (row.length_mm, row.width_mm, row.height_mm), row.max_weight_grams, row.own_weight_grams)
        for row in rows
        if row.warehouse_id in {None, warehouse_id}
    ]


def describe_box(packed: PackedBox, warehouse_id: int) -> ProposedParcel:
    counted = Counter(placed.unit.key for placed in packed.placed)
    return ProposedParcel(
        warehouse_id=warehouse_id,
        box_type_id=packed.box.key,
        weight_grams=packed.weight_grams,
        lines=[ProposedLine(line_id, units) for line_id, units in sorted(counted.items())],
        positions=[UnitPosition(each.unit.key, *each.at, *each.size) for each in packed.placed],
    )
