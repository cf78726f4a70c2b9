"""Pushes that are stored and not folded yet: each is folded once, in whatever process."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.due import UNCALLED
from models import Carrier, CarrierConnection, IncomingPush, Order, Shipment, Waybill, WaybillStatus
from models.sql.parameters import is_any_of

ATTEMPTS_LIMIT = 10
LONGEST_PAUSE = timedelta(minutes=10)
EARLY_PAUSE = timedelta(minutes=10)
"""How long a push about a parcel that has not left waits at a time; it is folded at once when it leaves."""
EARLY_KEPT = timedelta(days=3)
"""How long it waits in all: what is booked leaves or is given up."""


@dataclass(frozen=True, slots=True)
class NewPush:
    """A verified push about one parcel."""

    connection: CarrierConnection
    tracking_number: str
    content: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NumberedParcel:
    """A parcel that has a number at a connection, and what its carrier is called there."""

    parcel_id: int
    order_id: int | None
    """None of one that comes back, perhaps for several."""
    company_codes: frozenset[str | None]


ParcelNumber = tuple[CarrierConnection, str]


async def store_pushes(session: AsyncSession, pushes: Sequence[NewPush]) -> None:
    """Store pushes, to be folded afterwards."""
    rows = [
        {
            "connection": push.connection,
            "tracking_number": push.tracking_number,
            "content": push.content,
            "received_at": push.received_at,
            "due_at": push.received_at,
            "attempts": 0,
        }
        for push in pushes
    ]
    connection = await session.connection()  # the session would look for what the database has generated
    await connection.execute(insert(IncomingPush), rows)


async def count_incoming(session: AsyncSession, *, limit: int) -> int:
    """How many pushes wait to be folded, counted up to a limit."""
    some = select(IncomingPush.id).limit(limit).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def has_new_pushes(session: AsyncSession, *, now: datetime) -> bool:
    new = select(IncomingPush.id).where(IncomingPush.due_at <= now, IncomingPush.attempts == 0)
    return await session.scalar(new.limit(1)) is not None


async def find_failed_pushes(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[int]:
    """Pushes that could not be folded before and are tried again: by themselves, so that no other one waits
    for them."""
    failed = select(IncomingPush.id).where(IncomingPush.due_at <= now, IncomingPush.attempts > 0)
    return (await session.scalars(failed.order_by(IncomingPush.due_at).limit(limit))).all()


async def lock_new_pushes(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[IncomingPush]:
    """The oldest pushes that nobody has tried to fold and that no other process is folding, locked."""
    found = await session.scalars(
        select(IncomingPush)
        .where(IncomingPush.due_at <= now, IncomingPush.attempts == 0)
        .order_by(IncomingPush.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def lock_push(session: AsyncSession, push_id: int) -> IncomingPush | None:
    """A push that still waits, locked; None where it was folded, or is being folded."""
    found = select(IncomingPush).where(IncomingPush.id == push_id).with_for_update(skip_locked=True)
    return await session.scalar(found)


async def delete_pushes(session: AsyncSession, push_ids: Collection[int]) -> None:
    """Forget pushes that have been folded, in the transaction that has folded them."""
    if push_ids:
        await session.execute(delete(IncomingPush).where(is_any_of(session, IncomingPush.id, push_ids)))


async def postpone_push(session: AsyncSession, push: IncomingPush, *, now: datetime) -> None:
    """Let a push that could not be folded wait, longer each time."""
    attempts = push.attempts + 1
    pause = min(timedelta(seconds=2**attempts), LONGEST_PAUSE)
    await session.execute(
        update(IncomingPush).where(IncomingPush.id == push.id).values(attempts=attempts, due_at=now + pause)
    )


async def find_numbered(
    session: AsyncSession, numbers: Collection[ParcelNumber]
) -> dict[ParcelNumber, list[NumberedParcel]]:
    """The parcels with these numbers, the newest first of each number."""
    connections = {connection for connection, _ in numbers}
    carriers = await session.execute(
        select(Carrier.code, Carrier.connection, Carrier.company_code).where(
            Carrier.connection.in_(connections)
        )
    )
    known = {code: (connection, company_code) for code, connection, company_code in carriers}
    rows = await session.execute(
        select(
            Shipment.carrier, Shipment.tracking_number, Shipment.id, Shipment.order_id, Shipment.company_code
        )
        .where(
            Shipment.carrier.in_(known),
            is_any_of(session, Shipment.tracking_number, {number for _, number in numbers}),
        )
        .order_by(Shipment.id.desc())
    )
    found: dict[ParcelNumber, list[NumberedParcel]] = {}
    for carrier, number, shipment_id, order_id, own_code in rows:
        if carrier is None or number is None:
            continue  # never: both are among those that are looked for
        connection, company_code = known[carrier]
        parcel = NumberedParcel(shipment_id, order_id, frozenset({company_code, own_code}))
        found.setdefault((connection, number), []).append(parcel)
    return found


async def find_early_numbers(session: AsyncSession, numbers: Collection[ParcelNumber]) -> set[ParcelNumber]:
    """Those of these numbers that are of booked waybills whose parcels have not left yet."""
    connections = {connection for connection, _ in numbers}
    rows = await session.execute(
        select(Carrier.connection, Waybill.number)
        .join(Waybill, Waybill.carrier == Carrier.code)
        .join(Shipment, Shipment.id == Waybill.shipment_id)
        .where(Carrier.connection.in_(connections), Waybill.status == WaybillStatus.BOOKED)
        .where(is_any_of(session, Waybill.number, {number for _, number in numbers}))
        .where(Shipment.dispatched_at.is_(None))
    )
    return {(connection, number) for connection, number in rows if number is not None}


async def keep_early_pushes(session: AsyncSession, push_ids: Collection[int], *, now: datetime) -> None:
    """Let pushes wait until their parcels leave."""
    if push_ids:
        early = update(IncomingPush).where(is_any_of(session, IncomingPush.id, push_ids))
        await session.execute(early.values(due_at=now + EARLY_PAUSE))


async def wake_early_pushes(
    session: AsyncSession, carrier: Carrier, tracking_number: str, *, now: datetime
) -> None:
    """A parcel leaves: what its carrier has pushed of it before is folded now, where carriers push at all."""
    if carrier.connection in UNCALLED:
        return
    await session.execute(
        update(IncomingPush)
        .where(IncomingPush.connection == carrier.connection)
        .where(IncomingPush.tracking_number == tracking_number, IncomingPush.due_at > now)
        .values(due_at=now)
    )


async def lock_free_parcels(
    session: AsyncSession, parcels: Collection[NumberedParcel]
) -> dict[int, Shipment]:
    """Those of these parcels that nobody else is changing, with their orders, locked: by their ids."""
    order_ids = {parcel.order_id for parcel in parcels if parcel.order_id is not None}
    free = await session.scalars(
        select(Order.id)
        .where(is_any_of(session, Order.id, order_ids))
        .order_by(Order.id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    locked = set(free)
    ids = [parcel.parcel_id for parcel in parcels if parcel.order_id in locked]
    shipments = await session.scalars(
        select(Shipment)
        .where(is_any_of(session, Shipment.id, ids))
        .order_by(Shipment.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return {shipment.id: shipment for shipment in shipments}


async def lock_parcels(session: AsyncSession, shipment_ids: Collection[int]) -> Sequence[Shipment]:
    """These parcels, locked until the transaction ends, after their orders."""
    order_ids = select(Shipment.order_id).where(Shipment.id.in_(shipment_ids))
    await session.execute(
        select(Order.id).where(Order.id.in_(order_ids)).order_by(Order.id).with_for_update(key_share=True)
    )
    found = await session.scalars(
        select(Shipment)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()
