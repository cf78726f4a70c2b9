"""How far the work beside requests is behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, exists, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from models import Event, IncomingPush
from models.sql.types import AnySelect

STEPS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 86_400))
"""A row that fell due so long ago or longer is looked for: a lag is told as the longest of these."""


@dataclass(frozen=True, slots=True)
class OutboxLag:
    """Events that are not relayed yet: how many, how many of them have failed, and when the oldest of the
    others was recorded.
    """

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class PushLag:
    """Pushes of carriers that are not folded yet: how many, how many of them have failed, and when the oldest
    of the others came.
    """

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lags:
    """What waits at one moment."""

    outbox: OutboxLag = OutboxLag()
    pushes: PushLag = PushLag()
    timers: Mapping[str, timedelta] = field(default_factory=dict)
    """By timer: no row has been due for longer than that, unless it is the longest of STEPS."""


async def load_outbox_lag(session: AsyncSession) -> OutboxLag:
    waiting, failed, oldest = (
        await session.execute(
            select(
                func.count(),
                func.count(case((Event.attempts > 0, 1))),
                func.min(case((Event.attempts == 0, Event.occurred_at))),
            ).where(Event.relayed_at.is_(None))
        )
    ).one()
    return OutboxLag(waiting, failed, oldest)


async def load_push_lag(session: AsyncSession) -> PushLag:
    """In one pass over a table that CARRIER_PUSHES_WAITING bounds."""
    waiting, failed, oldest = (
        await session.execute(
            select(
                func.count(),
                func.count(case((IncomingPush.attempts > 0, 1))),
                func.min(case((IncomingPush.attempts == 0, IncomingPush.received_at))),
            ).select_from(IncomingPush)
        )
    ).one()
    return PushLag(waiting, failed, oldest)


async def load_timer_lags(
    session: AsyncSession, due: Mapping[str, Sequence[AnySelect]]
) -> Mapping[str, timedelta]:
    """By timer, the longest of STEPS for which one of its statements, one for each step, finds a row."""
    if not due:
        return {}
    looks = [
        select(literal(name).label("name"), literal(place).label("place")).where(exists(statement))
        for name, statements in due.items()
        for place, statement in enumerate(statements)
    ]
    lags = dict.fromkeys(due, timedelta())
    for name, place in (await session.execute(union_all(*looks))).all():
        lags[name] = max(lags[name], STEPS[place])
    return lags
