"""Cash that couriers do not hand in in time."""

from domain.cause import Cause
from domain.payment import mark_cash_overdue, select_overdue_cash
from events.types import Resources, Timer


async def mark_run_overdue(resources: Resources, delivery_run_id: int) -> None:
    now = resources.clock()
    before = now - resources.settings.deadlines.cash_handed_in_within
    async with resources.database.writes.begin() as session:
        await mark_cash_overdue(session, delivery_run_id, before=before, cause=Cause(now))


OVERDUE_CASH = Timer(
    "cash.overdue",
    due=select_overdue_cash,
    act=mark_run_overdue,
    age=lambda settings: settings.deadlines.cash_handed_in_within,
)
