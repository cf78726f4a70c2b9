"""Counting tries of passwords and codes by account and address, with a growing delay and then a lock."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached
from models import SignInFailures
from models.sql.upsert import upsert_into

FREE_ATTEMPTS = 4
"""Tries in a row after which the next one need not wait."""
LOCKED_FROM = 10
"""From so many tries in a row on, the pair of login and address is locked for LOCK."""
LOCK = timedelta(minutes=15)
"""How long a lock lasts; after so long without a try they are counted anew."""
SWEEP_LIMIT = 100
"""Forgotten counts that one success deletes."""


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many tries in a row: nothing, then 2, 4, 8, 16, 32 seconds, then LOCK."""
    if attempts <= FREE_ATTEMPTS:
        return timedelta()
    return LOCK if attempts >= LOCKED_FROM else timedelta(seconds=2 ** (attempts - FREE_ATTEMPTS))


async def count_attempt(
    session: AsyncSession, login: str, address: str, *, now: datetime, field: str = "login"
) -> None:
    """Count a try as failed until `clear_attempts`; LimitReached when the pair must still wait.

    Commit it before the password is checked: counting first means that a hundred tries at the same moment
    are counted as a hundred, not as one.
    """
    over = SignInFailures.tried_at <= now - LOCK
    attempts = case((over, 1), else_=SignInFailures.attempts + 1)
    blocked_until = case(
        *((attempts == number, now + delay_after(number)) for number in range(1, LOCKED_FROM)),
        else_=now + LOCK,
    )
    counted = await session.scalar(
        upsert_into(session, SignInFailures)
        .values(login=login, address=address, attempts=1, tried_at=now, blocked_until=now)
        .on_conflict_do_update(
            index_elements=[SignInFailures.login, SignInFailures.address],
            set_={"attempts": attempts, "tried_at": now, "blocked_until": blocked_until},
            where=SignInFailures.blocked_until <= now,
        )
        .returning(SignInFailures.attempts)
    )
    if counted is None:
        until = await session.scalar(
            select(SignInFailures.blocked_until).where(
                SignInFailures.login == login, SignInFailures.address == address
            )
        )
        seconds = max((until - now).total_seconds(), 0) if until else 0
        raise LimitReached(
            "Too many tries. Wait a while, then try again.", field=(field,), retry_after_seconds=seconds
        )


async def clear_attempts(session: AsyncSession, login: str, address: str, *, now: datetime) -> None:
    """Forget the tries of a pair after a success, and some of those that count no more."""
    pair = (SignInFailures.login == login) & (SignInFailures.address == address)
    await session.execute(delete(SignInFailures).where(pair))
    over_pairs = (
        select(SignInFailures.login, SignInFailures.address)
        .where(SignInFailures.tried_at <= now - LOCK)
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    )
    both = tuple_(SignInFailures.login, SignInFailures.address)
    await session.execute(delete(SignInFailures).where(both.in_(over_pairs)))
