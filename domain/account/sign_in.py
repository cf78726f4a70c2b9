"""Signing in with a password."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.account.refusals import WrongCredentials
from domain.errors import LimitReached
from models import Account, SignInAttempts
from models.sql.upsert import upsert_into

ATTEMPTS_LIMIT = 10
"""Sign-ins with one e-mail address or phone number within ATTEMPTS_WINDOW; a success resets the count."""
ATTEMPTS_WINDOW = timedelta(minutes=15)
ATTEMPTS_SWEEP_LIMIT = 100
"""Expired counters that one successful sign-in deletes."""


async def begin_sign_in(session: AsyncSession, login: str, *, now: datetime) -> Account | None:
    """Count a sign-in and find its account, if any; LimitReached after ATTEMPTS_LIMIT.

    Commit it before the password is checked: counting first means that a hundred tries at the same moment
    are counted as a hundred, not as one.
    """
    window_over = SignInAttempts.first_at <= now - ATTEMPTS_WINDOW
    attempts = await session.scalar(
        upsert_into(session, SignInAttempts)
        .values(login=login, attempts=1, first_at=now)
        .on_conflict_do_update(
            index_elements=[SignInAttempts.login],
            set_={
                "attempts": case((window_over, 1), else_=SignInAttempts.attempts + 1),
                "first_at": case((window_over, now), else_=SignInAttempts.first_at),
            },
        )
        .returning(SignInAttempts.attempts)
    )
    if attempts > ATTEMPTS_LIMIT:
        minutes = int(ATTEMPTS_WINDOW.total_seconds() // 60)
        raise LimitReached(f"Too many tries. Wait {minutes} minutes, then try again.", field=("login",))
    return await session.scalar(select(Account).where(or_(Account.email == login, Account.phone == login)))


async def complete_sign_in(session: AsyncSession, account_id: int, login: str, *, now: datetime) -> Account:
    """Reset the count after a correct password; the account, locked. WrongCredentials when it is disabled."""
    account = await lock_account(session, account_id)
    if account.disabled_at:
        raise WrongCredentials
    await session.execute(delete(SignInAttempts).where(SignInAttempts.login == login))
    expired = (
        select(SignInAttempts.login)
        .where(SignInAttempts.first_at <= now - ATTEMPTS_WINDOW)
        .limit(ATTEMPTS_SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(SignInAttempts).where(SignInAttempts.login.in_(expired)))
    return account
