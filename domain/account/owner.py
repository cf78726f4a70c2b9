"""What the owner of an account changes: name, language, contacts and password."""

from datetime import datetime

from sqlalchemy import delete, or_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.account.registration import register_account
from domain.account.sessions import end_sign_ins, note_changed_rights
from domain.account.sign_in import find_account_by_contact
from domain.account.takeover import take_over_guest_orders
from domain.cause import Cause
from domain.contact import normalize_name
from domain.errors import Taken
from domain.notice import queue_account_notice
from models import Account, NoticeKind, SignIn, SignInFailures, Verification


async def update_account(
    session: AsyncSession, account_id: int, *, name: str | None, language: str | None
) -> Account:
    """Change name or language; None leaves what is there."""
    account = await lock_account(session, account_id)
    if name is not None:
        account.name = normalize_name(name)
    if language is not None:
        account.language = language
        note_changed_rights(session)  # what is remembered of sign-ins has the language, too
    return account


async def register_verified_account(
    session: AsyncSession, verification: Verification | None, *, now: datetime
) -> Account | None:
    """The account that was asked for, with the contact verified; None when somebody has the contact."""
    if verification is None:
        return None
    is_email = "@" in verification.contact
    try:
        account = await register_account(
            session,
            email=verification.contact if is_email else None,
            phone=None if is_email else verification.contact,
            name=verification.name or "",
            password_hash=verification.password_hash or "",
            language=verification.language,
            now=now,
        )
    except Taken:
        return None
    note_verified(account, verification.contact, now)
    verification.name = verification.password_hash = None
    return account


async def change_contact(
    session: AsyncSession, verification: Verification | None, *, cause: Cause
) -> Account | None:
    """Make a verified contact that of the account that asked for it, and tell the former one.

    None when another account has it.
    """
    if verification is None or verification.account_id != cause.by:
        return None
    account = await lock_account(session, cause.person)
    former = account.email if "@" in verification.contact else account.phone
    try:
        async with session.begin_nested():
            if "@" in verification.contact:
                account.email = verification.contact
            else:
                account.phone = verification.contact
            note_verified(account, verification.contact, cause.now)
    except IntegrityError:
        return None
    await take_over_guest_orders(session, account, now=cause.now)
    if former is not None and former != verification.contact:
        await queue_account_notice(
            session,
            account,
            NoticeKind.CONTACT_CHANGED,
            contact=former,
            key=f"contact_changed:{verification.id}",
            now=cause.now,
        )
    return account


def note_verified(account: Account, contact: str, now: datetime) -> None:
    if account.email == contact:
        account.email_verified_at = now
    if account.phone == contact:
        account.phone_verified_at = now


async def change_password(
    session: AsyncSession, account_id: int, password_hash: str, *, family: str | None, key: str, now: datetime
) -> Account:
    """Set another password, end all sign-ins but that of `family`, and tell the account."""
    account = await lock_account(session, account_id)
    account.password_hash = password_hash
    others = (SignIn.account_id == account_id) & (SignIn.family != (family or ""))
    await end_sign_ins(session, others, now=now)
    await forget_failures(session, account)
    await queue_account_notice(session, account, NoticeKind.PASSWORD_CHANGED, key=key, now=now)
    return account


async def reset_password(
    session: AsyncSession, verification: Verification | None, password_hash: str, *, now: datetime
) -> Account | None:
    """Set the password of the account with the verified contact and end all its sign-ins.

    None when there is no such account, or it is disabled.
    """
    if verification is None:
        return None
    found = await find_account_by_contact(session, verification.contact)
    if found is None or found.disabled_at:
        return None
    key = f"password_reset:{verification.id}"
    account = await change_password(session, found.id, password_hash, family=None, key=key, now=now)
    note_verified(account, verification.contact, now)
    return account


async def forget_failures(session: AsyncSession, account: Account) -> None:
    """Forget the tries of an account, from all addresses."""
    logins = [login for login in (account.email, account.phone) if login]
    await session.execute(
        delete(SignInFailures).where(
            or_(SignInFailures.login.in_(logins), SignInFailures.login == attempts_key(account.id))
        )
    )


def attempts_key(account_id: int) -> str:
    """Under which the tries of somebody who is signed in are counted: no contact is spelled so."""
    return f"account:{account_id}"
