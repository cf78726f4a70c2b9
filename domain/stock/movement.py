"""Moving stock: every change of a level is a conditional UPDATE and a movement that explains it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from domain.cause import Cause
from domain.errors import DomainError, Invalid, LimitReached, OutOfStock, WrongState
from models import Backorder, MovementKind, Product, StockLevel, StockMovement, Variant
from models.base import UtcDateTime
from models.sellable import names_of_variant
from models.sql.batches import in_batches
from models.sql.dialects import dialect_of
from models.sql.parameters import bound_table, encode_rows
from models.sql.types import AnySelect, ColumnTypes, RowValues
from models.sql.upsert import upsert_into
from text.messages import Localized

STOCK_LIMIT = 1_000_000_000
"""Units of one variant in one warehouse."""

FREED_VARIANTS = "freed_variants"
"""Key of `session.info`: ids of variants of which more can be sold once the session has committed."""

LevelKey = tuple[int, int]
"""Ids of a variant and of the warehouse that has it."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of one variant in one warehouse."""

    variant_id: int
    warehouse_id: int
    quantity: int

    @property
    def level_key(self) -> LevelKey:
        return self.variant_id, self.warehouse_id


ALLOCATION_COLUMNS: ColumnTypes = {
    "variant_id": BigInteger(),
    "warehouse_id": BigInteger(),
    "quantity": Integer(),
}


@dataclass(frozen=True, slots=True)
class MovementEffect:
    """What one unit of a movement adds to each number of a stock level."""

    kind: MovementKind
    on_hand: int = 0
    reserved: int = 0
    damaged: int = 0
    backordered: int = 0

    @property
    def adds_units(self) -> bool:
        """Whether the level has more units afterwards, and need not exist yet."""
        return self.on_hand + self.damaged > 0 or self.backordered > 0

    @property
    def frees_units(self) -> bool:
        """Whether more units are available afterwards."""
        return self.on_hand > self.reserved


RESERVE = MovementEffect(MovementKind.RESERVED, reserved=1)
RELEASE = MovementEffect(MovementKind.RELEASED, reserved=-1)
BACKORDER = MovementEffect(MovementKind.BACKORDERED, backordered=1)
FILL_BACKORDER = MovementEffect(MovementKind.RESERVED, reserved=1, backordered=-1)
RELEASE_BACKORDER = MovementEffect(MovementKind.RELEASED, backordered=-1)
SHIP = MovementEffect(MovementKind.SHIPPED, on_hand=-1, reserved=-1)
TAKE_BACK = MovementEffect(MovementKind.RETURNED, on_hand=1)
TAKE_BACK_DAMAGED = MovementEffect(MovementKind.RETURNED, damaged=1)
RECEIVE = MovementEffect(MovementKind.RECEIVED, on_hand=1)
ADD = MovementEffect(MovementKind.CORRECTED, on_hand=1)
REMOVE = MovementEffect(MovementKind.CORRECTED, on_hand=-1)
DAMAGE = MovementEffect(MovementKind.DAMAGED, on_hand=-1, damaged=1)
SEND = MovementEffect(MovementKind.TRANSFERRED, on_hand=-1)
ARRIVE = MovementEffect(MovementKind.TRANSFERRED, on_hand=1)


@dataclass(frozen=True, slots=True)
class MovementCause:
    """Why stock is moved: a command, and the order or the reason it is about."""

    cause: Cause
    order_id: int | None = None
    reason: str = ""


async def move_stock(
    session: AsyncSession, allocations: Sequence[Allocation], effect: MovementEffect, cause: MovementCause
) -> None:
    """Apply `effect` to all allocations or to none; raises which of them the stock does not allow."""
    await move_stock_for(session, [(each, cause) for each in merge_allocations(allocations)], effect)


async def move_stock_for(
    session: AsyncSession, allocations: Sequence[tuple[Allocation, MovementCause]], effect: MovementEffect
) -> None:
    """As `move_stock`, for several causes. Units that become available fill the oldest backorders at once."""
    if not allocations:
        return
    # levels are locked in sorted order, so that no two transactions wait for each other
    merged = merge_allocations([allocation for allocation, _ in allocations])
    if effect.frees_units:
        session.info.setdefault(FREED_VARIANTS, set()).update(each.variant_id for each in merged)
    if effect.adds_units:
        await insert_missing_levels(session, [each.level_key for each in merged])
    fillable: set[LevelKey] = set()
    for batch in in_batches(merged):
        fillable |= await update_levels(session, batch, effect)
    for movements in in_batches(allocations):
        rows = [movement_row(allocation, effect, cause) for allocation, cause in movements]
        await session.execute(insert(StockMovement), rows)
    if fillable:
        await fill_backorders(session, fillable, now=allocations[0][1].cause.now)


