"""Accounts and addresses, in one line."""

from datetime import UTC, datetime
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from models import Account, Address, Role

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)

PASSWORD = "correct horse battery"
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$8sLhDjGEsNegwOdzBkSs4Q$ECvh71N53GX+WMxNmc2h61NzMlepNaNtPlqduwLD9Qs"
)
"""PASSWORD, hashed with the lowest cost, so that tests sign in quickly."""


async def create_account(
    session: AsyncSession,
    *,
    role: Role = Role.CUSTOMER,
    name: str = "Lin Mei",
    email: str | None = None,
    phone: str | None = None,
    language: str | None = None,
    disabled: bool = False,
    now: datetime = NOW,
) -> Account:
    """An account whose password is PASSWORD, with its own e-mail address unless a phone is given."""
    account = Account(
        role=role,
        name=name,
        email=email or (None if phone else f"{role.value.lower()}-{next(NUMBERS)}@example.com"),
        phone=phone,
        password_hash=PASSWORD_HASH,
        language=language,
        created_at=now,
        disabled_at=now if disabled else None,
    )
    session.add(account)
    await session.flush()
    return account


async def create_address(
    session: AsyncSession,
    account: Account,
    *,
    recipient: str = "林梅",
    phone: str = "+8613800138000",
    country_code: str = "CN",
    province: str = "浙江省",
    city: str = "杭州市",
    district: str = "西湖区",
    line1: str = "文三路 100 号",
    line2: str = "",
    postal_code: str = "310012",
    is_default: bool = False,
    now: datetime = NOW,
) -> Address:
    """An address in the address book of an account."""
    address = Address(
        account_id=account.id,
        recipient=recipient,
        phone=phone,
        country_code=country_code,
        province=province,
        city=city,
        district=district,
        line1=line1,
        line2=line2,
        postal_code=postal_code,
        is_default=is_default,
        created_at=now,
    )
    session.add(address)
    await session.flush()
    return address
