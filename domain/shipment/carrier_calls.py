"""The record of calls to carriers: shown to staff, without secrets and people's data, and deleted in the end.

What is like the last call of the same kind about the same thing is counted in its row: a parcel that is
asked about every hour has one row, with what was answered last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    CarrierCall,
    CarrierCallKind,
    CarrierCallOutcome,
    CarrierCode,
    UnpackedParcel,
    Waybill,
)
from models.base import UtcDateTime
from models.sql.batches import in_batches
from models.sql.types import AnySelect

CALLS_KEPT = timedelta(days=90)
"""From when the last one alike was made."""

COUNTED = frozenset(
    {
        CarrierCallKind.QUOTE,
        CarrierCallKind.FIND_BOOKING,
        CarrierCallKind.SUBSCRIBE,
        CarrierCallKind.TRACK,
    }
)
"""What changes nothing when it comes again; of the others only those without an answer are counted."""
WITHOUT_ANSWER = frozenset({CarrierCallOutcome.NO_ANSWER, CarrierCallOutcome.NOT_REACHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCallSubject:
    """What a call is about: a waybill or a parcel."""

    order_id: int | None = None
    """None of a waybill whose parcels were all unpacked: it is found by them."""
    waybill_id: int | None = None
    shipment_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCarrierCall:
    """A call that was made, and what was said; its texts hold no secrets and no people any more."""

    subject: CarrierCallSubject
    carrier: CarrierCode
    kind: CarrierCallKind
    outcome: CarrierCallOutcome
    by: int | None
    ended_at: datetime
    milliseconds: int
    answer: str | None = None
    reason: str | None = None
    status_code: int | None = None
    body: str | None = None

    @property
    def key(self) -> tuple[CarrierCode, CarrierCallKind, int | None, int | None]:
        """What it was about, and what was asked."""
        return self.carrier, self.kind, self.subject.waybill_id, self.subject.shipment_id

    @property
    def is_counted(self) -> bool:
        return self.kind in COUNTED or self.outcome in WITHOUT_ANSWER


async def record_carrier_calls(session: AsyncSession, calls: Sequence[MadeCarrierCall]) -> None:
    """Record calls, in as many statements for many as for one."""
    last = await find_last_calls(session, [each for each in calls if each.is_counted])
    orders = await find_orders(session, calls)
    counted = []
    for call in calls:
        before = last.get(call.key) if call.is_counted else None
        if before is not None and (before.outcome, before.reason) == (call.outcome, call.reason):
            counted.append(
                {
                    "row_id": before.id,
                    "at": call.ended_at,
                    "longest": call.milliseconds,
                    "words": call.answer,
                    "kept": call.body,
                    "http": call.status_code,
                }
            )
        elif order_id := call.subject.order_id or orders.get(call.subject.waybill_id or 0):
            session.add(row_of(call, order_id))
    if counted:
        await (await session.connection()).execute(COUNT_AGAIN, counted)


COUNT_AGAIN = (
    update(CarrierCall)
    .where(CarrierCall.id == bindparam("row_id"))
    .values(
        times=CarrierCall.times + 1,
        last_called_at=bindparam("at", type_=UtcDateTime),
        milliseconds=case(
            (CarrierCall.milliseconds < bindparam("longest"), bindparam("longest")),
            else_=CarrierCall.milliseconds,
        ),
        answer=bindparam("words"),
        body=bindparam("kept"),
        status_code=bindparam("http"),
    )
)


def row_of(call: MadeCarrierCall, order_id: int) -> CarrierCall:
    return CarrierCall(
        order_id=order_id,
        waybill_id=call.subject.waybill_id,
        shipment_id=call.subject.shipment_id,
        carrier=call.carrier,
        kind=call.kind,
        outcome=call.outcome,
        status_code=call.status_code,
        answer=call.answer,
        reason=call.reason,
        body=call.body,
        actor_id=call.by,
        called_at=call.ended_at,
        last_called_at=call.ended_at,
        times=1,
        milliseconds=call.milliseconds,
    )


async def find_last_calls(
    session: AsyncSession, calls: Sequence[MadeCarrierCall]
) -> dict[tuple[CarrierCode, CarrierCallKind, int | None, int | None], CarrierCall]:
    """The last call of the same carrier and kind about the same thing, of those that have one."""
    waybills = {each.subject.waybill_id for each in calls} - {None}
    shipments = {each.subject.shipment_id for each in calls} - {None}
    if not calls:
        return {}
    newest = (
        select(func.max(CarrierCall.id))
        .where(CarrierCall.waybill_id.in_(waybills) | CarrierCall.shipment_id.in_(shipments))
        .group_by(CarrierCall.carrier, CarrierCall.kind, CarrierCall.waybill_id, CarrierCall.shipment_id)
    )
    found = await session.scalars(select(CarrierCall).where(CarrierCall.id.in_(newest)))
    return {(each.carrier, each.kind, each.waybill_id, each.shipment_id): each for each in found}


async def find_orders(session: AsyncSession, calls: Sequence[MadeCarrierCall]) -> dict[int, int]:
    """The orders of waybills whose parcels were unpacked, by the waybill."""
    waybills = {each.subject.waybill_id for each in calls if each.subject.order_id is None} - {None}
    if not waybills:
        return {}
    found = await session.execute(
        select(Waybill.id, UnpackedParcel.order_id)
        .join(UnpackedParcel, UnpackedParcel.id == Waybill.unpacked_id)
        .where(Waybill.id.in_(waybills))
    )
    return {row.id: row.order_id for row in found}


def select_old_calls(now: datetime) -> AnySelect:
    """Select the ids of calls that were last made CALLS_KEPT ago."""
    return select(CarrierCall.id).where(CarrierCall.last_called_at <= now - CALLS_KEPT)


async def delete_old_calls(session: AsyncSession, ids: Sequence[int], *, now: datetime) -> None:
    for batch in in_batches(list(ids)):
        await session.execute(
            delete(CarrierCall).where(
                CarrierCall.id.in_(batch), CarrierCall.last_called_at <= now - CALLS_KEPT
            )
        )
