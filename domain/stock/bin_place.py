"""Where in a warehouse a variant lies, so that pick lists lead along the shelves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.stock.movement import insert_missing_levels
from domain.visible_text import visible_text
from models import StockLevel, Variant, Warehouse

BIN_PLACE_LIMIT = 50
"""Characters of a bin place."""
BIN_PLACES_LIMIT = 500
"""Bin places that are set at once."""
NUMBER = re.compile(r"(\d+)")

PlaceKey = tuple[bool, Sequence[tuple[bool, int, str]]]
"""Sorts bin places as people walk: A-2 before A-10, and what has none comes last."""


@dataclass(frozen=True, slots=True)
class BinPlace:
    """Where a variant lies; nowhere that is known where the place is empty."""

    variant_id: int
    place: str


def sort_key_of_place(place: str) -> PlaceKey:
    parts = [part for part in NUMBER.split(place.casefold()) if part]
    return not place, [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


async def set_bin_places(
    session: AsyncSession, warehouse_id: int, places: Sequence[BinPlace]
) -> list[StockLevel]:
    """Say where variants lie in a warehouse, all of them or none; returns their levels in the same order."""
    texts = check_bin_places(places)
    warehouse = await session.get(
        Warehouse, warehouse_id, with_for_update={"read": True, "key_share": True}, populate_existing=True
    )
    if warehouse is None:
        raise NotFound("warehouse", field=("warehouse_id",))
    if warehouse.archived_at is not None:
        raise WrongState("This warehouse is archived; restore it first.", field=("warehouse_id",))
    known = set(await session.scalars(select(Variant.id).where(Variant.id.in_(texts))))
    with collect_refusals() as check:
        for index, each in enumerate(places):
            if each.variant_id not in known:
                check.add(NotFound("variant", field=("places", index, "variant_id")))
    await insert_missing_levels(session, [(variant_id, warehouse_id) for variant_id in texts])
    rows = await session.scalars(
        select(StockLevel)
        .where(StockLevel.warehouse_id == warehouse_id, StockLevel.variant_id.in_(texts))
        .order_by(StockLevel.variant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    levels = {level.variant_id: level for level in rows}
    for variant_id, text in texts.items():
        levels[variant_id].bin_place = text
    await session.flush()
    return [levels[each.variant_id] for each in places]


def check_bin_places(places: Sequence[BinPlace]) -> Mapping[int, str]:
    """The place of each variant; refused where there are none, too many, or one twice or too long."""
    if not 1 <= len(places) <= BIN_PLACES_LIMIT:
        raise LimitReached("1 to {limit} places at once.", limit=BIN_PLACES_LIMIT, field=("places",))
    texts: dict[int, str] = {}
    with collect_refusals() as check:
        for index, each in enumerate(places):
            text = visible_text(each.place)
            if len(text) > BIN_PLACE_LIMIT:
                template = "A bin place has at most {limit} characters."
                field = ("places", index, "place")
                check.add(Invalid(template, limit=BIN_PLACE_LIMIT, field=field))
            if each.variant_id in texts:
                check.add(Invalid("A variant is named once.", field=("places", index, "variant_id")))
            texts[each.variant_id] = text
    return texts
