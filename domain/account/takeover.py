"""An account takes the orders of guests over who were reached at one of its verified contacts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.sessions import end_sign_ins
from models import (
    Account,
    ArchivedEvent,
    Event,
    GuestAccount,
    IdempotencyKey,
    Media,
    Notice,
    Order,
    OrderEdit,
    PromotionBuyer,
    PromotionUse,
    Reading,
    Role,
    SignIn,
    Ticket,
    TicketMessage,
    TicketRead,
)
from models.sql.types import AnyColumn
from models.sql.upsert import upsert_into

TAKEOVER_LIMIT = 100
"""Guests whose orders are taken over at once; the next sign-in takes over the next ones."""


async def take_over_guest_orders(session: AsyncSession, account: Account, *, now: datetime) -> int:
    """Make the orders of guests those of a locked account, with everything about them; returns how many.

    Only what was ordered with an e-mail address that the account has verified, or with nothing but its
    verified phone number. The secrets of the orders open nothing from then on.
    """
    contacts = [*verified_contacts(account)]
    if account.role is not Role.CUSTOMER or not contacts:
        return 0
    guest_ids = await lock_guests(session, contacts)
    if not guest_ids:
        return 0
    orders = select(Order.id).where(Order.account_id.in_(guest_ids)).order_by(Order.id).with_for_update()
    order_ids = (await session.scalars(orders)).all()
    await move_rows(session, guest_ids, order_ids, account.id)
    await move_promotion_uses(session, guest_ids, account.id)
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.account_id.in_(guest_ids)))
    await end_sign_ins(session, SignIn.account_id.in_(guest_ids), now=now)
    await close_accounts(session, guest_ids, now=now)
    return len(order_ids)


def verified_contacts(account: Account) -> Sequence[ColumnElement[bool]]:
    """Whether a guest was reached at a contact that the account has verified, for each of them.

    A phone number counts only where no e-mail address was given: numbers are mistyped, and given to others.
    """
    by_email = GuestAccount.email == account.email
    by_phone = (GuestAccount.phone == account.phone) & GuestAccount.email.is_(None)
    verified = ((by_email, account.email_verified_at), (by_phone, account.phone_verified_at))
    return [condition for condition, verified_at in verified if verified_at is not None]


async def lock_guests(session: AsyncSession, contacts: Sequence[ColumnElement[bool]]) -> Sequence[int]:
    """The accounts of guests with open orders at these contacts, locked against a second takeover."""
    found = await session.scalars(
        select(GuestAccount.account_id)
        .where(or_(*contacts), GuestAccount.closed_at.is_(None))
        .order_by(GuestAccount.account_id)
        .limit(TAKEOVER_LIMIT)
        .with_for_update()
    )
    return found.all()


async def move_rows(
    session: AsyncSession, guest_ids: Sequence[int], order_ids: Sequence[int], account_id: int
) -> None:
    """Make everything about the orders the account's; what was opened a moment ago is found by the order."""
    tickets = select(Ticket.id).where(Ticket.order_id.in_(order_ids))
    of_guests: Sequence[tuple[AnyColumn, ColumnElement[bool]]] = [
        (Ticket.account_id, Ticket.order_id.in_(order_ids)),
        (
            TicketMessage.author_id,
            TicketMessage.ticket_id.in_(tickets) & TicketMessage.author_id.in_(guest_ids),
        ),
        (TicketRead.account_id, TicketRead.ticket_id.in_(tickets) & TicketRead.account_id.in_(guest_ids)),
        (PromotionUse.account_id, PromotionUse.order_id.in_(order_ids)),
        (Notice.account_id, Notice.account_id.in_(guest_ids)),
        (Media.uploader_id, Media.uploader_id.in_(guest_ids)),
        (Reading.account_id, Reading.account_id.in_(guest_ids)),
        (OrderEdit.requested_by, OrderEdit.requested_by.in_(guest_ids)),
        (Event.actor_id, Event.account_id.in_(guest_ids) & Event.actor_id.in_(guest_ids)),
        (Event.account_id, Event.account_id.in_(guest_ids)),
        (
            ArchivedEvent.actor_id,
            ArchivedEvent.account_id.in_(guest_ids) & ArchivedEvent.actor_id.in_(guest_ids),
        ),
        (ArchivedEvent.account_id, ArchivedEvent.account_id.in_(guest_ids)),
        (Order.account_id, Order.id.in_(order_ids)),
    ]
    for column, condition in of_guests:
        changed = update(column.class_).where(condition).values({column.key: account_id})
        await session.execute(changed.execution_options(synchronize_session=False))


async def move_promotion_uses(session: AsyncSession, guest_ids: Sequence[int], account_id: int) -> None:
    """Count what guests had of promotions for the account: some are limited per customer by now."""
    statement = upsert_into(session, PromotionBuyer).from_select(
        ["promotion_id", "account_id", "uses", "flash_units"], select_uses(guest_ids, account_id)
    )
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[PromotionBuyer.promotion_id, PromotionBuyer.account_id],
            set_={
                "uses": PromotionBuyer.uses + new.uses,
                "flash_units": PromotionBuyer.flash_units + new.flash_units,
            },
        )
    )
    await session.execute(delete(PromotionBuyer).where(PromotionBuyer.account_id.in_(guest_ids)))


def select_uses(guest_ids: Sequence[int], account_id: int) -> Select[int, int, int, int]:
    uses = func.sum(PromotionBuyer.uses), func.sum(PromotionBuyer.flash_units)
    return (
        select(PromotionBuyer.promotion_id, literal(account_id), *uses)
        .where(PromotionBuyer.account_id.in_(guest_ids))
        .group_by(PromotionBuyer.promotion_id)
        .order_by(PromotionBuyer.promotion_id)
    )


async def close_accounts(session: AsyncSession, guest_ids: Sequence[int], *, now: datetime) -> None:
    """Leave nothing personal on the accounts of guests, which nobody opens any more."""
    await session.execute(
        update(GuestAccount)
        .where(GuestAccount.account_id.in_(guest_ids))
        .values(closed_at=now, email=None, phone=None)
    )
    await session.execute(
        update(Account)
        .where(Account.id.in_(guest_ids))
        .values(name="", language=None, disabled_at=now, erased_at=now, erasure_due_at=None)
    )
