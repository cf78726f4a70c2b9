"""How far the relay and the timers of a shop are behind, as one of its processes sees it."""

from collections.abc import Sequence

from events.types import Resources, Timer
from loaders.lags import STEPS, Lags, load_outbox_lag, load_push_lag, load_timer_lags


async def read_lags(resources: Resources, schedule: Sequence[Timer]) -> Lags:
    """Read them from the database, in three statements."""
    now, settings = resources.clock(), resources.settings
    due = {timer.name: [timer.due(now - timer.age(settings) - step) for step in STEPS] for timer in schedule}
    async with resources.database.reads() as session:
        return Lags(
            await load_outbox_lag(session),
            await load_push_lag(session),
            await load_timer_lags(session, due),
        )
