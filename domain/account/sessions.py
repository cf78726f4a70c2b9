"""Sign-ins, and the families of refresh tokens that they began."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.refusals import SignedOut
from models import Account, DeviceToken, Session, SignIn
from models.sql.upsert import upsert_into

RIGHTS_CHANGED = "rights_changed"
"""Key in `AsyncSession.info`: the transaction ends sign-ins or changes what an account may do."""

USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SignInPlace:
    """From where somebody signs in: the address and the user agent of the request."""

    address: str = ""
    user_agent: str = ""


def note_changed_rights(session: AsyncSession) -> None:
    """Let the shop forget what it remembers of rights, once this transaction has committed."""
    session.info[RIGHTS_CHANGED] = True


async def open_session(
    session: AsyncSession,
    account: Account,
    *,
    family: str,
    token_hash: str,
    now: datetime,
    lifetime: timedelta,
    place: SignInPlace,
) -> Session:
    """Store a refresh token of a locked account and its sign-in; delete what has expired of the account."""
    await session.execute(delete(Session).where(Session.account_id == account.id, Session.expires_at <= now))
    await end_sign_ins(session, (SignIn.account_id == account.id) & (SignIn.expires_at <= now), now=now)
    await session.execute(
        upsert_into(session, SignIn)
        .values(
            account_id=account.id,
            family=family,
            address=place.address,
            user_agent=place.user_agent[:USER_AGENT_LENGTH],
            created_at=now,
            used_at=now,
            expires_at=now + lifetime,
        )
        .on_conflict_do_update(
            index_elements=[SignIn.family],
            set_={
                "address": place.address,
                "user_agent": place.user_agent[:USER_AGENT_LENGTH],
                "used_at": now,
                "expires_at": now + lifetime,
            },
        )
    )
    opened = Session(
        account_id=account.id, family=family, token_hash=token_hash, created_at=now, expires_at=now + lifetime
    )
    session.add(opened)
    await session.flush()
    return opened


async def rotate_session(
    session: AsyncSession,
    *,
    token_hash: str,
    new_token_hash: str,
    now: datetime,
    lifetime: timedelta,
    place: SignInPlace,
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
        await end_sign_ins(session, SignIn.family == old.family, now=now)
        await revoke_sessions(session, Session.family == old.family, now)
        return None
    old.rotated_at = now
    return await open_session(
        session,
        account,
        family=old.family,
        token_hash=new_token_hash,
        now=now,
        lifetime=lifetime,
        place=place,
    )


async def revoke_session(session: AsyncSession, *, token_hash: str, now: datetime) -> None:
    """Revoke the whole family of a refresh token; SignedOut when the token is unknown."""
    token = await lock_session(session, token_hash)
    if token is None:
        raise SignedOut
    await end_sign_ins(session, SignIn.family == token.family, now=now)
    await revoke_sessions(session, Session.family == token.family, now)


async def lock_session(session: AsyncSession, token_hash: str) -> Session | None:
    """A refresh token with its account locked; None for an unknown one."""
    # Without the lock a family could get another token while it is revoked.
    account_id = await session.scalar(select(Session.account_id).where(Session.token_hash == token_hash))
    if account_id is None:
        return None
    await session.execute(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return await session.scalar(
        select(Session).where(Session.token_hash == token_hash).execution_options(populate_existing=True)
    )


async def end_sign_ins(session: AsyncSession, condition: ColumnElement[bool], *, now: datetime) -> int:
    """End the sign-ins of a locked account that meet the condition; returns how many there were."""
    families = list(await session.scalars(select(SignIn.family).where(condition)))
    if families:
        await revoke_sessions(session, Session.family.in_(families), now)
        ended = select(SignIn.id).where(SignIn.family.in_(families))
        await session.execute(delete(DeviceToken).where(DeviceToken.sign_in_id.in_(ended)))
        await session.execute(delete(SignIn).where(SignIn.family.in_(families)))
        note_changed_rights(session)
    return len(families)


async def revoke_sessions(session: AsyncSession, condition: ColumnElement[bool], now: datetime) -> None:
    """Revoke all refresh tokens that meet the condition."""
    await session.execute(
        update(Session).where(condition, Session.revoked_at.is_(None)).values(revoked_at=now)
    )
