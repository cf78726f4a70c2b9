"""Waybills: each is asked for once, its outcome is recorded, and one that nobody needs is cancelled.

The carrier is called between these commands, when no transaction is open.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from domain.shipment.shares import NOT_CARRIED, count_turn, uncount_choice
from domain.state import move, transition_table
from domain.visible_text import visible_text
from models import (
    CarrierCode,
    LabelFormat,
    Shipment,
    Waybill,
    WaybillStatus,
)
from models.sql.types import AnySelect

W = WaybillStatus
WAYBILL_TRANSITIONS = transition_table(
    W.REQUESTED,
    {
        W.REQUESTED: {W.BOOKED, W.REFUSED, W.CANCELLING},
        W.BOOKED: {W.CANCELLING},
        W.CANCELLING: {W.CANCELLED, W.CANCEL_REFUSED},
        W.REFUSED: set(),
        W.CANCELLED: set(),
        W.CANCEL_REFUSED: set(),
    },
)
LIVE = frozenset({W.REQUESTED, W.BOOKED})
"""A parcel has at most one of these with each carrier, and one that is booked."""

REASON_LIMIT = 300
SETTLEMENT_LIMIT = 500
OTHERS_HAVE_LEFT = "Other parcels have left on this waybill."
ANSWER_EXPECTED_WITHIN = timedelta(minutes=1)
"""Until then whoever asked for a waybill waits for the answer; then the carrier is asked for it."""
UNKNOWN_AFTER = timedelta(minutes=10)
"""A carrier that knows nothing of a booking so long after it was asked for has not booked it."""
ANSWERED_WITHIN = timedelta(days=1)
"""A carrier that has not said by then what became of a waybill is not called again: somebody asks."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)
"""Between two calls about a waybill to a carrier that does not answer; each is twice as long as the last."""


@dataclass(frozen=True, slots=True)
class BookedFacts:
    """What a carrier gave for a booking."""

    number: str
    children: Sequence[str] = ()
    label_format: LabelFormat | None = None
    label_kind: str | None = None
    label: bytes | None = None
    estimated_at: datetime | None = None


