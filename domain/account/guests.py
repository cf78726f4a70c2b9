"""Guests who order: each order has an account of its own, to which nobody can sign in.

The secret of the order is the access token of a sign-in that cannot be refreshed: whoever has it is that
account, and the account has this one order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import normalize_email, normalize_phone
from domain.errors import Invalid, WrongState, collect_refusals
from domain.notice import NoticeDraft, channel_of, queue_notice
from models import Account, GuestAccount, NoticeKind, Order, Role, SignIn
from models.sql.upsert import upsert_into

Field = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class GuestContact:
    """Where a guest is reached."""

    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class GuestBuyer:
    """A guest who orders, and the sign-in by which the order is opened afterwards."""

    key: str
    """Hash of the cart's token and the idempotency key: the same for every attempt at the same order."""
    name: str
    contact: GuestContact
    language: str
    family: str
    """Of the sign-in; the first attempt's stays."""
    expires_at: datetime
    """Until when the sign-in opens the order, and the guest's data is kept."""


class OrderTakenOver(WrongState):
    """Another account has the guest's order now."""

    def __init__(self) -> None:
        super().__init__("This order is not a guest's any more: sign in to see it.")


def check_guest_contact(email: str | None, phone: str | None, *, field: Field = ("contact",)) -> GuestContact:
    """An e-mail address, a phone number or both, as they are stored; Invalid for what is none."""
    if not (email or phone):
        raise Invalid("Give an e-mail address or a phone number.", field=field)
    with collect_refusals() as check:
        contact = GuestContact(
            check.value(normalize_email, None, email, field=(*field, "email")) if email else None,
            check.value(normalize_phone, None, phone, field=(*field, "phone")) if phone else None,
        )
    return contact


async def open_guest_accounts(
    session: AsyncSession, guests: Sequence[GuestBuyer], *, now: datetime
) -> dict[str, GuestAccount]:
    """The accounts of these guests by key; who orders for the first time gets one.

    A second attempt at the same moment waits until the first has committed or failed.
    """
    accounts = await find_guest_accounts(session, [guest.key for guest in guests])
    # sorted, so that no two transactions wait for each other
    missing = sorted((guest for guest in guests if guest.key not in accounts), key=lambda guest: guest.key)
    if missing:
        opened = [new_account(guest, now) for guest in missing]
        session.add_all(opened)
        await session.flush()
        rows = [guest_row(guest, account.id) for guest, account in zip(missing, opened, strict=True)]
        await session.execute(upsert_into(session, GuestAccount).on_conflict_do_nothing(), rows)
        accounts |= await find_guest_accounts(session, [guest.key for guest in missing])
        used = {guest.account_id for guest in accounts.values()}
        await delete_guest_accounts(session, {account.id for account in opened} - used)
    return accounts


async def find_guest_accounts(session: AsyncSession, keys: Collection[str]) -> dict[str, GuestAccount]:
    """The accounts of guests who have ordered, by key."""
    found = await session.scalars(
        select(GuestAccount).where(GuestAccount.key.in_(keys)).execution_options(populate_existing=True)
    )
    return {guest.key: guest for guest in found}


def new_account(guest: GuestBuyer, now: datetime) -> Account:
    return Account(
        role=Role.GUEST_BUYER,
        name=guest.name,
        password_hash="",
        language=guest.language,
        created_at=now,
        erasure_due_at=guest.expires_at,
    )


def guest_row(guest: GuestBuyer, account_id: int) -> Mapping[str, object]:
    contact = guest.contact
    return {"account_id": account_id, "key": guest.key, "email": contact.email, "phone": contact.phone}


async def delete_guest_accounts(session: AsyncSession, account_ids: Collection[int]) -> None:
    """Delete accounts of guests whose order was not placed."""
    if account_ids:
        for table, column in ((GuestAccount, GuestAccount.account_id), (Account, Account.id)):
            await session.execute(
                delete(table).where(column.in_(account_ids)).execution_options(synchronize_session=False)
            )


async def open_guest_sign_ins(
    session: AsyncSession, guests: Sequence[tuple[GuestBuyer, int]], *, now: datetime
) -> None:
    """Store the sign-ins by which new orders are opened: guests with the ids of their accounts."""
    rows = [
        {
            "account_id": account_id,
            "family": guest.family,
            "address": "",
            "user_agent": "",
            "created_at": now,
            "used_at": now,
            "expires_at": guest.expires_at,
        }
        for guest, account_id in guests
    ]
    await session.execute(insert(SignIn), rows)


async def request_secret(
    session: AsyncSession, number: str, contact: str, *, key: str, language: str, now: datetime
) -> None:
    """Queue a notice with the secret of a guest's order.

    The same statements run whether or not there is such an order with this contact: that is decided when the
    notice is sent.
    """
    facts = {"number": number}
    draft = NoticeDraft(
        key, NoticeKind.ORDER_SECRET, channel_of(contact), contact, language=language, facts=facts
    )
    await queue_notice(session, draft, now=now)


async def find_guest_sign_in(session: AsyncSession, number: str, contact: str) -> SignIn | None:
    """The sign-in that opens the order of this number, where its guest is reached at this contact."""
    return await session.scalar(
        select(SignIn)
        .join(GuestAccount, GuestAccount.account_id == SignIn.account_id)
        .join(Order, Order.account_id == SignIn.account_id)
        .where(Order.number == number, or_(GuestAccount.email == contact, GuestAccount.phone == contact))
    )


async def close_guest_account(session: AsyncSession, account_id: int, *, now: datetime) -> None:
    """Note that the order of a guest's account is not opened by the guest any more."""
    await session.execute(
        update(GuestAccount)
        .where(GuestAccount.account_id == account_id, GuestAccount.closed_at.is_(None))
        .values(closed_at=now, email=None, phone=None)
    )
