"""How many there are: every change is a conditional UPDATE and a movement that explains it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, BigInteger, FromClause, Integer, and_, column, select, update, values
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from domain.batches import batches
from domain.errors import DomainError, Invalid, LimitReached, OutOfStock, WrongState
from domain.upsert import insert
from models import MovementKind, Product, StockLevel, StockMovement, Variant

STOCK_LIMIT = 1_000_000_000
"""Units of one variant in one warehouse."""

FREED = "freed"
"""Where a session notes the variants of which more can be sold once it has committed."""

Place = tuple[int, int]
"""Ids of a variant and of the warehouse it lies in."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of one variant in one warehouse."""

    variant_id: int
    warehouse_id: int
    quantity: int

    @property
    def place(self) -> Place:
        return self.variant_id, self.warehouse_id


@dataclass(frozen=True, slots=True)
class Effect:
    """What one unit of a movement adds to each number of a level."""

    kind: MovementKind
    on_hand: int = 0
    reserved: int = 0
    damaged: int = 0

    @property
    def gains(self) -> bool:
        """Whether the warehouse has more afterwards: there need not be a level yet."""
        return self.on_hand + self.damaged > 0

    @property
    def frees(self) -> bool:
        """Whether more can be sold afterwards."""
        return self.on_hand > self.reserved


