"""Stock set aside for many orders at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable

from domain.bulk import Bulk, columns_of, table_of
from domain.stock.change import RESERVE, Allocation, Cause, changing, merged, movement, refusal
from models import StockLevel, StockMovement


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units set aside for one order."""

    order_id: int
    by: int | None
    want: Allocation


async def reserve_all(session: AsyncSession, reservations: Sequence[Reservation], *, now: datetime) -> None:
    """Set units aside for many orders, all or none, with one conditional UPDATE of each place.

    OutOfStock names the variant there is too little of.
    """
    if not reservations:
        return
    wants = merged([each.want for each in reservations])
    moved = await RESERVE_ALL.run(
        session,
        places=[
            {"variant_id": want.variant_id, "warehouse_id": want.warehouse_id, "quantity": want.quantity}
            for want in wants
        ],
        movements=[movement(each.want, RESERVE, Cause(now, each.by, each.order_id)) for each in reservations],
    )
    done = {tuple(place) for place in moved}
    for want in wants:
        if want.place not in done:
            raise await refusal(session, want, RESERVE)


def reserving(dialect: str) -> list[Executable]:
    """The UPDATE and its movements, one statement where the database can."""
    columns = {"variant_id": BigInteger(), "warehouse_id": BigInteger(), "quantity": Integer()}
    change = changing(table_of(dialect, "places", columns), RESERVE)
    movements = table_of(dialect, "movements", columns_of(StockMovement))
    in_order = [movements.c.variant_id, movements.c.warehouse_id, movements.c.order_id]
    noted = insert(StockMovement).from_select(
        [each.name for each in movements.c], select(*movements.c).order_by(*in_order)
    )
    if dialect == "sqlite":
        return [noted, change]
    moved = change.cte("moved")
    return [select(moved.c.variant_id, moved.c.warehouse_id).add_cte(noted.cte("noted"))]


RESERVE_ALL = Bulk("reserving", reserving)


async def lock_levels(session: AsyncSession, variant_ids: Iterable[int]) -> None:
    """Nobody else takes any of these until this transaction ends."""
    await session.execute(
        select(StockLevel.variant_id)
        .where(StockLevel.variant_id.in_(set(variant_ids)))
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update()
    )
