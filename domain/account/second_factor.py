"""Second factors: enrolling an authenticator app, accepting each of its codes once, recovery codes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.account.sessions import end_sign_ins, note_changed_rights
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, WrongState
from domain.notice import queue_account_notice
from models import STAFF, Account, NoticeKind, RecoveryCode, SignIn, TotpSecret


class SecondFactorRequired(DomainError):
    code = ErrorCode.SECOND_FACTOR_REQUIRED


async def enrol_totp(
    session: AsyncSession, account_id: int, encrypted_secret: str, *, now: datetime
) -> Account:
    """Store a new secret, which is used once it is confirmed; WrongState where one is in use."""
    account = await lock_account(session, account_id)
    if await has_second_factor(session, account_id):
        raise WrongState("An authenticator app is set up already. Remove it first.")
    await session.execute(delete(TotpSecret).where(TotpSecret.account_id == account_id))
    session.add(
        TotpSecret(
            account_id=account_id,
            encrypted_secret=encrypted_secret,
            created_at=now,
            confirmed_at=None,
            last_step=0,
        )
    )
    await session.flush()
    return account


async def confirm_totp(
    session: AsyncSession, account_id: int, *, step: int, code_hashes: Sequence[str], key: str, now: datetime
) -> Account:
    """Ask for a code at each sign-in from now on; `step` is that of the first right code."""
    account = await lock_account(session, account_id)
    secret = await session.get(TotpSecret, account_id, with_for_update=True, populate_existing=True)
    if secret is None or secret.confirmed_at:
        raise WrongState("Nothing is to be confirmed.")
    secret.confirmed_at, secret.last_step = now, step
    await replace_recovery_codes(session, account, code_hashes, key=key, now=now)
    note_changed_rights(session)
    return account


async def replace_recovery_codes(
    session: AsyncSession, account: Account, code_hashes: Sequence[str], *, key: str, now: datetime
) -> None:
    """Store new recovery codes; the old ones are worth nothing any more."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.add_all(RecoveryCode(account_id=account.id, code_hash=each, used_at=None) for each in code_hashes)
    await session.flush()
    await queue_account_notice(session, account, NoticeKind.SECOND_FACTOR_CHANGED, key=key, now=now)


async def remove_second_factor(
    session: AsyncSession, account_id: int, *, required: bool, key: str, now: datetime
) -> Account:
    """Ask for no code any more; WrongState where the staff must have a second factor."""
    account = await lock_account(session, account_id)
    if required and account.role in STAFF:
        raise WrongState("The shop requires a second factor of its staff.")
    await delete_second_factor(session, account_id)
    await queue_account_notice(session, account, NoticeKind.SECOND_FACTOR_CHANGED, key=key, now=now)
    return account


async def reset_second_factor(session: AsyncSession, account_id: int, *, key: str, cause: Cause) -> Account:
    """Take the second factor from an account whose owner has lost it, and end its sign-ins."""
    if account_id == cause.by:
        raise WrongState("Another administrator must do this.", field=("id",))
    account = await lock_account(session, account_id)
    await delete_second_factor(session, account_id)
    await end_sign_ins(session, SignIn.account_id == account_id, now=cause.now)
    await queue_account_notice(session, account, NoticeKind.SECOND_FACTOR_CHANGED, key=key, now=cause.now)
    return account


async def delete_second_factor(session: AsyncSession, account_id: int) -> None:
    """Forget the secret and the recovery codes of a locked account."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    await session.execute(delete(TotpSecret).where(TotpSecret.account_id == account_id))
    note_changed_rights(session)


async def has_second_factor(session: AsyncSession, account_id: int) -> bool:
    """Whether a code is asked for at sign-in."""
    confirmed = select(TotpSecret.account_id).where(
        TotpSecret.account_id == account_id, TotpSecret.confirmed_at.is_not(None)
    )
    return await session.scalar(confirmed) is not None


async def accept_step(session: AsyncSession, account_id: int, step: int) -> bool:
    """Accept a code of this time step, unless one of it or of a later one was accepted before."""
    accepted = await session.scalar(
        update(TotpSecret)
        .where(TotpSecret.account_id == account_id, TotpSecret.last_step < step)
        .values(last_step=step)
        .returning(TotpSecret.account_id)
    )
    return accepted is not None


async def use_recovery_code(session: AsyncSession, account_id: int, code_hash: str, *, now: datetime) -> bool:
    """Accept a recovery code, once."""
    accepted = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return accepted is not None
