"""Accounts, sign-ins and sessions (families of refresh tokens)."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.contact import normalize_email, normalize_name, normalize_phone
from domain.errors import DomainError, ErrorCode, Invalid, LimitReached, NotFound, Taken, WrongState
from models import STAFF, Account, Role, Session, SignInAttempts
from models.sql.upsert import upsert_into

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 128

ATTEMPTS_LIMIT = 10
"""Sign-ins with one e-mail address or phone number within ATTEMPTS_WINDOW; a success resets the count."""
ATTEMPTS_WINDOW = timedelta(minutes=15)
ATTEMPTS_SWEEP_LIMIT = 100
"""Expired counters that one successful sign-in deletes."""


class WrongCredentials(DomainError):
    code = ErrorCode.CREDENTIALS_REFUSED

    def __init__(self, message: str = "These are not the right name and password.") -> None:
        super().__init__(message)


class SignedOut(WrongCredentials):
    def __init__(self) -> None:
        super().__init__("You have been signed out. Please sign in again.")


def validate_password(password: str) -> str:
    """The password; Invalid when it is too short or too long."""
    if not PASSWORD_MIN_LENGTH <= len(password) <= PASSWORD_MAX_LENGTH:
        raise Invalid(
            f"A password has {PASSWORD_MIN_LENGTH} to {PASSWORD_MAX_LENGTH} characters.", field=("password",)
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
    """Create an account with an e-mail address, a phone number or both; Taken when another one has it."""
    if not (email or phone):
        raise Invalid("Give an e-mail address or a phone number.", field=("email",))
    contacts = {
        "email": normalize_email(email) if email else None,
        "phone": normalize_phone(phone) if phone else None,
    }
    account = await session.scalar(
        upsert_into(session, Account)
        .values(
            role=role,
            name=normalize_name(name),
            password_hash=password_hash,
            language=language,
            created_at=now,
            **contacts,
        )
        .on_conflict_do_nothing()
        .returning(Account)
    )
    if account is None:
        raise await taken_error(session, contacts["email"])
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
    """Create an account of the staff; Invalid for a role that is not one of theirs."""
    if role not in STAFF:
        raise Invalid(f"{role.value} is not a role of the staff.", field=("role",))
    return await register_account(
        session, email=email, phone=phone, name=name, password_hash=password_hash, now=now, role=role
    )


async def disable_account(session: AsyncSession, account_id: int, *, cause: Cause) -> Account:
    """Disable an account and end its sessions; access tokens already issued expire within minutes."""
    if account_id == cause.by:
        raise WrongState("You cannot disable your own account.", field=("id",))
    account = await lock_account(session, account_id)
    account.disabled_at = account.disabled_at or cause.now
    await revoke_sessions(session, Session.account_id == account_id, cause.now)
    return account


async def enable_account(session: AsyncSession, account_id: int) -> Account:
    """Let a disabled account sign in again."""
    account = await lock_account(session, account_id)
    account.disabled_at = None
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


async def open_session(
    session: AsyncSession,
    account: Account,
    *,
    family: str,
    token_hash: str,
    now: datetime,
    lifetime: timedelta,
) -> Session:
    """Store a refresh token of a locked account, and delete its expired ones."""
    await session.execute(delete(Session).where(Session.account_id == account.id, Session.expires_at <= now))
    opened = Session(
        account_id=account.id, family=family, token_hash=token_hash, created_at=now, expires_at=now + lifetime
    )
    session.add(opened)
    await session.flush()
    return opened


async def rotate_session(
    session: AsyncSession, *, token_hash: str, new_token_hash: str, now: datetime, lifetime: timedelta
) -> Session | None:
    """Replace the last refresh token of a family by the next; None when it is refused. Commit it either way.

    A token that is used twice was stolen, by the first user or the second: the whole family is revoked, and
    that must be committed although the answer is a refusal.
    """
    old = await lock_session(session, token_hash)
    if old is None or old.expires_at <= now:
        return None
    account = await session.get_one(Account, old.account_id)
    if old.rotated_at or old.revoked_at or account.disabled_at:
        await revoke_sessions(session, Session.family == old.family, now)
        return None
    old.rotated_at = now
    return await open_session(
        session, account, family=old.family, token_hash=new_token_hash, now=now, lifetime=lifetime
    )


async def revoke_session(session: AsyncSession, *, token_hash: str, now: datetime) -> None:
    """Revoke the whole family of a refresh token; SignedOut when the token is unknown."""
    token = await lock_session(session, token_hash)
    if token is None:
        raise SignedOut
    await revoke_sessions(session, Session.family == token.family, now)


async def lock_session(session: AsyncSession, token_hash: str) -> Session | None:
    """A refresh token with its account locked; None for an unknown one."""
    # Without the lock a family could get another token while it is revoked.
    account_id = await session.scalar(select(Session.account_id).where(Session.token_hash == token_hash))
    if account_id is None:
        return None
    await lock_account(session, account_id)
    return await session.scalar(
        select(Session).where(Session.token_hash == token_hash).execution_options(populate_existing=True)
    )


async def revoke_sessions(session: AsyncSession, condition: ColumnElement[bool], now: datetime) -> None:
    """Revoke all refresh tokens that meet the condition."""
    await session.execute(
        update(Session).where(condition, Session.revoked_at.is_(None)).values(revoked_at=now)
    )


async def taken_error(session: AsyncSession, email: str | None) -> Taken:
    """Whether the e-mail address or the phone number is taken, as an error to raise."""
    if email and await session.scalar(select(func.count()).where(Account.email == email)):
        return Taken("Somebody has registered with this e-mail address already.", field=("email",))
    return Taken("Somebody has registered with this phone number already.", field=("phone",))
