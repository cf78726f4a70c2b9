"""Resolvers of second factors: an authenticator app and its recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import WrongCode, lock_account
from domain.account.second_factor import (
    SecondFactorRequired,
    accept_step,
    confirm_totp,
    enrol_totp,
    has_second_factor,
    remove_second_factor,
    replace_recovery_codes,
    reset_second_factor,
    use_recovery_code,
)
from domain.errors import LimitReached, WrongState
from domain.notice import contact_of
from gateways.buckets import Rate
from gateways.secrets import fingerprint_of
from gateways.totp import (
    SecretUnreadable,
    decrypt_secret,
    encrypt_secret,
    match_step,
    new_recovery_codes,
    new_totp_secret,
    normalize_recovery_code,
    totp_uri,
)
from models import Account, TotpSecret
from resolvers.account.owner import require_password
from resolvers.context import Info
from resolvers.ids import row_id

TRIES = Rate(10, 10 / 900)
"""Codes that may be tried for one account, from all addresses together: ten in a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """What an authenticator app is set up with; it is shown once and stored encrypted."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class RecoveryCodeSet:
    """New recovery codes; only their hashes are stored."""

    codes: list[str]


async def totp_enrol(info: Info, password: str) -> TotpEnrolment:
    """Begins to set up an authenticator app for one's own account; `totpConfirm` ends it. Shown only now.

    password: one's present password
    """
    await require_password(info, password)
    settings = info.context.shop.settings
    secret = new_totp_secret()
    encrypted = encrypt_secret(settings.verifying_keys(), secret)
    async with info.context.transaction() as session:
        account = await enrol_totp(session, info.context.viewer.id, encrypted, now=info.context.now)
    name = contact_of(account) or account.name
    return TotpEnrolment(secret, totp_uri(secret, account=name, issuer=settings.notices.shop_name))


async def totp_confirm(info: Info, code: str) -> RecoveryCodeSet:
    """Ends setting up an authenticator app: from now on a code is asked for at sign-in.

    code: the code that the app shows
    """
    account_id = info.context.viewer.id
    await limit_tries(info, account_id)
    async with info.context.shop.database.reads() as session:
        secret = await session.get(TotpSecret, account_id)
    if secret is None or secret.confirmed_at:
        raise WrongState("Nothing is to be confirmed.")
    step = find_step(info, secret, code)
    if step is None:
        raise WrongCode
    codes = new_recovery_codes()
    async with info.context.transaction() as session:
        await confirm_totp(
            session,
            account_id,
            step=step,
            code_hashes=[fingerprint_of(each) for each in codes],
            key=new_key(info),
            now=info.context.now,
        )
    return RecoveryCodeSet(codes)


async def totp_remove(info: Info, password: str, second_factor: str) -> Account:
    """Asks for no code any more at one's own sign-ins; refused where the shop requires a second factor.

    password: one's present password
    second_factor: the code that the authenticator app shows, or a recovery code
    """
    await require_password(info, password)
    required = info.context.shop.settings.accounts.totp_required
    async with info.context.transaction() as session:
        await check_second_factor(info, session, info.context.viewer.id, second_factor)
        return await remove_second_factor(
            session, info.context.viewer.id, required=required, key=new_key(info), now=info.context.now
        )


async def recovery_codes_renew(info: Info, password: str, second_factor: str) -> RecoveryCodeSet:
    """Gives out new recovery codes; the old ones are worth nothing any more.

    password: one's present password
    second_factor: the code that the authenticator app shows, or a recovery code
    """
    await require_password(info, password)
    codes = new_recovery_codes()
    async with info.context.transaction() as session:
        account = await lock_account(session, info.context.viewer.id)
        await check_second_factor(info, session, account.id, second_factor)
        if not await has_second_factor(session, account.id):
            raise WrongState("There is no authenticator app.")
        await replace_recovery_codes(
            session,
            account,
            [fingerprint_of(each) for each in codes],
            key=new_key(info),
            now=info.context.now,
        )
    return RecoveryCodeSet(codes)


async def staff_totp_reset(info: Info, id: strawberry.ID) -> Account:
    """Takes the second factor from somebody who has lost it, and ends their sign-ins.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await reset_second_factor(session, account_id, key=new_key(info), cause=info.context.cause)


async def check_second_factor(info: Info, session: AsyncSession, account_id: int, given: str | None) -> bool:
    """Whether the account has a second factor; then `given` must be right.

    Raises SecondFactorRequired where it is missing, WrongCode, or LimitReached after too many tries.
    """
    secret = await session.get(TotpSecret, account_id, populate_existing=True)
    if secret is None or secret.confirmed_at is None:
        return False
    if not given:
        raise SecondFactorRequired(
            "Enter the code that your authenticator app shows.", field=("second_factor",)
        )
    await limit_tries(info, account_id)
    if (step := find_step(info, secret, given)) is not None:
        accepted = await accept_step(session, account_id, step)
    else:
        code_hash = fingerprint_of(normalize_recovery_code(given))
        accepted = await use_recovery_code(session, account_id, code_hash, now=info.context.now)
    if not accepted:
        raise WrongCode
    return True


async def limit_tries(info: Info, account_id: int) -> None:
    """Raises LimitReached when too many codes were tried for the account."""
    taken = await info.context.shop.buckets.take(f"second_factor:{account_id}", 1, TRIES)
    if not taken.allowed:
        raise LimitReached(
            "Too many codes were tried. Wait a while, then try again.", retry_after_seconds=taken.retry_after
        )


def find_step(info: Info, secret: TotpSecret, code: str) -> int | None:
    """The time step of a code of the app; None for a wrong one, and where the key was lost."""
    keys = info.context.shop.settings.verifying_keys()
    try:
        return match_step(decrypt_secret(keys, secret.encrypted_secret), code, now=info.context.now)
    except SecretUnreadable:
        return None


async def second_factor_since(accounts: Sequence[Account], info: Info) -> Sequence[datetime | None]:
    """Since when a code of an authenticator app is asked for at sign-in; null if it is not, and for accounts
    of others."""
    own = [account.id for account in accounts if info.context.viewer.owns(account.id)]
    secrets = dict(zip(own, await info.context.load.totp_secret.load_many(own), strict=True))
    found = (secrets.get(account.id) for account in accounts)
    return [secret.confirmed_at if secret else None for secret in found]


def new_key(info: Info) -> str:
    """The key of a notice that is told once for each command."""
    return f"second_factor:{info.context.shop.secrets.new_token()}"
