"""How many there are: every change is a conditional UPDATE and a movement that explains it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, BigInteger, Integer, and_, column, select, tuple_, update, values
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.errors import DomainError, Invalid, LimitReached, NotFound, OutOfStock, WrongState
from domain.upsert import insert
from models import MovementKind, Product, StockLevel, StockMovement, Variant, Warehouse

MAIN = "MAIN"
STOCK_LIMIT = 1_000_000_000
"""Units of one variant in one warehouse."""

REASON_LIMIT = 500
CODE_LIMIT = 64

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


async def reserve(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Set units aside, all or none: OutOfStock names the variant there is too little of.

    Whoever asks leaves out what has no limit (`Variant.limited`), and remembers that it did.
    """
    await _change(session, wants, RESERVE, Cause(now, by, order_id))


async def release(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Give units that were set aside back to whoever comes next."""
    await _change(session, wants, RELEASE, Cause(now, by, order_id))


async def ship(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Units that were set aside leave the warehouse."""
    await _change(session, wants, SHIP, Cause(now, by, order_id))


async def take_back(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    damaged: bool,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Units come back from a customer, to be sold again or to be written off."""
    effect = TAKE_BACK_DAMAGED if damaged else TAKE_BACK
    await _change(session, wants, effect, Cause(now, by, order_id))


async def adjust(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    kind: MovementKind,
    quantity: int,
    reason: str,
    now: datetime,
    by: int | None,
) -> StockLevel:
    """Receive, correct (`quantity` is the difference and may be negative) or write off damaged units."""
    cause = Cause(now, by, reason=_reason(reason))
    effect = _clerks_effect(kind, quantity)
    await _known(session, variant_id, [warehouse_id])
    await _change(session, [Allocation(variant_id, warehouse_id, abs(quantity))], effect, cause)
    return await _level(session, variant_id, warehouse_id)


async def transfer(
    session: AsyncSession,
    *,
    variant_id: int,
    warehouse_id: int,
    to_warehouse_id: int,
    quantity: int,
    reason: str,
    now: datetime,
    by: int | None,
) -> StockLevel:
    """Move units from one warehouse to another; returns the level they left."""
    if to_warehouse_id == warehouse_id:
        raise Invalid("Goods are transferred between two warehouses.", field=("to_warehouse_id",))
    cause = Cause(now, by, reason=_reason(reason))
    await _known(session, variant_id, [warehouse_id, to_warehouse_id])
    moves = [
        (Allocation(variant_id, warehouse_id, quantity), SEND),
        (Allocation(variant_id, to_warehouse_id, quantity), ARRIVE),
    ]
    for want, effect in sorted(moves, key=lambda move: move[0].place):
        await _change(session, [want], effect, cause)
    return await _level(session, variant_id, warehouse_id)


async def set_levels(
    session: AsyncSession,
    counted: Mapping[Place, int],
    *,
    reason: str,
    now: datetime,
    by: int | None = None,
) -> set[Place]:
    """Make levels what was counted, though never less than is reserved; the places that changed.

    What has never been in stock is received, everything else corrected. Three statements and one per
    thousand changed levels, however many there are.
    """
    if not counted:
        return set()
    known = await _lock(session, counted)
    missing = counted.keys() - known.keys()
    if missing:
        await _make_levels(session, missing)
        known |= await _lock(session, missing)
    found = {place: max(counted[place], level.reserved) - level.on_hand for place, level in known.items()}
    differences = {place: units for place, units in sorted(found.items()) if units}
    cause = Cause(now, by, reason=reason)
    for place, units in differences.items():
        known[place].on_hand += units
    session.add_all(
        StockMovement(
            **_movement(
                Allocation(*place, units), replace(ADD, kind=RECEIVE.kind) if place in missing else ADD, cause
            )
        )
        for place, units in differences.items()
    )
    await session.flush()
    return set(differences) | missing


async def levels(session: AsyncSession, variant_ids: Iterable[int]) -> dict[int, list[StockLevel]]:
    """The levels of each variant as they are now, the main warehouse's first."""
    found: defaultdict[int, list[StockLevel]] = defaultdict(list)
    for batch in batches(variant_ids):
        rows = await session.scalars(
            select(StockLevel)
            .join(Warehouse, Warehouse.id == StockLevel.warehouse_id)
            .where(StockLevel.variant_id.in_(batch))
            .order_by(StockLevel.variant_id, Warehouse.position, Warehouse.id)
            .execution_options(populate_existing=True)
        )
        for level in rows:
            found[level.variant_id].append(level)
    return found


async def main_warehouse(session: AsyncSession) -> Warehouse:
    """The warehouse of the lowest position; a shop that has none gets one."""
    main = await session.scalar(select(Warehouse).order_by(Warehouse.position, Warehouse.id).limit(1))
    return main or await _make_warehouse(session, MAIN, position=1)


async def warehouses(session: AsyncSession, codes: Iterable[str]) -> dict[str, Warehouse]:
    """Warehouses by code, made in this order where the shop does not know one yet; "" is the main one."""
    named = dict.fromkeys(codes)
    known: dict[str, Warehouse] = {}
    if "" in named:
        known[""] = await main_warehouse(session)
    known |= {row.code: row for row in await session.scalars(select(Warehouse))}
    last = max((row.position for row in known.values()), default=0)
    for position, code in enumerate((code for code in named if code not in known), start=last + 1):
        known[code] = await _make_warehouse(session, code, position=position)
    return known


async def _make_warehouse(session: AsyncSession, code: str, *, position: int) -> Warehouse:
    if len(code) > CODE_LIMIT:
        raise Invalid(f"The code of a warehouse has at most {CODE_LIMIT} characters.", field=("stock",))
    blank = dict.fromkeys(("country_code", "province", "city", "district", "line1"), "")
    await session.execute(
        insert(session, Warehouse)
        .values(code=code, name=code.title() if code == MAIN else code, position=position, **blank)
        .on_conflict_do_nothing()
    )
    return (await session.scalars(select(Warehouse).where(Warehouse.code == code))).one()


async def _change(session: AsyncSession, wants: Sequence[Allocation], effect: Effect, cause: Cause) -> None:
    """Apply `effect` to every place, in sorted order so that no two transactions wait for each other."""
    merged = _merged(wants)
    if not merged:
        return
    if effect.gains:
        await _make_levels(session, (want.place for want in merged))
    for batch in batches(merged):
        moved = await _moved(session, batch, effect)
        for want in batch:
            if want.place not in moved:
                raise await _refusal(session, want, effect)
        await session.execute(
            insert(session, StockMovement).values([_movement(want, effect, cause) for want in batch])
        )


def _merged(wants: Sequence[Allocation]) -> list[Allocation]:
    totals: Counter[Place] = Counter()
    for want in wants:
        if not 1 <= want.quantity <= STOCK_LIMIT:
            raise Invalid(f"A quantity is between 1 and {STOCK_LIMIT:,}.", field=("quantity",))
        totals[want.place] += want.quantity
    return [Allocation(*place, quantity) for place, quantity in sorted(totals.items())]


async def _moved(session: AsyncSession, wants: Sequence[Allocation], effect: Effect) -> set[Place]:
    """Change all levels that allow it in one statement, locked in sorted order; the places that did."""
    wanted = _as_table(wants)
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
    done = await session.execute(
        update(StockLevel)
        .where(StockLevel.variant_id == locked.c.variant_id)
        .where(StockLevel.warehouse_id == locked.c.warehouse_id)
        .where(reserved >= 0, reserved <= on_hand, on_hand <= STOCK_LIMIT, damaged <= STOCK_LIMIT)
        .values(on_hand=on_hand, reserved=reserved, damaged=damaged)
        .returning(StockLevel.variant_id, StockLevel.warehouse_id)
        .execution_options(synchronize_session=False)
    )
    return {(variant_id, warehouse_id) for variant_id, warehouse_id in done}


def _as_table(wants: Sequence[Allocation]) -> CTE:
    columns = (
        column("variant_id", BigInteger),
        column("warehouse_id", BigInteger),
        column("quantity", Integer),
    )
    rows = [(*want.place, want.quantity) for want in wants]
    return values(*columns, name="wanted").data(rows).cte("wanted")


async def _refusal(session: AsyncSession, want: Allocation, effect: Effect) -> DomainError:
    level = await session.get(StockLevel, want.place, populate_existing=True)
    name = await _name(session, want.variant_id)
    if effect.reserved < 0:
        return WrongState(f"Fewer than {want.quantity} of {name} are reserved.")
    if effect.gains:
        return LimitReached(f"A warehouse holds at most {STOCK_LIMIT:,} of {name}.", field=("quantity",))
    return OutOfStock(name, left=level.available if level else 0)


async def _name(session: AsyncSession, variant_id: int) -> str:
    row = await session.execute(
        select(Variant, Product.title)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id == variant_id)
    )
    variant, title = row.one()
    return f"{title} ({variant.name})" if variant.options else title


def _movement(want: Allocation, effect: Effect, cause: Cause) -> dict[str, Any]:
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


def _clerks_effect(kind: MovementKind, quantity: int) -> Effect:
    match kind:
        case MovementKind.RECEIVED if quantity > 0:
            return RECEIVE
        case MovementKind.DAMAGED if quantity > 0:
            return DAMAGE
        case MovementKind.CORRECTED if quantity:
            return ADD if quantity > 0 else REMOVE
        case MovementKind.RECEIVED | MovementKind.DAMAGED | MovementKind.CORRECTED:
            raise Invalid("Nothing would change: give a quantity above 0.", field=("quantity",))
    raise Invalid(f"{kind.value.capitalize()} stock follows from orders, not by hand.", field=("kind",))


def _reason(reason: str) -> str:
    said = reason.strip()
    if not 1 <= len(said) <= REASON_LIMIT:
        raise Invalid(f"Say why, in at most {REASON_LIMIT} characters.", field=("reason",))
    return said


async def _known(session: AsyncSession, variant_id: int, warehouse_ids: Sequence[int]) -> None:
    if await session.get(Variant, variant_id) is None:
        raise NotFound("variant", field=("variant_id",))
    for field, warehouse_id in zip(("warehouse_id", "to_warehouse_id"), warehouse_ids, strict=False):
        if await session.get(Warehouse, warehouse_id) is None:
            raise NotFound("warehouse", field=(field,))


async def _level(session: AsyncSession, variant_id: int, warehouse_id: int) -> StockLevel:
    return await session.get_one(StockLevel, (variant_id, warehouse_id), populate_existing=True)


async def _make_levels(session: AsyncSession, places: Iterable[Place]) -> None:
    rows = [
        {"variant_id": variant, "warehouse_id": warehouse, "on_hand": 0, "reserved": 0, "damaged": 0}
        for variant, warehouse in sorted(places)
    ]
    await session.execute(insert(session, StockLevel).on_conflict_do_nothing(), rows)


async def _lock(session: AsyncSession, places: Iterable[Place]) -> dict[Place, StockLevel]:
    """The levels of these places, in sorted order so that no two transactions wait for each other."""
    found: dict[Place, StockLevel] = {}
    for batch in batches(sorted(places)):
        rows = await session.scalars(
            select(StockLevel)
            .where(tuple_(StockLevel.variant_id, StockLevel.warehouse_id).in_(batch))
            .order_by(StockLevel.variant_id, StockLevel.warehouse_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found |= {(level.variant_id, level.warehouse_id): level for level in rows}
    return found
