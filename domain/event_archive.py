"""Moving the events of rows that are final out of the table that new events are written to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.aftersales.states import FINAL as FINAL_FOR_TICKETS
from domain.shipment.states import FINAL as FINAL_FOR_SHIPMENTS
from models import (
    ArchivedEvent,
    Cart,
    CartStatus,
    DeliveryRun,
    DeliveryRunStatus,
    Event,
    Order,
    OrderPromotionRules,
    OrderStatus,
    ReactionDone,
    Shipment,
    Subject,
    Ticket,
)
from models.sql.dialects import columns_of
from models.sql.types import AnyModel

SCAN_LIMIT = 1_000
"""Events looked at in one statement."""

MOVE_LIMIT = 1_000
"""Events moved in one transaction: more would be locked for long."""


@dataclass(frozen=True, slots=True)
class FinalStatuses:
    """The statuses of a model after which hardly anything happens to a row."""

    model: AnyModel
    statuses: Collection[str]


FINAL: Mapping[Subject, FinalStatuses] = {
    Subject.ORDER: FinalStatuses(
        Order, frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED})
    ),
    Subject.SHIPMENT: FinalStatuses(Shipment, FINAL_FOR_SHIPMENTS),
    Subject.TICKET: FinalStatuses(Ticket, FINAL_FOR_TICKETS),
    Subject.CART: FinalStatuses(Cart, frozenset({CartStatus.MERGED})),
    Subject.DELIVERY_RUN: FinalStatuses(
        DeliveryRun, frozenset({DeliveryRunStatus.COMPLETED, DeliveryRunStatus.CANCELLED})
    ),
}
"""THE TABLE of what is final. A row that was deleted is, too; a product never is.

A completed order may open again by a claim or a refund: its further events follow in `events`, and are
archived later.
"""


@dataclass(frozen=True, slots=True)
class ArchiveLimit:
    """Which events may move: those relayed at `relayed_by` or earlier whose id is at most `id`."""

    relayed_by: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Final rows with old events, by subject; `last_id` is where the next page begins, None at the end."""

    subject_ids: Mapping[Subject, Sequence[int]]
    last_id: int | None


async def find_old_events(session: AsyncSession, above: int, limit: ArchiveLimit) -> ArchivePage:
    """Which final rows have events within the limit, among the next SCAN_LIMIT events above an id."""
    events = (
        await session.execute(
            select(Event.id, Event.subject, Event.subject_id, Event.relayed_at, Event.occurred_at)
            .where(Event.id > above, Event.id <= limit.id)
            .order_by(Event.id)
            .limit(SCAN_LIMIT)
        )
    ).all()
    found: dict[Subject, set[int]] = {}
    for event in events:
        if event.subject in FINAL and event.relayed_at and event.relayed_at <= limit.relayed_by:
            found.setdefault(event.subject, set()).add(event.subject_id)
    # ids follow the time: where the last event is young, so are all that follow
    more = len(events) == SCAN_LIMIT and events[-1].occurred_at <= limit.relayed_by
    last_id = events[-1].id if more else None
    final = {subject: await find_final_rows(session, subject, ids) for subject, ids in found.items()}
    return ArchivePage(final, last_id)


async def archive_events(
    session: AsyncSession, subject: Subject, subject_ids: Collection[int], limit: ArchiveLimit
) -> int:
    """Move the events of those of these rows that are final and have no event beyond the limit.

    At most MOVE_LIMIT, the lowest versions of a row first; returns how many were moved. A second process that
    moves the same events waits for the first, and then finds them gone.
    """
    final_ids = await find_final_rows(session, subject, subject_ids)
    event_ids = await select_movable(session, subject, final_ids, limit) if final_ids else []
    if event_ids:
        columns = [column.name for column in columns_of(ArchivedEvent)]
        source = select(*(getattr(Event, name) for name in columns)).where(Event.id.in_(event_ids))
        for statement in (
            insert(ArchivedEvent).from_select(columns, source),
            delete(ReactionDone).where(ReactionDone.event_id.in_(event_ids)),
            delete(Event).where(Event.id.in_(event_ids)),
        ):
            await session.execute(statement.execution_options(synchronize_session=False))
    if event_ids and subject is Subject.ORDER:
        await delete_promotion_rules(session, final_ids)
    return len(event_ids)


async def delete_promotion_rules(session: AsyncSession, order_ids: Collection[int]) -> None:
    """Forget the rules that these final orders would be edited with: nothing of them is edited any more."""
    of_orders = delete(OrderPromotionRules).where(OrderPromotionRules.order_id.in_(order_ids))
    await session.execute(of_orders.execution_options(synchronize_session=False))


async def find_final_rows(
    session: AsyncSession, subject: Subject, subject_ids: Collection[int]
) -> Sequence[int]:
    """The ids of those that are final or deleted.

    They are not locked: an event that is recorded meanwhile has a higher version, and stays.
    """
    final = FINAL[subject]
    rows = await session.execute(
        select(final.model.id, final.model.status).where(final.model.id.in_(subject_ids))
    )
    unfinished = {id for id, status in rows if status not in final.statuses}
    return sorted(set(subject_ids) - unfinished)


async def select_movable(
    session: AsyncSession, subject: Subject, final_ids: Sequence[int], limit: ArchiveLimit
) -> Sequence[int]:
    """The ids of up to MOVE_LIMIT events of rows of which no event is beyond the limit, locked."""
    young = aliased(Event)
    beyond = or_(young.relayed_at.is_(None), young.relayed_at > limit.relayed_by, young.id > limit.id)
    ids = await session.scalars(
        select(Event.id)
        .where(Event.subject == subject, Event.subject_id.in_(final_ids))
        .where(~exists().where(young.subject == subject, young.subject_id == Event.subject_id, beyond))
        .order_by(Event.subject_id, Event.version)
        .limit(MOVE_LIMIT)
        .with_for_update()
    )
    return ids.all()
