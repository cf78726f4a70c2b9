"""Loading accounts, addresses and sign-ins, and what a sign-in may do now."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, ManyByKey, loader
from models import Account, Address, DeviceToken, Role, SignIn


@dataclass(frozen=True, slots=True)
class SessionRights:
    """What the account of a sign-in may do now, whatever its access token says."""

    account_id: int
    role: Role


async def load_session_rights(session: AsyncSession, family: str) -> SessionRights | None:
    """The rights of the sign-in of this family; None when it has ended or its account is disabled."""
    found = await session.execute(
        select(Account.id, Account.role)
        .join(SignIn, SignIn.account_id == Account.id)
        .where(SignIn.family == family, Account.disabled_at.is_(None))
    )
    row = found.first()
    return SessionRights(row.id, row.role) if row else None


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


class AccountLoaders:
    account = loader(AccountById)
    account_addresses = loader(AddressesByAccount)
    address = loader(AddressById)
    account_sign_ins = loader(SignInsByAccount)
    sign_in = loader(SignInById)
    device_token = loader(DeviceTokenBySignIn)
