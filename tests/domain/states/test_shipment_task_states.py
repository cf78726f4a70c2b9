"""What may happen to a task of a late or silent parcel in each of its states."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.shipment.tasks import open_tasks, resolve_task
from events.shop import Shop
from models import Shipment, ShipmentStatus, ShipmentTask, ShipmentTaskKind
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.account import create_account
from tests.factories.shipment import NOW, RECEIPT_AFTER, create_shipment, track, tracking_fact

TITLE = "Tasks of late and silent parcels"
DAY, WEEKS = timedelta(days=1), timedelta(days=40)
LATER = Cause(NOW + WEEKS)
ENDED = "ENDED"
S = ShipmentStatus


async def task_in_state(session: AsyncSession, state: str) -> ShipmentTask:
    clerk = await create_account(session)
    shipment = await create_shipment(session)
    kind = ShipmentTaskKind.SILENT if state == ENDED else ShipmentTaskKind(state)
    if kind is ShipmentTaskKind.SIGNED_AFTER_END:
        await track(session, shipment, tracking_fact(S.EXPIRED))
        await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
        await track(session, shipment, tracking_fact(S.DELIVERED, after=DAY), now=NOW + DAY)
    await open_tasks(session, kind, [shipment.id], cause=LATER)
    task = (await session.scalars(select(ShipmentTask))).one()
    if state == ENDED:
        await resolve_task(session, task.id, note="Found.", cause=Cause(LATER.now, clerk.id))
    return task


def report(status: ShipmentStatus) -> Command:
    async def follow(session: AsyncSession, task: ShipmentTask) -> None:
        shipment = await session.get_one(Shipment, task.shipment_id)
        await track(session, shipment, tracking_fact(status, after=WEEKS), now=LATER.now)

    return follow


def resolve_with(note: str) -> Command:
    async def resolve(session: AsyncSession, task: ShipmentTask) -> None:
        await resolve_task(session, task.id, note=note, cause=LATER)

    return resolve


async def look_again(session: AsyncSession, task: ShipmentTask) -> None:
    assert await open_tasks(session, task.kind, [task.shipment_id], cause=LATER) == 0


COMMANDS: Mapping[str, Command] = {
    "the carrier reports the next step": report(S.IN_TRANSIT),
    "the parcel arrives": report(S.DELIVERED),
    "the parcel turns back": report(S.RETURNING),
    "the parcel is lost": report(S.EXPIRED),
    "the moment is looked at again": look_again,
    "staff end it with a note": resolve_with("Found."),
    "staff end it without a note": resolve_with(" "),
}


@pytest.mark.parametrize("state", documented_outcomes(TITLE))
async def test_what_may_happen_to_a_task(shop: Shop, state: str) -> None:
    await check_outcomes(shop, TITLE, state, task_in_state, COMMANDS)


def test_every_kind_of_task_is_in_the_table() -> None:
    assert set(documented_outcomes(TITLE)) == {*map(str, ShipmentTaskKind), ENDED}
