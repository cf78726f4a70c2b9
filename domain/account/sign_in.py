"""Signing in with a password."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.account.attempts import clear_attempts, count_attempt
from domain.account.refusals import WrongCredentials
from models import Account


async def begin_sign_in(session: AsyncSession, login: str, address: str, *, now: datetime) -> Account | None:
    """Count a sign-in and find its account, if any; LimitReached where one must wait. Commit it first."""
    await count_attempt(session, login, address, now=now)
    return await find_account_by_contact(session, login)


async def complete_sign_in(
    session: AsyncSession, account_id: int, login: str, address: str, *, password_hash: str, now: datetime
) -> Account:
    """Reset the count after a correct password; the account, locked.

    WrongCredentials when it is disabled, or when the password was changed while it was being checked.
    """
    account = await lock_account(session, account_id)
    if account.disabled_at or account.password_hash != password_hash:
        raise WrongCredentials
    await clear_attempts(session, login, address, now=now)
    return account


async def find_account_by_contact(session: AsyncSession, contact: str) -> Account | None:
    """The account with this e-mail address or phone number."""
    return await session.scalar(
        select(Account).where(or_(Account.email == contact, Account.phone == contact))
    )
