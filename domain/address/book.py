"""A customer's address book."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import lock_account
from domain.address.geocoding import write_address
from domain.address.located import keep_coordinates
from domain.address.parts import PostalAddress
from domain.address.postal import normalize_address, postal_address_of
from domain.errors import LimitReached, NotFound
from models import Address

ADDRESSES_LIMIT = 50


async def save_address(
    session: AsyncSession,
    *,
    account_id: int,
    address_id: int | None,
    postal: PostalAddress,
    is_default: bool,
    now: datetime,
) -> Address:
    """Add an address to an account's book, or change one; the first one is the default until another is.

    Invalid names the part that is wrong, LimitReached after ADDRESSES_LIMIT, NotFound for another's address.
    """
    normal = normalize_address(postal, field=("address",))
    await lock_account(session, account_id)
    if address_id is None:
        await refuse_too_many(session, account_id)
        address = Address(account_id=account_id, is_default=False, created_at=now)
        write_address(session, address, normal, now=now)
        session.add(address)
    else:
        address = await find_own_address(session, account_id, address_id)
        write_address(session, address, keep_coordinates(normal, postal_address_of(address)), now=now)
    await session.flush()
    if is_default or not await has_default(session, account_id):
        await make_default(session, address)
    return address


async def remove_address(session: AsyncSession, *, account_id: int, address_id: int) -> None:
    """Remove an address from an account's book; if it was the default, the newest one left becomes it."""
    await lock_account(session, account_id)
    address = await find_own_address(session, account_id, address_id)
    await session.delete(address)
    await session.flush()
    newest = await session.scalar(
        select(Address).where(Address.account_id == account_id).order_by(Address.id.desc()).limit(1)
    )
    if address.is_default and newest:
        newest.is_default = True


async def find_own_address(session: AsyncSession, account_id: int, address_id: int) -> Address:
    address = await session.get(Address, address_id)
    if address is None or address.account_id != account_id:
        raise NotFound("address", field=("id",))
    return address


async def refuse_too_many(session: AsyncSession, account_id: int) -> None:
    count = await session.scalar(select(func.count()).where(Address.account_id == account_id))
    if count is not None and count >= ADDRESSES_LIMIT:
        raise LimitReached("An address book has at most {limit} addresses.", limit=ADDRESSES_LIMIT)


async def has_default(session: AsyncSession, account_id: int) -> bool:
    found = await session.scalar(
        select(Address.id).where(Address.account_id == account_id, Address.is_default)
    )
    return found is not None


async def make_default(session: AsyncSession, address: Address) -> None:
    """Make an address the only default of its account."""
    # The others first: the unique index allows one default at any moment.
    await session.execute(
        update(Address)
        .where(Address.account_id == address.account_id, Address.id != address.id, Address.is_default)
        .values(is_default=False)
    )
    address.is_default = True
    await session.flush()
