"""Late and silent parcels are tasks of the staff: one for each reason, until it is over."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.errors import DomainError, Invalid, WrongState
from domain.shipment.tasks import NOTE_LIMIT, open_tasks, resolve_task, select_due_tasks
from events.shipment.tasks import OVERDUE_SHIPMENTS
from events.shop import Shop
from models import Event, Shipment, ShipmentStatus, ShipmentTask, ShipmentTaskKind
from tests.factories.account import create_account
from tests.factories.shipment import NOW, RECEIPT_AFTER, create_shipment, track, tracking_fact
from tests.observe import count_statements

HOUR = timedelta(hours=1)
WEEKS = timedelta(days=40)
LATE, SILENT = ShipmentTaskKind.LATE, ShipmentTaskKind.SILENT
S = ShipmentStatus


async def open_all(session: AsyncSession, after: timedelta = WEEKS) -> list[int]:
    """How many tasks of each kind are opened at a moment."""
    opened = []
    for kind in (LATE, SILENT):
        due = (await session.scalars(select_due_tasks(kind, NOW + after))).all()
        opened.append(await open_tasks(session, kind, due, cause=Cause(NOW + after)))
    return opened


async def open_kinds(session: AsyncSession) -> list[ShipmentTaskKind]:
    """The kinds of the open tasks."""
    found = select(ShipmentTask.kind).where(ShipmentTask.ended_at.is_(None)).order_by(ShipmentTask.id)
    return list(await session.scalars(found))


async def the_task(session: AsyncSession, kind: ShipmentTaskKind) -> ShipmentTask:
    found = select(ShipmentTask).where(ShipmentTask.kind == kind, ShipmentTask.ended_at.is_(None))
    return (await session.scalars(found.execution_options(populate_existing=True))).one()


async def test_a_parcel_is_a_task_when_it_is_late_and_when_it_is_silent_and_not_before(
    session: AsyncSession,
) -> None:
    shipment = await create_shipment(session)
    assert shipment.silent_at
    assert shipment.late_at
    assert shipment.silent_at < shipment.late_at
    second = timedelta(seconds=1)

    steps = [
        await open_all(session, moment - NOW)
        for moment in (
            shipment.silent_at - second,
            shipment.silent_at,
            shipment.late_at - second,
            shipment.late_at,
            shipment.late_at + WEEKS,
        )
    ]

    assert steps == [[0, 0], [0, 1], [0, 0], [1, 0], [0, 0]]
    late = await the_task(session, LATE)
    assert (late.shipment_id, late.due_at, late.note) == (shipment.id, shipment.late_at, None)
    events = await session.scalars(select(Event).where(Event.name == "shipment.overdue").order_by(Event.id))
    assert [event.payload["kind"] for event in events] == ["SILENT", "LATE"]


async def test_a_silent_parcel_that_moves_is_no_task_any_more_and_is_one_again_when_it_falls_silent_again(
    session: AsyncSession,
) -> None:
    shipment = await create_shipment(session)
    await open_all(session)

    await track(session, shipment, tracking_fact(S.IN_TRANSIT, after=WEEKS), now=NOW + WEEKS + HOUR)
    moved = await open_kinds(session)
    again = await open_all(session, 3 * WEEKS)

    assert moved == [LATE]
    assert again == [0, 1]
    assert await open_kinds(session) == [LATE, SILENT]
    ended = await session.scalar(select(ShipmentTask).where(ShipmentTask.ended_at.is_not(None)))
    assert ended
    assert (ended.ended_at, ended.resolved_by_id) == (NOW + WEEKS + HOUR, None)


@pytest.mark.parametrize("status", [S.DELIVERED, S.RETURNING, S.RETURNED, S.EXPIRED])
async def test_nothing_is_late_that_has_arrived_or_does_not_come(
    session: AsyncSession, status: ShipmentStatus
) -> None:
    shipment = await create_shipment(session)
    await open_all(session)
    assert await open_kinds(session) == [LATE, SILENT]

    await track(session, shipment, tracking_fact(status, after=WEEKS), now=NOW + WEEKS)

    assert await open_kinds(session) == []
    assert await open_all(session, 2 * WEEKS) == [0, 0]


async def test_a_lost_parcel_that_is_ended_has_no_open_task(session: AsyncSession) -> None:
    shipment = await create_shipment(session)
    await track(session, shipment, tracking_fact(S.EXPIRED, after=HOUR), now=NOW + HOUR)
    shipment.late_at = NOW + 2 * HOUR  # as if an older version had left it
    await session.flush()
    assert await open_all(session) == [1, 0]

    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW + 2 * WEEKS))

    assert await open_kinds(session) == []


async def test_staff_resolve_a_task_once_with_a_note_and_it_does_not_come_again(
    session: AsyncSession,
) -> None:
    clerk = await create_account(session)
    await create_shipment(session)
    await open_all(session)
    task = await the_task(session, LATE)
    cause = Cause(NOW + WEEKS, clerk.id)
    for note in ("", "  ", "x" * (NOTE_LIMIT + 1)):
        with pytest.raises(Invalid):
            await resolve_task(session, task.id, note=note, cause=cause)
    assert await open_kinds(session) == [LATE, SILENT]

    await resolve_task(session, task.id, note=" The lorry broke down. ", cause=cause)

    assert (task.note, task.resolved_by_id, task.ended_at) == ("The lorry broke down.", clerk.id, cause.now)
    assert await open_kinds(session) == [SILENT]
    assert await open_all(session, 2 * WEEKS) == [0, 0]
    with pytest.raises(WrongState):
        await resolve_task(session, task.id, note="Again.", cause=cause)
    assert task.note == "The lorry broke down."
    with pytest.raises(DomainError):
        await resolve_task(session, task.id + 100, note="Nothing.", cause=cause)


async def test_two_workers_open_one_task_of_each_kind_for_each_parcel(
    shop: Shop, session: AsyncSession
) -> None:
    many = 12
    ids = [(await create_shipment(session)).id for _ in range(many)]
    past = shop.clock() - HOUR
    for shipment in await session.scalars(select(Shipment)):
        shipment.late_at = shipment.silent_at = past
    await session.commit()

    for timer in OVERDUE_SHIPMENTS:
        assert timer.act_on_group
        await asyncio.gather(*(timer.act_on_group(shop, ids) for _ in range(4)))
        await timer.act(shop, ids[0])

    tasks = (await session.scalars(select(ShipmentTask))).all()
    events = (await session.scalars(select(Event).where(Event.name == "shipment.overdue"))).all()
    assert len(tasks) == len({(task.shipment_id, task.kind) for task in tasks}) == 2 * many
    assert len(events) == 2 * many


async def test_many_tasks_take_as_many_statements_as_few(shop: Shop, session: AsyncSession) -> None:
    ids = [(await create_shipment(session)).id for _ in range(9)]
    for shipment in await session.scalars(select(Shipment)):
        shipment.late_at = shop.clock() - HOUR
    await session.commit()
    late = OVERDUE_SHIPMENTS[0]
    assert late.act_on_group

    counts = []
    for group in (ids[:2], ids[2:]):
        with count_statements(shop) as statements:
            assert await late.act_on_group(shop, group) == len(group)
        counts.append(statements.total)

    assert counts == [counts[0]] * 2
    assert counts[0] <= 5


async def test_a_parcel_that_arrives_after_it_was_ended_is_a_task_until_it_comes_back(
    session: AsyncSession,
) -> None:
    signed = ShipmentTaskKind.SIGNED_AFTER_END
    shipment = await create_shipment(session)
    await track(session, shipment, tracking_fact(S.EXPIRED, after=HOUR), now=NOW + HOUR)
    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW + HOUR))

    await track(session, shipment, tracking_fact(S.DELIVERED, after=2 * HOUR), now=NOW + 3 * HOUR)
    await track(session, shipment, tracking_fact(S.IN_TRANSIT, after=HOUR), now=NOW + 4 * HOUR)
    due = (await session.scalars(select_due_tasks(signed, NOW + 4 * HOUR))).all()
    opened = await open_tasks(session, signed, due, cause=Cause(NOW + 4 * HOUR))

    assert (opened, await open_kinds(session), shipment.status) == (1, [signed], S.EXPIRED)
    assert shipment.signed_after_end_at == NOW + 3 * HOUR
    await track(session, shipment, tracking_fact(S.RETURNED, after=WEEKS), now=NOW + WEEKS)
    assert (await open_kinds(session), shipment.status) == ([], S.RETURNED)