FILL = (
    update(Backorder)
    .where(Backorder.id == bindparam("row_id"))
    .values(
        quantity=Backorder.quantity - bindparam("units"),
        filled=Backorder.filled + bindparam("units"),
        filled_at=bindparam("at", type_=UtcDateTime),
    )
)


async def fill_backorders(session: AsyncSession, keys: Collection[LevelKey], *, now: datetime) -> None:
    """Reserve available units of these levels for those who wait for them, the oldest backorders first.

    The levels have just been changed, so that they are locked: nobody else buys these units meanwhile. The
    orders are not locked, and learn of it later (`select_filled_backorders`). One may be telling of units
    that came before: others are added to what the row has then.
    """
    for batch in in_batches(sorted(keys)):
        rows = (await session.execute(select_fillable(batch))).all()
        fills = [
            (
                row,
                min(row.quantity, row.available - row.waiting_before),
                MovementCause(Cause(now), row.order_id),
            )
            for row in rows
        ]
        if fills:
            filled = [{"row_id": row.id, "units": units, "at": now} for row, units, _ in fills]
            connection = await session.connection()  # a session updates by primary key, to values only
            await connection.execute(FILL, filled)
        moves = [(Allocation(row.variant_id, row.warehouse_id, units), cause) for row, units, cause in fills]
        await move_stock_for(session, moves, FILL_BACKORDER)


def select_fillable(keys: Sequence[LevelKey]) -> AnySelect:
    """The oldest backorders of these levels, as far as available units suffice."""
    same_level = and_(
        StockLevel.variant_id == Backorder.variant_id, StockLevel.warehouse_id == Backorder.warehouse_id
    )
    waiting = func.sum(Backorder.quantity).over(
        partition_by=(Backorder.variant_id, Backorder.warehouse_id), order_by=Backorder.id
    )
    backorders = (
        select(
            *Backorder.__table__.c,
            StockLevel.available.label("available"),
            (waiting - Backorder.quantity).label("waiting_before"),
        )
        .join(StockLevel, same_level)
        .where(tuple_(Backorder.variant_id, Backorder.warehouse_id).in_(keys), Backorder.quantity > 0)
        .subquery()
    )
    return (
        select(backorders)
        .where(backorders.c.waiting_before < backorders.c.available)
        .order_by(backorders.c.id)
    )


def merge_allocations(allocations: Sequence[Allocation]) -> list[Allocation]:
    """One allocation for each level, in sorted order; Invalid where a quantity is out of its limits."""
    totals: Counter[LevelKey] = Counter()
    for allocation in allocations:
        if not 1 <= allocation.quantity <= STOCK_LIMIT:
            raise Invalid("A quantity is between 1 and {limit}.", limit=STOCK_LIMIT, field=("quantity",))
        totals[allocation.level_key] += allocation.quantity
    return [Allocation(*key, quantity) for key, quantity in sorted(totals.items())]


async def update_levels(
    session: AsyncSession, allocations: Sequence[Allocation], effect: MovementEffect
) -> set[LevelKey]:
    """Change these levels in one statement, or raise which of them does not allow it.

    Returns the keys of those where units are available now though some wait for them.
    """
    level_update = build_level_update(bind_allocations(allocations, dialect_of(session)), effect)
    rows = (await session.execute(level_update)).all()
    changed = {(variant_id, warehouse_id) for variant_id, warehouse_id, *_ in rows}
    for allocation in allocations:
        if allocation.level_key not in changed:
            raise await refusal_for(session, allocation, effect)
    return {
        (variant_id, warehouse_id)
        for variant_id, warehouse_id, available, backordered in rows
        if available and backordered
    }


def build_level_update(
    allocations: FromClause, effect: MovementEffect, backorders: ColumnElement[int] | None = None
) -> ReturningUpdate[int, int, int, int]:
    """The conditional UPDATE of levels, locked in sorted order; it returns those it changed.

    `backorders` is a column of `allocations`: units that are backordered beside, only where nothing is left.
    """
    is_level = and_(
        StockLevel.variant_id == allocations.c.variant_id,
        StockLevel.warehouse_id == allocations.c.warehouse_id,
    )
    further = literal(0) if backorders is None else backorders
    locked = (
        select(
            StockLevel.variant_id,
            StockLevel.warehouse_id,
            allocations.c.quantity,
            further.label("further"),
        )
        .join(allocations, is_level)
        .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
        .with_for_update(of=StockLevel)
        .cte("locked")
    )
    on_hand = StockLevel.on_hand + effect.on_hand * locked.c.quantity
    reserved = StockLevel.reserved + effect.reserved * locked.c.quantity
    damaged = StockLevel.damaged + effect.damaged * locked.c.quantity
    backordered = StockLevel.backordered + effect.backordered * locked.c.quantity + locked.c.further
    return (
        update(StockLevel)
        .where(StockLevel.variant_id == locked.c.variant_id)
        .where(StockLevel.warehouse_id == locked.c.warehouse_id)
        .where(reserved >= 0, reserved <= on_hand, on_hand <= STOCK_LIMIT, damaged <= STOCK_LIMIT)
        .where(backordered >= 0, backordered <= STOCK_LIMIT)
        .where(or_(locked.c.further == 0, reserved == on_hand))
        .values(on_hand=on_hand, reserved=reserved, damaged=damaged, backordered=backordered)
        .returning(
            StockLevel.variant_id, StockLevel.warehouse_id, StockLevel.available, StockLevel.backordered
        )
        .execution_options(synchronize_session=False)
    )


