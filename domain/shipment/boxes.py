"""Box types: what parcels are packed into."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, LimitReached, NotFound, collect_refusals
from domain.versions import check_version
from models import BoxType, Warehouse

BOX_TYPES_LIMIT = 200
NAME_LIMIT = 100
SIDE_LIMIT_MM = 10_000
WEIGHT_LIMIT_GRAMS = 1_000_000


@dataclass(frozen=True, slots=True)
class BoxTypeDraft:
    """All that is saved of a box type."""

    name: str
    warehouse_id: int | None
    length_mm: int
    width_mm: int
    height_mm: int
    max_weight_grams: int
    own_weight_grams: int


async def save_box_type(
    session: AsyncSession, draft: BoxTypeDraft, *, box_type_id: int | None, version: int | None
) -> BoxType:
    """Add a box type, or replace all that is known of one; Conflict unless `version` is its current one."""
    values = check_draft(draft)
    if draft.warehouse_id is not None and await session.get(Warehouse, draft.warehouse_id) is None:
        raise NotFound("warehouse", field=("warehouse_id",))
    if box_type_id is not None:
        if version is None:
            raise Invalid("Say which version you have read.", field=("version",))
        box = await lock_box_type(session, box_type_id, version=version)
        for name, value in values.items():
            setattr(box, name, value)
        box.version += 1
        return box
    if (await session.scalar(select(func.count(BoxType.id))) or 0) >= BOX_TYPES_LIMIT:
        raise LimitReached("At most {limit} box types.", limit=BOX_TYPES_LIMIT, field=("name",))
    box = BoxType(**values, version=1)
    session.add(box)
    await session.flush()
    return box


def check_draft(draft: BoxTypeDraft) -> Mapping[str, str | int | None]:
    """The columns of a box type; refused with everything that is wrong at once."""
    values = asdict(draft)
    values["name"] = draft.name.strip()
    with collect_refusals() as check:
        if not 1 <= len(values["name"]) <= NAME_LIMIT:
            check.add(Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=("name",)))
        for side in ("length_mm", "width_mm", "height_mm"):
            if not 1 <= values[side] <= SIDE_LIMIT_MM:
                check.add(Invalid("A side is 1 to {limit} mm.", limit=SIDE_LIMIT_MM, field=(side,)))
        if not 0 <= draft.own_weight_grams <= WEIGHT_LIMIT_GRAMS:
            template = "A box weighs 0 to {limit} grams."
            check.add(Invalid(template, limit=WEIGHT_LIMIT_GRAMS, field=("own_weight_grams",)))
        elif not draft.own_weight_grams < draft.max_weight_grams <= WEIGHT_LIMIT_GRAMS:
            template = "A box may weigh more than itself, and at most {limit} grams."
            check.add(Invalid(template, limit=WEIGHT_LIMIT_GRAMS, field=("max_weight_grams",)))
    return values


async def archive_box_type(
    session: AsyncSession, box_type_id: int, *, version: int, now: datetime
) -> BoxType:
    """Pack nothing more into a box type; parcels that are in one keep it."""
    box = await lock_box_type(session, box_type_id, version=version)
    if box.archived_at is None:
        box.archived_at, box.version = now, box.version + 1
    return box


async def restore_box_type(session: AsyncSession, box_type_id: int, *, version: int) -> BoxType:
    """Use an archived box type again."""
    box = await lock_box_type(session, box_type_id, version=version)
    if box.archived_at is not None:
        box.archived_at, box.version = None, box.version + 1
    return box


async def lock_box_type(session: AsyncSession, box_type_id: int, *, version: int) -> BoxType:
    box = await session.get(BoxType, box_type_id, with_for_update=True, populate_existing=True)
    if box is None:
        raise NotFound("box type", field=("id",))
    check_version(box, version)
    return box
