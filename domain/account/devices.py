"""Device tokens: where push notices of a sign-in go."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import lock_account
from domain.errors import Invalid, NotFound
from models import DeviceToken, SignIn

TOKEN_LENGTH = 4_096
"""The longest device token: those of FCM and APNs are far shorter."""


async def register_device_token(
    session: AsyncSession, account_id: int, token: str, *, family: str | None, now: datetime
) -> SignIn:
    """Send push notices of an account to this device while its sign-in lasts.

    A sign-in has one token and a token one sign-in: that of whoever signed in on the device last.
    """
    if not 1 <= len(token) <= TOKEN_LENGTH or not token.isprintable():
        raise Invalid(
            "A device token has 1 to {limit} printable characters.", limit=TOKEN_LENGTH, field=("token",)
        )
    sign_in = await lock_sign_in(session, account_id, family)
    await session.execute(
        delete(DeviceToken).where((DeviceToken.sign_in_id == sign_in.id) | (DeviceToken.token == token))
    )
    session.add(DeviceToken(sign_in_id=sign_in.id, account_id=account_id, token=token, created_at=now))
    await session.flush()
    return sign_in


async def remove_device_token(session: AsyncSession, account_id: int, *, family: str | None) -> SignIn:
    """Send no more push notices to the device of this sign-in; nothing happens where none are sent."""
    sign_in = await lock_sign_in(session, account_id, family)
    await session.execute(delete(DeviceToken).where(DeviceToken.sign_in_id == sign_in.id))
    return sign_in


async def lock_sign_in(session: AsyncSession, account_id: int, family: str | None) -> SignIn:
    await lock_account(session, account_id)
    found = await session.scalar(
        select(SignIn).where(SignIn.account_id == account_id, SignIn.family == (family or ""))
    )
    if found is None:
        raise NotFound("sign-in")
    return found


async def has_device_token(session: AsyncSession, token: str, *, account_id: int | None) -> bool:
    """Whether the account is still signed in on the device."""
    found = select(DeviceToken.id).where(DeviceToken.token == token, DeviceToken.account_id == account_id)
    return await session.scalar(found) is not None


async def delete_device_token(session: AsyncSession, token: str) -> None:
    """Forget a token that does not exist any more."""
    await session.execute(delete(DeviceToken).where(DeviceToken.token == token))
