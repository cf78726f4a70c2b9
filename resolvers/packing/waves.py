"""Waves and their pick lists."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import strawberry

from domain.errors import NotFound
from domain.free_numbers import draw_free_numbers
from domain.shipment.waves import cancel_wave, open_wave
from domain.stock import sort_key_of_place
from loaders.packing import NEWEST_WAVE, select_waves
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Wave, WavePart, WavePartStatus, WaveStatus, WaveUnits
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.packing import WaveOpenInput
from resolvers.paging import query_page

NUMBER_PREFIX = "W"
IN_LIST = frozenset({WavePartStatus.PICKING, WavePartStatus.PACKED})
"""What has dropped out of a wave, or was freed, is not picked."""


@dataclass(frozen=True, slots=True)
class PickListPart:
    """Units of a variant that go into the parcels of one delivery."""

    delivery_id: int
    order_id: int
    quantity: int
    packed: bool


@dataclass(frozen=True, slots=True)
class PickListLine:
    """Units of one variant that are picked together."""

    variant_id: int
    order_line_id: int
    bin_place: str
    quantity: int
    parts: Sequence[PickListPart]


async def waves(
    info: Info,
    warehouse_id: strawberry.ID | None = None,
    status: list[WaveStatus] | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Wave]:
    """Waves, the newest first.

    warehouse_id: only those of this warehouse
    status: only those that stand like this
    """
    warehouse = None if warehouse_id is None else row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    return await query_page(info, select_waves(warehouse_id=warehouse, status=status), NEWEST_WAVE, page)


async def wave(info: Info, id: strawberry.ID) -> Wave | None:
    """One wave; null when it does not exist.

    id: its global id
    """
    try:
        return await find_wave(info, row_id(id, "Wave"))
    except NotFound:
        return None


async def find_wave(info: Info, wave_id: int) -> Wave | None:
    """The wave, for those who pack."""
    if not info.context.viewer.may(Permission.SHIPMENT_PACK):
        return None
    return await info.context.load.wave.load(wave_id)


async def wave_open(info: Info, input: WaveOpenInput) -> Wave:
    """Takes into a wave what a warehouse can pick now: paid, not held, in stock and in no other wave; express
    deliveries first, then the oldest orders."""
    context, draft = info.context, input.draft()
    settings = context.shop.settings
    async with context.transaction() as session:
        draw = partial(context.shop.secrets.new_number, NUMBER_PREFIX, context.now)
        [number] = await draw_free_numbers(session, Wave.number, draw)
        return await open_wave(
            session,
            draft,
            number=number,
            limit=settings.packing.wave_limit,
            zone=settings.locale.zone,
            cause=context.cause,
        )


async def wave_cancel(info: Info, id: strawberry.ID) -> Wave:
    """Gives up a wave: what of it is not packed can go into another one.

    id: the wave
    """
    async with info.context.transaction() as session:
        return await cancel_wave(session, row_id(id, "Wave"), cause=info.context.cause)


async def pick_lists(rows: Sequence[Wave], info: Info) -> list[list[PickListLine]]:
    """What is picked for it, by variant; without what has dropped out."""
    load = info.context.load
    parts_by_wave = await load.wave_parts.load_many([wave.id for wave in rows])
    parts = [part for parts in parts_by_wave for part in parts]
    units = await load.wave_units.load_many([part.id for part in parts])
    by_part = {part.id: found for part, found in zip(parts, units, strict=True)}
    places = await load_bin_places({each.variant_id for found in units for each in found}, info)
    return [
        group_by_variant(parts, by_part, {id: places.get((id, wave.warehouse_id), "") for id, _ in places})
        for wave, parts in zip(rows, parts_by_wave, strict=True)
    ]


async def load_bin_places(variant_ids: Collection[int], info: Info) -> dict[tuple[int, int], str]:
    """Where variants lie, by the variant and the warehouse."""
    found = await info.context.load.variant_stock.load_many(sorted(variant_ids))
    levels = [each.level for stock in found for each in stock]
    return {(level.variant_id, level.warehouse_id): level.bin_place for level in levels}


def group_by_variant(
    parts: Sequence[WavePart], units: Mapping[int, Sequence[WaveUnits]], places: Mapping[int, str]
) -> list[PickListLine]:
    """The lines of a pick list, in the order of their places; what has none comes last."""
    picked: defaultdict[int, list[tuple[WavePart, WaveUnits]]] = defaultdict(list)
    for part in parts:
        if part.status in IN_LIST:
            for each in units[part.id]:
                picked[each.variant_id].append((part, each))
    lines = [
        PickListLine(
            variant_id=variant_id,
            order_line_id=found[0][1].order_line_id,
            bin_place=places.get(variant_id, ""),
            quantity=sum(each.quantity for _, each in found),
            parts=[
                PickListPart(
                    part.delivery_id, part.order_id, each.quantity, part.status is WavePartStatus.PACKED
                )
                for part, each in found
            ],
        )
        for variant_id, found in picked.items()
    ]
    return sorted(lines, key=lambda line: (sort_key_of_place(line.bin_place), line.variant_id))
