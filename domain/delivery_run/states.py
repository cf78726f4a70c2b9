"""The transitions of a delivery run, and how one is locked for a change."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from domain.state import transition_table
from models import DeliveryRun, DeliveryRunStatus, DeliveryRunStop

TRANSITIONS = transition_table(
    DeliveryRunStatus.DRAFT,
    {
        DeliveryRunStatus.DRAFT: {DeliveryRunStatus.PLANNED, DeliveryRunStatus.CANCELLED},
        DeliveryRunStatus.PLANNED: {DeliveryRunStatus.ACTIVE, DeliveryRunStatus.CANCELLED},
        DeliveryRunStatus.ACTIVE: {DeliveryRunStatus.COMPLETED},
        DeliveryRunStatus.COMPLETED: set(),
        DeliveryRunStatus.CANCELLED: set(),
    },
)


async def lock_delivery_run(
    session: AsyncSession, delivery_run_id: int, *, courier_id: int | None = None, field: str = "id"
) -> DeliveryRun:
    """A delivery run, locked until the transaction ends.

    Raises NotFound, about the argument `field`, also for a run of another courier than `courier_id`.
    """
    run = await session.get(DeliveryRun, delivery_run_id, with_for_update=True, populate_existing=True)
    if run is None or courier_id not in {None, run.courier_id}:
        raise NotFound("delivery run", field=(field,))
    return run


async def lock_delivery_run_of_stop(
    session: AsyncSession, stop_id: int, *, courier_id: int
) -> tuple[DeliveryRun, DeliveryRunStop]:
    """A stop and its locked run; NotFound when the run is another courier's."""
    delivery_run_id = await session.scalar(
        select(DeliveryRunStop.delivery_run_id)
        .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
        .where(DeliveryRunStop.id == stop_id, DeliveryRun.courier_id == courier_id)
    )
    if delivery_run_id is None:
        raise NotFound("delivery run stop", field=("id",))
    run = await lock_delivery_run(session, delivery_run_id)
    return run, await session.get_one(DeliveryRunStop, stop_id, populate_existing=True)
