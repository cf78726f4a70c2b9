"""Addresses: what one must say, and a customer's book of them."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import lock_account
from domain.contact import HOME_REGION, Field, country_of, name_of, phone_of
from domain.errors import Invalid, LimitReached, NotFound
from models import Address

ADDRESSES_LIMIT = 50
PART_LIMIT = 200

REQUIRED_AT_HOME = ("province", "city", "district", "line1")
REQUIRED_ABROAD = ("city", "line1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postal:
    """Where a parcel goes and who takes it, as somebody wrote it down."""

    recipient: str
    phone: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    line2: str
    postal_code: str


def checked(given: Postal, *, field: Field = ()) -> Postal:
    """The address in the spelling it is stored in; Invalid names the part that is missing or wrong."""
    country = country_of(given.country_code, field=(*field, "country_code"))
    parts = {part.name: " ".join(getattr(given, part.name).split()) for part in fields(given)}
    for name in REQUIRED_AT_HOME if country == HOME_REGION else REQUIRED_ABROAD:
        if not parts[name]:
            raise Invalid(f"An address needs its {name.rstrip('1')}.", field=(*field, name))
    for name, text in parts.items():
        if len(text) > PART_LIMIT:
            raise Invalid(f"At most {PART_LIMIT} characters.", field=(*field, name))
    return replace(
        Postal(**parts),
        recipient=name_of(given.recipient, field=(*field, "recipient")),
        phone=phone_of(given.phone, region=country, field=(*field, "phone")),
        country_code=country,
    )


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
