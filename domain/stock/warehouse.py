"""Where goods are kept: in the order of their positions, the first of them the main one."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import HOME_REGION, country_of
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from domain.upsert import insert
from models import Warehouse

MAIN = "MAIN"
CODE_LIMIT = 64
PART_LIMIT = 200
WAREHOUSES_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseDraft:
    """A warehouse as a clerk describes it."""

    code: str
    name: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    latitude: float | None
    longitude: float | None
    active: bool = True


async def save_warehouse(
    session: AsyncSession, draft: WarehouseDraft, *, warehouse_id: int | None, position: int | None
) -> Warehouse:
    """Open a warehouse or change one, and give it its place among the others; a new one comes last.

    One that is not active gives nothing to orders any more; what was set aside in it still leaves it. The
    main one is always active.
    """
    values = asdict(checked(draft))
    others = list(
        await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id).with_for_update())
    )
    taken = next((row for row in others if row.code == values["code"] and row.id != warehouse_id), None)
    if taken is not None:
        raise Taken(f"There is a warehouse {taken.code} already.", field=("code",))
    if warehouse_id is None:
        warehouse, place = await open_warehouse(session, values, len(others)), len(others)
    else:
        warehouse, place = take_out(others, warehouse_id)
        for name, value in values.items():
            setattr(warehouse, name, value)
    others.insert(place_of(position, len(others)) if position is not None else place, warehouse)
    for number, row in enumerate(others, start=1):
        row.position = number
    if not others[0].active:
        raise WrongState("The main warehouse is always active: put another one first.", field=("active",))
    await session.flush()
    return warehouse


async def open_warehouse(session: AsyncSession, values: dict[str, object], known: int) -> Warehouse:
    if known >= WAREHOUSES_LIMIT:
        raise LimitReached(f"A shop has at most {WAREHOUSES_LIMIT} warehouses.")
    made = await session.scalar(
        insert(session, Warehouse)
        .values(**values, position=known + 1)
        .on_conflict_do_nothing()
        .returning(Warehouse)
    )
    if made is None:
        raise Taken(f"There is a warehouse {values['code']} already.", field=("code",))
    found: Warehouse = made
    return found


def take_out(rows: list[Warehouse], warehouse_id: int) -> tuple[Warehouse, int]:
    for place, row in enumerate(rows):
        if row.id == warehouse_id:
            return rows.pop(place), place
    raise NotFound("warehouse", field=("id",))


def place_of(position: int, last: int) -> int:
    if not 1 <= position <= WAREHOUSES_LIMIT:
        raise Invalid(f"A position is between 1 and {WAREHOUSES_LIMIT}.", field=("position",))
    return min(position - 1, last)


def checked(draft: WarehouseDraft) -> WarehouseDraft:
    """The draft in the spelling it is stored in; Invalid names the part that is missing or wrong."""
    said: dict[str, Any] = {
        name: " ".join(text.split()) for name, text in asdict(draft).items() if isinstance(text, str)
    } | {"country_code": country_of(draft.country_code)}
    for name, text in said.items():
        limit = CODE_LIMIT if name == "code" else PART_LIMIT
        if len(text) > limit:
            raise Invalid(f"At most {limit} characters.", field=(name,))
    home = ("province",) if said["country_code"] == HOME_REGION else ()
    for name in ("code", "name", "city", *home):
        if not said[name]:
            raise Invalid(f"A warehouse needs its {words(name)}.", field=(name,))
    if (draft.latitude is None) != (draft.longitude is None):
        raise Invalid("Give both latitude and longitude, or neither.", field=("latitude",))
    if not (-90 <= (draft.latitude or 0) <= 90 and -180 <= (draft.longitude or 0) <= 180):
        raise Invalid("Latitudes go from -90 to 90, longitudes from -180 to 180.", field=("latitude",))
    return replace(draft, **said)


def words(name: str) -> str:
    return name.rstrip("1").replace("_", " ")


async def main_warehouse(session: AsyncSession) -> Warehouse:
    """The warehouse of the lowest position; a shop that has none gets one."""
    main = await session.scalar(select(Warehouse).order_by(Warehouse.position, Warehouse.id).limit(1))
    return main or await make_warehouse(session, MAIN, position=1)


async def warehouses(session: AsyncSession, codes: Iterable[str]) -> dict[str, Warehouse]:
    """Warehouses by code, made in this order where the shop does not know one yet; "" is the main one."""
    named = dict.fromkeys(codes)
    known: dict[str, Warehouse] = {}
    if "" in named:
        known[""] = await main_warehouse(session)
    known |= {row.code: row for row in await session.scalars(select(Warehouse))}
    last = max((row.position for row in known.values()), default=0)
    for position, code in enumerate((code for code in named if code not in known), start=last + 1):
        known[code] = await make_warehouse(session, code, position=position)
    return known


async def make_warehouse(session: AsyncSession, code: str, *, position: int) -> Warehouse:
    if len(code) > CODE_LIMIT:
        raise Invalid(f"The code of a warehouse has at most {CODE_LIMIT} characters.", field=("stock",))
    blank = dict.fromkeys(("country_code", "province", "city", "district", "line1"), "")
    await session.execute(
        insert(session, Warehouse)
        .values(code=code, name=code.title() if code == MAIN else code, position=position, **blank)
        .on_conflict_do_nothing()
    )
    return (await session.scalars(select(Warehouse).where(Warehouse.code == code))).one()