RESERVE = Effect(MovementKind.RESERVED, reserved=1)
RELEASE = Effect(MovementKind.RELEASED, reserved=-1)
SHIP = Effect(MovementKind.SHIPPED, on_hand=-1, reserved=-1)
TAKE_BACK = Effect(MovementKind.RETURNED, on_hand=1)
TAKE_BACK_DAMAGED = Effect(MovementKind.RETURNED, damaged=1)
RECEIVE = Effect(MovementKind.RECEIVED, on_hand=1)
ADD = Effect(MovementKind.CORRECTED, on_hand=1)
REMOVE = Effect(MovementKind.CORRECTED, on_hand=-1)
DAMAGE = Effect(MovementKind.DAMAGED, on_hand=-1, damaged=1)
SEND = Effect(MovementKind.TRANSFERRED, on_hand=-1)
ARRIVE = Effect(MovementKind.TRANSFERRED, on_hand=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, when and by whom stock is changed."""

    now: datetime
    by: int | None
    order_id: int | None = None
    reason: str = ""


async def change(session: AsyncSession, wants: Sequence[Allocation], effect: Effect, cause: Cause) -> None:
    """Apply `effect` to every place, all or none."""
    await change_for(session, [(want, cause) for want in merged(wants)], effect)


async def change_for(
    session: AsyncSession, wants: Sequence[tuple[Allocation, Cause]], effect: Effect
) -> None:
    """As `change`, for several causes: in sorted order, so that no two transactions wait in a ring."""
    wanted = merged([want for want, _ in wants])
    if effect.frees:
        session.info.setdefault(FREED, set()).update(want.variant_id for want in wanted)
    if effect.gains:
        await make_levels(session, [want.place for want in wanted])
    for batch in batches(wanted):
        await move(session, batch, effect)
    for causes in batches(wants):
        await session.execute(
            insert(session, StockMovement).values([movement(want, effect, cause) for want, cause in causes])
        )


def merged(wants: Sequence[Allocation]) -> list[Allocation]:
    totals: Counter[Place] = Counter()
    for want in wants:
        if not 1 <= want.quantity <= STOCK_LIMIT:
            raise Invalid(f"A quantity is between 1 and {STOCK_LIMIT:,}.", field=("quantity",))
        totals[want.place] += want.quantity
    return [Allocation(*place, quantity) for place, quantity in sorted(totals.items())]


async def move(session: AsyncSession, wants: Sequence[Allocation], effect: Effect) -> None:
    """Change these levels in one statement, or say which of them does not allow it."""
    moved = await moved_places(session, wants, effect)
    for want in wants:
        if want.place not in moved:
            raise await refusal(session, want, effect)


async def moved_places(session: AsyncSession, wants: Sequence[Allocation], effect: Effect) -> set[Place]:
    """Change all levels that allow it in one statement; the places that did."""
    done = await session.execute(changing(as_table(wants), effect))
    return {(variant_id, warehouse_id) for variant_id, warehouse_id in done}


def changing(wanted: FromClause, effect: Effect) -> ReturningUpdate[int, int]:
    """The one conditional UPDATE, of levels locked in sorted order; it returns the places it changed."""
    same = and_(
        StockLevel.variant_id == wanted.c.variant_id, StockLevel.warehouse_id == wanted.c.warehouse_id
    )
    locked = (
        select(StockLevel.variant_id, StockLevel.warehouse_id, wanted.c.quantity)
        .join(wanted, same)
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update(of=StockLevel)
        .cte("locked")
    )
    on_hand = StockLevel.on_hand + effect.on_hand * locked.c.quantity
    reserved = StockLevel.reserved + effect.reserved * locked.c.quantity
    damaged = StockLevel.damaged + effect.damaged * locked.c.quantity
    return (
        update(StockLevel)
        .where(StockLevel.variant_id == locked.c.variant_id)
        .where(StockLevel.warehouse_id == locked.c.warehouse_id)
        .where(reserved >= 0, reserved <= on_hand, on_hand <= STOCK_LIMIT, damaged <= STOCK_LIMIT)
        .values(on_hand=on_hand, reserved=reserved, damaged=damaged)
        .returning(StockLevel.variant_id, StockLevel.warehouse_id)
        .execution_options(synchronize_session=False)
    )


def as_table(wants: Sequence[Allocation]) -> CTE:
    columns = (
        column("variant_id", BigInteger),
        column("warehouse_id", BigInteger),
        column("quantity", Integer),
    )
    rows = [(*want.place, want.quantity) for want in wants]
    return values(*columns, name="wanted").data(rows).cte("wanted")


async def refusal(session: AsyncSession, want: Allocation, effect: Effect) -> DomainError:
    level = await session.get(StockLevel, want.place, populate_existing=True)
    name = await name_of(session, want.variant_id)
    if effect.reserved < 0:
        return WrongState(f"Fewer than {want.quantity} of {name} are reserved.")
    if effect.gains:
        return LimitReached(f"A warehouse holds at most {STOCK_LIMIT:,} of {name}.", field=("quantity",))
    return OutOfStock(name, left=level.available if level else 0)


async def name_of(session: AsyncSession, variant_id: int) -> str:
    row = await session.execute(
        select(Variant, Product.title)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id)
    )
    variant, title = row.one()
    return f"{title} ({variant.name})" if variant.options else title


def movement(want: Allocation, effect: Effect, cause: Cause) -> dict[str, Any]:
    return {
        "variant_id": want.variant_id,
        "warehouse_id": want.warehouse_id,
        "kind": effect.kind,
        "on_hand": effect.on_hand * want.quantity,
        "reserved": effect.reserved * want.quantity,
        "damaged": effect.damaged * want.quantity,
        "reason": cause.reason,
        "order_id": cause.order_id,
        "actor_id": cause.by,
        "created_at": cause.now,
    }


async def make_levels(session: AsyncSession, places: Collection[Place]) -> set[Place]:
    """Levels of nothing for places that had none; those places."""
    made: set[Place] = set()
    for batch in batches(sorted(places)):
        rows = [
            {"variant_id": variant, "warehouse_id": warehouse, "on_hand": 0, "reserved": 0, "damaged": 0}
            for variant, warehouse in batch
        ]
        done = await session.execute(
            insert(session, StockLevel)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(StockLevel.variant_id, StockLevel.warehouse_id)
        )
        made |= {(variant_id, warehouse_id) for variant_id, warehouse_id in done}
    return made
