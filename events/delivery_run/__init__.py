"""Delivery runs: drafts end, what is left of runs is planned anew, positions are forgotten."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    drop_parcels_of_order,
    end_draft,
    forget_positions,
    mark_stalled,
    select_ended_drafts,
    select_runs_to_replan,
    select_runs_with_old_positions,
    select_stalled_runs,
)
from domain.events import OrderCancelled
from events.delivery_run.replanning import replan_run
from events.types import Resources, Timer

ROUTING = "routing"
"""The queue of plans: solving takes seconds, and nothing else waits for it."""


async def end_overdue_draft(resources: Resources, delivery_run_id: int) -> None:
    """End a draft that no courier has taken in time: its parcels are free again."""
    async with resources.database.writes.begin() as session:
        await end_draft(session, delivery_run_id, cause=Cause(resources.clock()))
    resources.wake_relay()


async def tell_of_stalled_run(resources: Resources, delivery_run_id: int) -> None:
    """Tell the staff of a run that does not go on."""
    now = resources.clock()
    before = now - resources.settings.routing.run_stalls_after
    async with resources.database.writes.begin() as session:
        await mark_stalled(session, delivery_run_id, before=before, cause=Cause(now))
    resources.wake_relay()


async def forget_old_positions(resources: Resources, delivery_run_id: int) -> None:
    before = resources.clock() - resources.settings.routing.positions_kept
    async with resources.database.writes.begin() as session:
        await forget_positions(session, delivery_run_id, before=before)


async def drop_cancelled_parcels(session: AsyncSession, event: OrderCancelled, resources: Resources) -> None:
    """Take the parcels of a cancelled order off the runs that have not left."""
    await drop_parcels_of_order(session, event.order.id, cause=Cause(resources.clock()))


ENDED_DRAFTS = Timer("delivery_run.draft_ended", due=select_ended_drafts, act=end_overdue_draft)
STALLED_RUNS = Timer(
    "delivery_run.stalled",
    due=select_stalled_runs,
    act=tell_of_stalled_run,
    age=lambda settings: settings.routing.run_stalls_after,
)
OLD_POSITIONS = Timer(
    "courier_positions.old",
    due=select_runs_with_old_positions,
    act=forget_old_positions,
    age=lambda settings: settings.routing.positions_kept,
)
REPLANS = Timer("delivery_run.replan", due=select_runs_to_replan, act=replan_run, partner=ROUTING)
