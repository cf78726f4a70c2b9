"""A customer's book of addresses."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import lock_account
from domain.address.postal import Postal, checked
from domain.errors import LimitReached, NotFound
from models import Address

ADDRESSES_LIMIT = 50


async def save_address(
    session: AsyncSession,
    *,
    account_id: int,
    address_id: int | None,
    given: Postal,
    is_default: bool,
    now: datetime,
) -> Address:
    """Add an entry to somebody's book, or change one. The first is the default until another is."""
    postal = asdict(checked(given, field=("address",)))
    await lock_account(session, account_id)
    if address_id is None:
        await _refuse_too_many(session, account_id)
        address = Address(account_id=account_id, is_default=False, created_at=now, **postal)
        session.add(address)
    else:
        address = await _own(session, account_id, address_id)
        for name, text in postal.items():
            setattr(address, name, text)
    await session.flush()
    if is_default or not await _has_default(session, account_id):
        await _make_default(session, address)
    return address


async def remove_address(session: AsyncSession, *, account_id: int, address_id: int) -> None:
    """Take an entry out of somebody's book; the newest that is left becomes the default if this was it."""
    await lock_account(session, account_id)
    address = await _own(session, account_id, address_id)
    await session.delete(address)
    await session.flush()
    newest = await session.scalar(
        select(Address).where(Address.account_id == account_id).order_by(Address.id.desc()).limit(1)
    )
    if address.is_default and newest:
        newest.is_default = True


async def _own(session: AsyncSession, account_id: int, address_id: int) -> Address:
    address = await session.get(Address, address_id)
    if address is None or address.account_id != account_id:
        raise NotFound("address", field=("id",))
    return address


async def _refuse_too_many(session: AsyncSession, account_id: int) -> None:
    kept = await session.scalar(select(func.count()).where(Address.account_id == account_id))
    if kept is not None and kept >= ADDRESSES_LIMIT:
        raise LimitReached(f"An address book has at most {ADDRESSES_LIMIT} addresses.")


async def _has_default(session: AsyncSession, account_id: int) -> bool:
    found = await session.scalar(
        select(Address.id).where(Address.account_id == account_id, Address.is_default)
    )
    return found is not None


async def _make_default(session: AsyncSession, address: Address) -> None:
    """The others give it up first: the index allows one at any moment."""
    await session.execute(
        update(Address)
        .where(Address.account_id == address.account_id, Address.id != address.id, Address.is_default)
        .values(is_default=False)
    )
    address.is_default = True
    await session.flush()
