"""Loading accounts, addresses and sign-ins, and what a sign-in may do now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, ManyByKey, loader
from models import STAFF, Account, Address, DeviceToken, Role, SignIn, TotpSecret
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_values, is_among


@dataclass(frozen=True, slots=True)
class SessionRights:
    """What the account of a sign-in may do now, whatever its access token says."""

    account_id: int
    role: Role
    must_enrol: bool = False
    """Whether they may do nothing before they have set up a second factor."""
    language: str | None = None
    """The language of the account, for clients that name none."""


async def load_session_rights(
    session: AsyncSession, families: Sequence[str], *, totp_required: bool
) -> dict[str, SessionRights]:
    """The rights of sign-ins by family, without those that have ended or are of disabled accounts."""
    is_named = is_among(
        SignIn.family, "families", dialect_of(session), encode_values(families, dialect_of(session))
    )
    found = await session.execute(
        select(SignIn.family, Account.id, Account.role, TotpSecret.confirmed_at, Account.language)
        .join(Account, SignIn.account_id == Account.id)
        .outerjoin(TotpSecret, TotpSecret.account_id == Account.id)
        .where(is_named, Account.disabled_at.is_(None))
    )
    return {
        family: SessionRights(
            account_id,
            role,
            must_enrol=totp_required and role in STAFF and confirmed_at is None,
            language=language,
        )
        for family, account_id, role, confirmed_at, language in found
    }


class AccountById(ByKey[int, Account]):
    key = Account.id


class AddressesByAccount(ManyByKey[int, Address]):
    key = Address.account_id
    order_by = (Address.is_default.desc(), Address.id)
    primes = "address"


class AddressById(ByKey[int, Address]):
    key = Address.id


class SignInsByAccount(ManyByKey[int, SignIn]):
    key = SignIn.account_id
    order_by = (SignIn.used_at.desc(), SignIn.id.desc())
    primes = "sign_in"


class SignInById(ByKey[int, SignIn]):
    key = SignIn.id


class DeviceTokenBySignIn(ByKey[int, DeviceToken]):
    key = DeviceToken.sign_in_id


class TotpSecretByAccount(ByKey[int, TotpSecret]):
    key = TotpSecret.account_id


class AccountLoaders:
    account = loader(AccountById)
    account_addresses = loader(AddressesByAccount)
    address = loader(AddressById)
    account_sign_ins = loader(SignInsByAccount)
    sign_in = loader(SignInById)
    device_token = loader(DeviceTokenBySignIn)
    totp_secret = loader(TotpSecretByAccount)