async def lock_live_waybills(session: AsyncSession, shipment_ids: Collection[int]) -> list[Waybill]:
    """The waybills that parcels have or may have: the booked ones first, then the newest."""
    found = await session.scalars(
        select(Waybill)
        .where(Waybill.shipment_id.in_(shipment_ids), Waybill.status.in_(LIVE))
        .order_by(Waybill.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return sorted(found, key=lambda each: (each.status is not W.BOOKED, -each.id))


async def claim_waybill_call(
    session: AsyncSession, waybill_id: int, *, now: datetime, next_at: datetime
) -> bool:
    """Whether it is this caller's turn to call a carrier about a waybill; then nobody's until `next_at`."""
    claimed = await session.scalar(
        update(Waybill)
        .where(Waybill.id == waybill_id, Waybill.call_at <= now)
        .values(call_at=next_at, asked_at=now)
        .returning(Waybill.id)
    )
    return claimed is not None


async def record_booked(
    session: AsyncSession, waybill_id: int, facts: BookedFacts, *, now: datetime
) -> Waybill:
    """The carrier has booked it; one that was given up meanwhile is cancelled next. What its parcels have
    with other carriers, or with other parcels, is given up now.

    The parcels that go along on it have its children as their numbers; where there are too few, it is
    cancelled, too.
    """
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status not in {W.REQUESTED, W.CANCELLING}:
        return waybill
    along = await lock_children(session, waybill)
    waybill.asked_at = None
    waybill.number, waybill.children = facts.number, list(facts.children)
    waybill.label_format, waybill.label = facts.label_format, facts.label
    waybill.label_kind = facts.label_kind
    waybill.estimated_at, waybill.booked_at, waybill.reason = facts.estimated_at, now, None
    if waybill.status is W.CANCELLING:
        waybill.call_at = now
        await count_turn(session, waybill)
        return waybill
    if len(facts.children) < len(along):
        waybill.reason = f"Only {1 + len(facts.children)} of {1 + len(along)} parcels have a number."
        await give_up(session, waybill, now=now)
        await count_turn(session, waybill)
        return waybill
    await give_up_others(session, [waybill, *along], now=now)
    move(waybill, W.BOOKED, WAYBILL_TRANSITIONS)
    waybill.call_at = None
    for child, number in zip(along, facts.children, strict=False):
        child.number, child.booked_at, child.estimated_at = number, now, facts.estimated_at
        move(child, W.BOOKED, WAYBILL_TRANSITIONS)
    await count_turn(session, waybill)
    return waybill


async def record_not_booked(session: AsyncSession, waybill_id: int, reason: str, *, now: datetime) -> Waybill:
    """The carrier has refused it, or was not reached, or does not know it."""
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status in {W.REQUESTED, W.CANCELLING}:
        status = W.REFUSED if waybill.status is W.REQUESTED else W.CANCELLED
        await end_with_children(session, waybill, status, reason, now=now)
    return waybill


async def record_cancelled(session: AsyncSession, waybill_id: int, *, now: datetime) -> None:
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status is W.CANCELLING:
        await end_with_children(session, waybill, W.CANCELLED, waybill.reason, now=now)


async def record_cancel_refused(
    session: AsyncSession, waybill_id: int, reason: str, *, now: datetime
) -> None:
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status is W.CANCELLING:
        await end_with_children(session, waybill, W.CANCEL_REFUSED, reason, now=now)


async def record_no_answer(session: AsyncSession, waybill_id: int, reason: str, *, now: datetime) -> Waybill:
    """The carrier has not answered: it is called again, ever more rarely, and after ANSWERED_WITHIN not any
    more: what became of the waybill is for people to find out.
    """
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status in {W.REQUESTED, W.CANCELLING}:
        waybill.calls += 1
        if is_silent_too_long(waybill, now):
            await leave_to_people(session, waybill, reason, now=now)
        else:
            wait_for_next_call(waybill, reason, now=now)
    return waybill


async def record_not_known(session: AsyncSession, waybill_id: int, reason: str, *, now: datetime) -> Waybill:
    """The carrier refuses to say what became of a booking: after UNKNOWN_AFTER, that is for people to find
    out, since it may have booked it."""
    await lock_parcels_on(session, waybill_id)
    waybill = await lock_waybill(session, waybill_id)
    if waybill.status in {W.REQUESTED, W.CANCELLING}:
        waybill.calls += 1
        if now - waybill.requested_at >= UNKNOWN_AFTER:
            await leave_to_people(session, waybill, reason, now=now)
        else:
            wait_for_next_call(waybill, reason, now=now)
    return waybill


def wait_for_next_call(waybill: Waybill, reason: str, *, now: datetime) -> None:
    waybill.asked_at = None
    waybill.reason = reason[:REASON_LIMIT]
    waybill.call_at = now + pause_after(waybill.calls)


def pause_after(calls: int) -> timedelta:
    """How long a carrier is left alone after so many calls that it did not answer."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(calls - 1, 10), LONGEST_PAUSE)
    return pause


def is_silent_too_long(waybill: Waybill, now: datetime) -> bool:
    """Whether a carrier has had its time to answer: since it was asked for the waybill, or, where it has
    given a number, since it was to cancel that."""
    if waybill.number is None:
        return now - waybill.requested_at >= ANSWERED_WITHIN
    waited = sum((pause_after(calls) for calls in range(1, waybill.calls)), timedelta())
    return waited >= ANSWERED_WITHIN


async def leave_to_people(session: AsyncSession, waybill: Waybill, reason: str, *, now: datetime) -> None:
    """Nobody knows whether the carrier has booked, or cancelled, a waybill: somebody has to settle it."""
    for each in [waybill, *await lock_children(session, waybill)]:
        if each.status is W.REQUESTED:
            move(each, W.CANCELLING, WAYBILL_TRANSITIONS)
    await end_with_children(session, waybill, W.CANCEL_REFUSED, reason, now=now)


async def lock_parcels_on(session: AsyncSession, waybill_id: int) -> None:
    """Lock the parcels on a waybill before it, as whoever opens or uses one does: of two waybills of a parcel
    that are booked at once, one waits for the other."""
    on_it = or_(Waybill.id == waybill_id, Waybill.mother_id == waybill_id)
    parcels = select(Waybill.shipment_id).where(on_it, Waybill.shipment_id.is_not(None))
    locked = select(Shipment.id).where(Shipment.id.in_(parcels)).order_by(Shipment.id)
    await session.execute(locked.with_for_update())


async def lock_waybill(session: AsyncSession, waybill_id: int) -> Waybill:
    return await session.get_one(Waybill, waybill_id, with_for_update=True, populate_existing=True)


async def lock_children(session: AsyncSession, waybill: Waybill) -> Sequence[Waybill]:
    """The waybills of the parcels that go along on this one, in the order of its children."""
    found = await session.scalars(
        select(Waybill).where(Waybill.mother_id == waybill.id).order_by(Waybill.id).with_for_update()
    )
    return found.all()


async def lock_family(session: AsyncSession, waybill: Waybill) -> list[Waybill]:
    """A mother and her children, whichever of them is given."""
    mother = waybill if waybill.mother_id is None else await lock_waybill(session, waybill.mother_id)
    return [mother, *await lock_children(session, mother)]


async def end_with_children(
    session: AsyncSession, waybill: Waybill, status: WaybillStatus, reason: str | None, *, now: datetime
) -> None:
    """End a waybill, and with it those of the parcels that go along."""
    for each in [waybill, *await lock_children(session, waybill)]:
        if status in WAYBILL_TRANSITIONS[each.status]:
            end_waybill(each, status, reason, now=now)
    if status in NOT_CARRIED:
        await uncount_choice(session, waybill)


def end_waybill(waybill: Waybill, status: WaybillStatus, reason: str | None, *, now: datetime) -> None:
    move(waybill, status, WAYBILL_TRANSITIONS)
    waybill.reason = reason[:REASON_LIMIT] if reason else None
    waybill.ended_at, waybill.call_at, waybill.asked_at = now, None, None


async def give_up(session: AsyncSession, waybill: Waybill, *, now: datetime) -> None:
    """Nobody needs a live waybill any more: its carrier is to cancel it.

    It is cancelled with all parcels that go on it. Where one of them has left, it cannot be, and only this
    one ends: somebody has to tell the carrier. While the carrier is being asked for it, its answer comes
    first.
    """
    family = await lock_family(session, waybill)
    if await has_left(session, family):
        move(waybill, W.CANCELLING, WAYBILL_TRANSITIONS)
        end_waybill(waybill, W.CANCEL_REFUSED, OTHERS_HAVE_LEFT, now=now)
        return
    for each in family:
        if each.status in LIVE:
            move(each, W.CANCELLING, WAYBILL_TRANSITIONS)
    asked_at = family[0].asked_at
    family[0].call_at, family[0].calls = asked_at + ANSWER_EXPECTED_WITHIN if asked_at else now, 0


async def give_up_others(session: AsyncSession, family: Sequence[Waybill], *, now: datetime) -> None:
    """Give up what the parcels of these waybills had before; what was asked for later is wanted more."""
    mother = family[0]
    parcels = [each.shipment_id for each in family if each.shipment_id is not None]
    for other in await lock_live_waybills(session, parcels):
        if other.id < mother.id and other.status in LIVE:  # not given up with another one
            await give_up(session, other, now=now)
    await session.flush()  # a parcel has one that is booked at each moment


async def has_left(session: AsyncSession, waybills: Sequence[Waybill]) -> bool:
    """Whether a parcel has left with the number of one of these waybills."""
    used = (
        select(Waybill.id)
        .join(Shipment, Shipment.id == Waybill.shipment_id)
        .where(Waybill.id.in_([each.id for each in waybills]))
        .where(Shipment.dispatched_at.is_not(None), Shipment.carrier == Waybill.carrier)
        .where(Shipment.tracking_number == Waybill.number)
    )
    return await session.scalar(used.limit(1)) is not None


async def use_waybill(
    session: AsyncSession, shipment: Shipment, carrier: CarrierCode, number: str, *, now: datetime
) -> Waybill | None:
    """The waybill with whose number a locked parcel leaves, None for another number: any other one that it
    has is cancelled.

    WrongState where the number is of a waybill that has been cancelled.
    """
    waybills = await session.scalars(
        select(Waybill).where(Waybill.shipment_id == shipment.id).order_by(Waybill.id).with_for_update()
    )
    used = None
    for waybill in waybills:
        is_used = (waybill.carrier, waybill.number) == (carrier, number)
        if is_used and waybill.status is not W.BOOKED:
            raise WrongState("This waybill is cancelled.", field=("tracking_number",))
        if not is_used and waybill.status in LIVE:
            await give_up(session, waybill, now=now)
        used = waybill if is_used else used
    return used


async def release_waybills(session: AsyncSession, shipment: Shipment, *, now: datetime) -> None:
    """A locked parcel is unpacked: its waybills are cancelled, and stay without it."""
    for waybill in await session.scalars(
        select(Waybill).where(Waybill.shipment_id == shipment.id).order_by(Waybill.id).with_for_update()
    ):
        if waybill.status in LIVE:
            await give_up(session, waybill, now=now)
        waybill.shipment_id, waybill.unpacked_id, waybill.label = None, shipment.id, None
    await session.flush()


async def cancel_waybills_of_order(session: AsyncSession, order_id: int, *, now: datetime) -> None:
    """An order was cancelled: the waybills of its parcels that have not left are cancelled."""
    packed = select(Shipment.id).where(Shipment.order_id == order_id, Shipment.dispatched_at.is_(None))
    parcels = (await session.scalars(packed.order_by(Shipment.id).with_for_update())).all()
    for waybill in await lock_live_waybills(session, parcels):
        if waybill.status in LIVE:  # not given up with another one
            await give_up(session, waybill, now=now)


async def settle_waybill(session: AsyncSession, waybill_id: int, *, note: str, cause: Cause) -> Waybill:
    """Note what was settled with a carrier that does not cancel a waybill: nobody has to look any more."""
    text = visible_text(note)
    if not 1 <= len(text) <= SETTLEMENT_LIMIT:
        raise Invalid(
            "Say what you found, in at most {limit} characters.", limit=SETTLEMENT_LIMIT, field=("note",)
        )
    waybill = await session.get(Waybill, waybill_id, with_for_update=True, populate_existing=True)
    if waybill is None or waybill.status is not W.CANCEL_REFUSED:
        raise NotFound("waybill task", field=("id",))
    if waybill.settled_at is not None:
        raise WrongState("This task has ended already.", field=("id",))
    waybill.settled_at, waybill.settled_by_id, waybill.settlement = cause.now, cause.by, text
    return waybill


def due_waybill_calls(carrier: CarrierCode, now: datetime) -> AnySelect:
    """Select the ids of waybills about which a carrier is to be called, the longest due first."""
    return (
        select(Waybill.id).where(Waybill.carrier == carrier, Waybill.call_at <= now).order_by(Waybill.call_at)
    )
