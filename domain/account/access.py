"""Which accounts may sign in, and with which role."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.registration import check_staff_role
from domain.account.sessions import end_sign_ins, note_changed_rights
from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from models import STAFF, Account, Role, SignIn


async def disable_account(session: AsyncSession, account_id: int, *, cause: Cause) -> Account:
    """Disable an account and end its sign-ins; access tokens already issued are refused from now on."""
    if account_id == cause.by:
        raise WrongState("You cannot disable your own account.", field=("id",))
    account = await lock_account(session, account_id)
    account.disabled_at = account.disabled_at or cause.now
    await end_sign_ins(session, SignIn.account_id == account_id, now=cause.now)
    return account


async def enable_account(session: AsyncSession, account_id: int) -> Account:
    """Let a disabled account sign in again."""
    account = await lock_account(session, account_id)
    if account.erased_at or account.erasure_due_at:
        raise WrongState("An account that is erased cannot be enabled.", field=("id",))
    account.disabled_at = None
    return account


async def change_staff_role(session: AsyncSession, account_id: int, *, role: Role, cause: Cause) -> Account:
    """Give a member of the staff another role, whose permissions hold from now on."""
    if account_id == cause.by:
        raise WrongState("You cannot change your own role.", field=("id",))
    check_staff_role(role)
    account = await lock_account(session, account_id)
    if account.role not in STAFF:
        raise Invalid("This is not an account of the staff.", field=("id",))
    account.role = role
    note_changed_rights(session)
    return account


async def end_sign_in(session: AsyncSession, account_id: int, sign_in_id: int, *, now: datetime) -> Account:
    """End one sign-in of an account; NotFound for one of another account."""
    account = await lock_account(session, account_id)
    one = (SignIn.account_id == account_id) & (SignIn.id == sign_in_id)
    if not await end_sign_ins(session, one, now=now):
        raise NotFound("sign-in", field=("id",))
    return account


async def end_other_sign_ins(
    session: AsyncSession, account_id: int, *, family: str | None, now: datetime
) -> Account:
    """End all sign-ins of an account but that of `family`."""
    account = await lock_account(session, account_id)
    others = (SignIn.account_id == account_id) & (SignIn.family != (family or ""))
    await end_sign_ins(session, others, now=now)
    return account


async def lock_account(session: AsyncSession, account_id: int) -> Account:
    """The account, locked; NotFound when there is none."""
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise NotFound("account", field=("id",))
    return account
