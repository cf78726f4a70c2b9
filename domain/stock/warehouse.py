"""Warehouses, in the order of their positions; the first of them is the main one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import HOME_REGION, normalize_country
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState, collect_refusals
from domain.place import Coordinates, geocode_time, locate_place
from domain.stock.pickup_hours import OpeningHours, normalize_hours
from geo import AmbiguousArea, UnknownArea, full_names
from models import CoordinateSource, Warehouse
from models.sql.upsert import upsert_into
from text.messages import Message

MAIN = "MAIN"
"""The code of the main warehouse of a shop that has opened none itself."""
CODE_LIMIT = 64
PART_LIMIT = 200
"""Characters of each part of name and address."""
INSTRUCTIONS_LIMIT = 500
WAREHOUSES_LIMIT = 500
PLACE = frozenset({"latitude", "longitude", "coordinate_source"})
LIMITS = {"code": CODE_LIMIT, "pickup_instructions": INSTRUCTIONS_LIMIT}
"""Characters of texts that are not parts of name and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseDraft:
    """A warehouse as it is to be saved."""

    code: str
    name: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    latitude: float | None
    longitude: float | None
    coordinate_source: CoordinateSource | None = None
    """Told by normalizing it."""
    active: bool = True
    allows_pickup: bool = False
    pickup_hours: Sequence[OpeningHours] = ()
    pickup_instructions: str = ""


async def save_warehouse(
    session: AsyncSession,
    draft: WarehouseDraft,
    *,
    warehouse_id: int | None,
    position: int | None,
    now: datetime,
) -> Warehouse:
    """Open a warehouse or change one, and move it to `position`.

    Without a position it stays where it is, or comes last if it is new. Orders take nothing more from one
    that is not active; what they have reserved in it still leaves it. The main warehouse is always active.
    """
    with collect_refusals() as check:
        normalized = check.value(normalize_draft, draft, draft)
        hours = check.value(normalize_hours, [], draft.pickup_hours)
        if position is not None:
            check.value(index_for, 0, position, 0)
    values = asdict(normalized) | {"pickup_hours": hours}
    others = list(
        await session.scalars(select(Warehouse).order_by(Warehouse.position, Warehouse.id).with_for_update())
    )
    same_code = next((row for row in others if row.code == values["code"] and row.id != warehouse_id), None)
    if same_code is not None:
        raise Taken("There is a warehouse {code} already.", code=same_code.code, field=("code",))
    if warehouse_id is None:
        warehouse, index = await insert_warehouse(session, values, len(others)), len(others)
    else:
        warehouse, index = pop_warehouse(others, warehouse_id)
        if warehouse.archived_at is not None:
            raise WrongState("This warehouse is archived; restore it first.", field=("id",))
        kept = PLACE if keeps_place(warehouse, normalized) else frozenset()
        for name in values.keys() - kept:
            setattr(warehouse, name, values[name])
    warehouse.geocode_at, warehouse.geocode_tries = geocode_time(session, warehouse, now=now), 0
    others.insert(index_for(position, len(others)) if position is not None else index, warehouse)
    for number, row in enumerate(others, start=1):
        row.position = number
    if not others[0].active:
        raise WrongState("The main warehouse is always active: put another one first.", field=("active",))
    await session.flush()
    return warehouse


def keeps_place(warehouse: Warehouse, draft: WarehouseDraft) -> bool:
    """Whether it stays where it is, and the draft knows no better where that is."""
    names = ("country_code", "province", "city", "district", "line1")
    same = all(getattr(warehouse, name) == getattr(draft, name) for name in names)
    return same and draft.coordinate_source is not CoordinateSource.CLIENT


async def insert_warehouse(session: AsyncSession, values: dict[str, object], count: int) -> Warehouse:
    """Insert a warehouse behind the `count` there are; Taken where another has its code."""
    if count >= WAREHOUSES_LIMIT:
        raise LimitReached("A shop has at most {limit} warehouses.", limit=WAREHOUSES_LIMIT)
    inserted = await session.scalar(
        upsert_into(session, Warehouse)
        .values(**values, position=count + 1)
        .on_conflict_do_nothing()
        .returning(Warehouse)
    )
    if inserted is None:
        raise Taken("There is a warehouse {code} already.", code=str(values["code"]), field=("code",))
    warehouse: Warehouse = inserted
    return warehouse


