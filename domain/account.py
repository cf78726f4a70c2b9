"""People: who may come in, and how long they stay."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import email_of, name_of, phone_of
from domain.errors import DomainError, ErrorCode, Invalid, LimitReached, NotFound, Taken, WrongState
from domain.upsert import insert
from models import STAFF, Account, Role, Session, SignInAttempts

PASSWORD_SHORTEST = 8
PASSWORD_LONGEST = 128

ATTEMPTS_LIMIT = 10
"""Sign-ins tried with one e-mail address or phone number within ATTEMPTS_WINDOW; a success starts anew."""
ATTEMPTS_WINDOW = timedelta(minutes=15)
SWEEP = 100
"""Forgotten attempts that one successful sign-in clears away."""


class WrongCredentials(DomainError):
    code = ErrorCode.CREDENTIALS_REFUSED

    def __init__(self, message: str = "These are not the right name and password.") -> None:
        super().__init__(message)


class SignedOut(WrongCredentials):
    def __init__(self) -> None:
        super().__init__("You have been signed out. Please sign in again.")


def acceptable(password: str) -> str:
    """The password, when it is one the shop takes."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(
            f"A password has {PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters.", field=("password",)
        )
    return password


async def register_account(
    session: AsyncSession,
    *,
    email: str | None,
    phone: str | None,
    name: str,
    password_hash: str,
    now: datetime,
    language: str | None = None,
    role: Role = Role.CUSTOMER,
) -> Account:
    """A new person, known by an e-mail address, a phone number or both."""
    if not (email or phone):
        raise Invalid("Give an e-mail address or a phone number.", field=("email",))
    known_by = {
        "email": email_of(email) if email else None,
        "phone": phone_of(phone) if phone else None,
    }
    account = await session.scalar(
        insert(session, Account)
        .values(
            role=role,
            name=name_of(name),
            password_hash=password_hash,
            language=language,
            created_at=now,
            **known_by,
        )
        .on_conflict_do_nothing()
        .returning(Account)
    )
    if account is None:
        raise await _taken(session, known_by["email"])
    return account  # type: ignore[no-any-return]


async def create_staff(
    session: AsyncSession,
    *,
    role: Role,
    email: str | None,
    phone: str | None,
    name: str,
    password_hash: str,
    now: datetime,
) -> Account:
    """A new member of the staff."""
    if role not in STAFF:
        raise Invalid(f"{role.value} is not a role of the staff.", field=("role",))
    return await register_account(
        session, email=email, phone=phone, name=name, password_hash=password_hash, now=now, role=role
    )


async def disable_account(session: AsyncSession, account_id: int, *, now: datetime, by: int) -> Account:
    """Nobody signs in with it any more; access tokens that are out end by themselves within minutes."""
    if account_id == by:
        raise WrongState("You cannot disable your own account.", field=("id",))
    account = await lock_account(session, account_id)
    account.disabled_at = account.disabled_at or now
    await _revoke(session, Session.account_id == account_id, now)
    return account


async def enable_account(session: AsyncSession, account_id: int) -> Account:
    account = await lock_account(session, account_id)
    account.disabled_at = None
    return account


async def lock_account(session: AsyncSession, account_id: int) -> Account:
    """The account, for whatever must happen to it one after the other."""
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise NotFound("account", field=("id",))
    return account


async def begin_attempt(session: AsyncSession, login: str, *, now: datetime) -> Account | None:
    """Count a sign-in before its password is looked at, and find whose it is.

    Counting first means that a hundred tries at the same moment are a hundred, not one. Commit it.
    """
    window_over = SignInAttempts.first_at <= now - ATTEMPTS_WINDOW
    attempts = await session.scalar(
        insert(session, SignInAttempts)
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


async def end_attempt(session: AsyncSession, account_id: int, login: str, *, now: datetime) -> Account:
    """The password was right: the account, locked, unless it may not come in any more."""
    account = await lock_account(session, account_id)
    if account.disabled_at:
        raise WrongCredentials
    await session.execute(delete(SignInAttempts).where(SignInAttempts.login == login))
    over = (
        select(SignInAttempts.login)
        .where(SignInAttempts.first_at <= now - ATTEMPTS_WINDOW)
        .limit(SWEEP)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(SignInAttempts).where(SignInAttempts.login.in_(over)))
    return account


async def open_session(
    session: AsyncSession,
    account: Account,
    *,
    family: str,
    token_hash: str,
    now: datetime,
    lives: timedelta,
) -> Session:
    """A refresh token for a locked account; the account's tokens that have expired are forgotten."""
    await session.execute(delete(Session).where(Session.account_id == account.id, Session.expires_at <= now))
    opened = Session(
        account_id=account.id, family=family, token_hash=token_hash, created_at=now, expires_at=now + lives
    )
    session.add(opened)
    await session.flush()
    return opened


async def rotate_session(
    session: AsyncSession, *, token_hash: str, new_token_hash: str, now: datetime, lives: timedelta
) -> Session | None:
    """The next token of a family for its last one; None when it is refused. Commit it either way.

    A token that comes a second time was stolen, by whoever came first or by whoever comes now: the whole
    family ends, and that must last although the answer is a refusal.
    """
    old = await _lock_session(session, token_hash)
    if old is None or old.expires_at <= now:
        return None
    account = await session.get_one(Account, old.account_id)
    if old.rotated_at or old.revoked_at or account.disabled_at:
        await _revoke(session, Session.family == old.family, now)
        return None
    old.rotated_at = now
    return await open_session(
        session, account, family=old.family, token_hash=new_token_hash, now=now, lives=lives
    )


async def revoke_session(session: AsyncSession, *, token_hash: str, now: datetime) -> None:
    """Sign out: no token of this sign-in is good any more."""
    given = await _lock_session(session, token_hash)
    if given is None:
        raise SignedOut
    await _revoke(session, Session.family == given.family, now)


async def _lock_session(session: AsyncSession, token_hash: str) -> Session | None:
    """A refresh token under its account's lock, without which a family could grow while it is revoked."""
    account_id = await session.scalar(select(Session.account_id).where(Session.token_hash == token_hash))
    if account_id is None:
        return None
    await lock_account(session, account_id)
    return await session.scalar(
        select(Session).where(Session.token_hash == token_hash).execution_options(populate_existing=True)
    )


async def _revoke(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> None:
    await session.execute(update(Session).where(which, Session.revoked_at.is_(None)).values(revoked_at=now))


async def _taken(session: AsyncSession, email: str | None) -> Taken:
    if email and await session.scalar(select(func.count()).where(Account.email == email)):
        return Taken("Somebody has registered with this e-mail address already.", field=("email",))
    return Taken("Somebody has registered with this phone number already.", field=("phone",))