def bind_allocations(allocations: Sequence[Allocation], dialect: str) -> FromClause:
    """Allocations as a table of a statement."""
    rows = encode_rows([asdict(each) for each in allocations], dialect)
    return bound_table("allocations", ALLOCATION_COLUMNS, dialect, rows)


async def refusal_for(session: AsyncSession, allocation: Allocation, effect: MovementEffect) -> DomainError:
    """Why the level of an allocation does not allow the effect."""
    level = await session.get(StockLevel, allocation.level_key, populate_existing=True)
    name = await name_of_variant(session, allocation.variant_id)
    if effect.reserved < 0:
        return WrongState(
            "Fewer than {quantity} of {name} are reserved.", quantity=allocation.quantity, name=name
        )
    if effect.adds_units:
        return LimitReached(
            "A warehouse holds at most {limit} of {name}.", limit=STOCK_LIMIT, name=name, field=("quantity",)
        )
    return OutOfStock(name, left=level.available if level else 0)


async def name_of_variant(session: AsyncSession, variant_id: int) -> Localized:
    row = await session.execute(
        select(Variant, Product.title, Product.translations)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id)
    )
    variant, title, translations = row.one()
    name = f"{title} ({variant.name})" if variant.options else title
    return Localized(name, names_of_variant(variant, title, translations))


def movement_row(allocation: Allocation, effect: MovementEffect, movement_cause: MovementCause) -> RowValues:
    """The values of a movement's columns."""
    return {
        "variant_id": allocation.variant_id,
        "warehouse_id": allocation.warehouse_id,
        "kind": effect.kind,
        "on_hand": effect.on_hand * allocation.quantity,
        "reserved": effect.reserved * allocation.quantity,
        "damaged": effect.damaged * allocation.quantity,
        "backordered": effect.backordered * allocation.quantity,
        "reason": movement_cause.reason,
        "order_id": movement_cause.order_id,
        "actor_id": movement_cause.cause.by,
        "created_at": movement_cause.cause.now,
    }


KEY_COLUMNS: ColumnTypes = {"variant_id": BigInteger(), "warehouse_id": BigInteger()}
LEVEL_COLUMNS = ("variant_id", "warehouse_id", "on_hand", "reserved", "damaged", "backordered")


async def insert_missing_levels(session: AsyncSession, keys: Collection[LevelKey]) -> set[LevelKey]:
    """Insert empty levels where there are none yet; the keys of those inserted.

    One transaction at a time inserts levels of a variant. Called before any level is locked, so that whoever
    waits for that holds none.
    """
    inserted: set[LevelKey] = set()
    dialect = dialect_of(session)
    for batch in in_batches(sorted(keys)):
        rows = [{"variant_id": variant_id, "warehouse_id": place} for variant_id, place in batch]
        given = bound_table("given", KEY_COLUMNS, dialect, encode_rows(rows, dialect))
        is_level = and_(
            StockLevel.variant_id == given.c.variant_id, StockLevel.warehouse_id == given.c.warehouse_id
        )
        missing = (
            select(given.c.variant_id, given.c.warehouse_id)
            .where(~select(StockLevel.variant_id).where(is_level).exists())
            .cte("missing")
        )
        locked = (
            select(Variant.id)
            .where(Variant.id.in_(select(missing.c.variant_id)))
            .order_by(Variant.id)
            .with_for_update(key_share=True)
            .cte("locked")
        )
        empty = (
            select(missing.c.variant_id, missing.c.warehouse_id, *[literal(0)] * 4)
            .join(locked, locked.c.id == missing.c.variant_id)
            .where(true())
            .order_by(missing.c.variant_id, missing.c.warehouse_id)
        )
        result = await session.execute(
            upsert_into(session, StockLevel)
            .from_select(LEVEL_COLUMNS, empty)
            .on_conflict_do_nothing()
            .returning(StockLevel.variant_id, StockLevel.warehouse_id)
        )
        inserted |= {(variant_id, warehouse_id) for variant_id, warehouse_id in result}
    return inserted