def pop_warehouse(warehouses: list[Warehouse], warehouse_id: int) -> tuple[Warehouse, int]:
    """Take a warehouse out of the list; the warehouse and its index."""
    for index, warehouse in enumerate(warehouses):
        if warehouse.id == warehouse_id:
            return warehouses.pop(index), index
    raise NotFound("warehouse", field=("id",))


def index_for(position: int, last: int) -> int:
    if not 1 <= position <= WAREHOUSES_LIMIT:
        raise Invalid("A position is between 1 and {limit}.", limit=WAREHOUSES_LIMIT, field=("position",))
    return min(position - 1, last)


def normalize_draft(draft: WarehouseDraft) -> WarehouseDraft:
    """The draft in the spelling it is stored in; refusals name every part that is missing or wrong."""
    texts: dict[str, str] = {
        name: " ".join(text.split()) for name, text in asdict(draft).items() if isinstance(text, str)
    }
    with collect_refusals() as check:
        texts["country_code"] = check.value(normalize_country, "", draft.country_code)
        for name, text in texts.items():
            limit = LIMITS.get(name, PART_LIMIT)
            if len(text) > limit:
                check.add(Invalid("At most {limit} characters.", limit=limit, field=(name,)))
        required = {"code": Message("code"), "name": Message("name"), "city": Message("city")}
        if texts["country_code"] == HOME_REGION:
            required["province"] = Message("province")
        if draft.allows_pickup:
            required["line1"] = Message("street and number")
        for name, part in required.items():
            if not texts[name]:
                check.add(Invalid("A warehouse needs its {part}.", part=part, field=(name,)))
        area = complete_area(texts)
        place = check.value(
            locate_place,
            Coordinates(),
            Coordinates(draft.latitude, draft.longitude),
            country_code=texts["country_code"],
            area=area,
            field=(),
        )
    return replace(
        draft,
        code=texts["code"],
        name=texts["name"],
        country_code=texts["country_code"],
        province=area[0],
        city=area[1],
        district=area[2],
        line1=texts["line1"],
        latitude=place.latitude,
        longitude=place.longitude,
        coordinate_source=place.coordinate_source,
        pickup_instructions=texts["pickup_instructions"],
    )


def complete_area(texts: Mapping[str, str]) -> tuple[str, str, str]:
    """Province, city and district with their full names, as addresses have them; as they are written where
    they are not those of China, or not known."""
    area = texts["province"], texts["city"], texts["district"]
    if texts["country_code"] != HOME_REGION:
        return area
    try:
        return full_names(*area)
    except (UnknownArea, AmbiguousArea):
        return area


async def ensure_main_warehouse(session: AsyncSession) -> Warehouse:
    """The warehouse of the lowest position; it is created in a shop that has none."""
    main = await session.scalar(select(Warehouse).order_by(Warehouse.position, Warehouse.id).limit(1))
    return main or await create_warehouse(session, MAIN, position=1)


async def ensure_warehouses(session: AsyncSession, codes: Iterable[str]) -> dict[str, Warehouse]:
    """Warehouses by code, created in this order where there are none yet; "" is the main one."""
    named = dict.fromkeys(codes)
    found: dict[str, Warehouse] = {}
    if "" in named:
        found[""] = await ensure_main_warehouse(session)
    found |= {row.code: row for row in await session.scalars(select(Warehouse))}
    last = max((row.position for row in found.values()), default=0)
    for position, code in enumerate((code for code in named if code not in found), start=last + 1):
        found[code] = await create_warehouse(session, code, position=position)
    return found


async def create_warehouse(session: AsyncSession, code: str, *, position: int) -> Warehouse:
    """A warehouse with this code and no address; the existing one where another transaction was first."""
    if len(code) > CODE_LIMIT:
        raise Invalid(
            "The code of a warehouse has at most {limit} characters.", limit=CODE_LIMIT, field=("stock",)
        )
    blank = dict.fromkeys(("country_code", "province", "city", "district", "line1"), "")
    await session.execute(
        upsert_into(session, Warehouse)
        .values(code=code, name=code.title() if code == MAIN else code, position=position, **blank)
        .on_conflict_do_nothing()
    )
    return (await session.scalars(select(Warehouse).where(Warehouse.code == code))).one()
