"""Erasing an account: asked for by its owner, and refused while something is open.

Nothing personal is left. Ids, amounts and times stay, so that the books do not change.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account import attempts_key, end_sign_ins, lock_account
from domain.account.guests import close_guest_account
from domain.aftersales.states import FINAL as FINAL_TICKETS
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import EVENT_TYPES
from domain.events.types import facts_of, hints_of
from domain.notice import queue_account_notice
from domain.order.states import OPEN_REFUNDS
from domain.outbox import EventTable, rewrite_payloads
from domain.personal_data.belongings import orders_of, shipments_of, tickets_of
from domain.personal_data.inventory import (
    PERSONAL_TABLES,
    PersonalTable,
)
from domain.personal_data.texts import EVENT_TEXTS
from domain.store_credit import find_balances, forfeit_credit
from models import (
    STAFF,
    Account,
    Base,
    DeliveryRun,
    DeliveryRunStatus,
    GuestAccount,
    Money,
    Notice,
    NoticeKind,
    Order,
    OrderStatus,
    Refund,
    SignIn,
    SignInFailures,
    Subject,
    Ticket,
    Verification,
)
from models.base import JsonObject
from models.sql.types import AnyColumn, AnySelect

ERASURE_DELAY = timedelta(seconds=30)
"""From the request to the erasure: what was under way with the account's last tokens has ended by then, and
what has been opened meanwhile is seen."""
RETRY_DELAY = timedelta(hours=1)
"""When an erasure is tried again because something was opened in the last moment."""


OPEN_ORDERS = (OrderStatus.PENDING, OrderStatus.CONFIRMED)
"""Orders that are not received, cancelled or refunded yet."""


class CreditLeft(WrongState):
    """An account with store credit is erased only where its owner gives that up."""

    def __init__(self, left: Money) -> None:
        super().__init__(
            "There is store credit of {left}: spend it, or confirm that you give it up.",
            left=left,
            field=("forfeit_store_credit",),
        )


async def request_erasure(
    session: AsyncSession, account_id: int, *, forfeit: bool = False, cause: Cause
) -> Account:
    """Disable a customer's account and have it erased in a moment.

    WrongState, by its number, while an order, a ticket or a refund is open, and while there is store credit,
    unless it is to be forfeited. The staff's accounts are the shop's: `erase_staff`.
    """
    account = await lock_account(session, account_id)
    if account.role in STAFF:
        raise WrongState("Accounts of the staff are erased by an administrator.")
    await refuse_while_open(session, account)
    if forfeit:
        await forfeit_credit(session, account_id, now=cause.now)
    await refuse_with_credit(session, account)
    account.disabled_at = account.disabled_at or cause.now
    account.erasure_due_at = cause.now + ERASURE_DELAY
    await end_sign_ins(session, SignIn.account_id == account_id, now=cause.now)
    await queue_account_notice(
        session, account, NoticeKind.ERASURE_REQUESTED, key=f"erasure:{account_id}", now=cause.now
    )
    return account


async def erase_staff(session: AsyncSession, account_id: int, *, cause: Cause) -> Account:
    """Erase the account of a former member of the staff, which was disabled before.

    What they wrote for the shop stays, by nobody that has a name.
    """
    if account_id == cause.by:
        raise WrongState("Another administrator must do this.", field=("id",))
    account = await lock_account(session, account_id)
    if account.role not in STAFF or account.disabled_at is None or account.erased_at is not None:
        raise WrongState("Only a disabled account of the staff can be erased.", field=("id",))
    running = DeliveryRun.status.in_((DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE))
    if await session.scalar(select(DeliveryRun.id).where(DeliveryRun.courier_id == account_id, running)):
        raise WrongState("A delivery run of this courier has not ended.", field=("id",))
    unassigned = update(Ticket).where(Ticket.assignee_id == account_id, Ticket.status.not_in(FINAL_TICKETS))
    await session.execute(unassigned.values(assignee_id=None))
    account.erasure_due_at = cause.now
    return account


async def refuse_while_open(session: AsyncSession, account: Account) -> None:
    """WrongState with the number of the first open ticket or refund, else of the first open order."""
    ticket = await session.scalar(
        select(Ticket.number)
        .where(Ticket.account_id == account.id, Ticket.status.not_in(FINAL_TICKETS))
        .order_by(Ticket.id)
        .limit(1)
    )
    if ticket is not None:
        raise WrongState("Request {ticket} is not finished yet.", ticket=ticket)
    refund = await session.scalar(
        select(Refund.reference)
        .where(Refund.order_id.in_(orders_of(account.id)), Refund.status.in_(OPEN_REFUNDS))
        .order_by(Refund.id)
        .limit(1)
    )
    if refund is not None:
        raise WrongState("Refund {refund} is not paid yet.", refund=refund)
    order = await session.scalar(
        select(Order.number)
        .where(Order.account_id == account.id, Order.status.in_(OPEN_ORDERS))
        .order_by(Order.id)
        .limit(1)
    )
    if order is not None:
        raise WrongState("Order {order} is not finished yet.", order=order)


async def refuse_with_credit(session: AsyncSession, account: Account) -> None:
    """CreditLeft while there is store credit."""
    if balances := await find_balances(session, account.id):
        raise CreditLeft(balances[0])


def select_due_erasures(now: datetime) -> AnySelect:
    """The ids of accounts to erase now."""
    return select(Account.id).where(Account.erasure_due_at <= now).order_by(Account.erasure_due_at)


async def erase_account(session: AsyncSession, account_id: int, *, now: datetime) -> bool:
    """Erase an account that is due; False where it is not, or where something was opened meanwhile."""
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()  # also against orders that refer to it, which are being placed
        .execution_options(populate_existing=True)
    )
    if account is None or account.erasure_due_at is None or account.erasure_due_at > now:
        return False
    try:
        await refuse_while_open(session, account)
        await refuse_with_credit(session, account)
    except WrongState:
        account.erasure_due_at = now + RETRY_DELAY
        return False
    account.erasure_due_at, account.erased_at = None, now
    account.email_verified_at = account.phone_verified_at = None
    await erase_contacts(session, account)
    await close_guest_account(session, account_id, now=now)
    await erase_event_texts(session, account)
    for model, table in PERSONAL_TABLES.items():
        # not all that staff wrote is about themselves
        if account.role not in STAFF or model in OWN_TABLES:
            await erase_rows(session, model, table, account.id)
    return True


def find_own_tables() -> frozenset[type[Base]]:
    """Tables of the account itself, whatever it did for the shop, and those that hang on deleted ones."""
    own = {
        model
        for model in PERSONAL_TABLES
        if model is Account or (hasattr(model, "account_id") and model is not Order)
    }
    while hanging := {
        model for model in PERSONAL_TABLES.keys() - own if tables_above(model) & deleted_tables(own)
    }:
        own |= hanging
    return frozenset(own)


def tables_above(model: type[Base]) -> set[str]:
    """The names of the tables that the rows of a model need."""
    return {key.column.table.name for key in model.__table__.foreign_keys if not key.parent.nullable}


def deleted_tables(models: Collection[type[Base]]) -> set[str]:
    return {model.__tablename__ for model in models if PERSONAL_TABLES[model].deleted}


OWN_TABLES = find_own_tables()


async def erase_rows(session: AsyncSession, model: type[Base], table: PersonalTable, account_id: int) -> None:
    belongs = table.belongs(account_id)
    if table.deleted:
        await session.execute(delete(model).where(belongs).execution_options(synchronize_session=False))
    elif table.erased:
        changed = update(model).where(belongs).values(dict(table.erased))
        await session.execute(changed.execution_options(synchronize_session=False))


async def erase_contacts(session: AsyncSession, account: Account) -> None:
    """Delete what is stored by an e-mail address or phone number, and not by the account."""
    guest = await session.get(GuestAccount, account.id, populate_existing=True)
    given = (account.email, account.phone, *((guest.email, guest.phone) if guest else ()))
    contacts = [contact for contact in given if contact]
    logins = [*contacts, attempts_key(account.id)]
    await session.execute(delete(SignInFailures).where(SignInFailures.login.in_(logins)))
    await session.execute(delete(Notice).where(is_notice_of(account.id, contacts)))
    await session.execute(
        delete(Verification).where(
            or_(Verification.contact.in_(contacts), Verification.account_id == account.id)
        )
    )


def is_notice_of(account_id: int, contacts: list[str]) -> ColumnElement[bool]:
    """Whether a notice went to the account, to one of its contacts, or brings a code that one asked for."""
    asked = select(Verification.id).where(
        or_(Verification.contact.in_(contacts), Verification.account_id == account_id)
    )
    return or_(
        Notice.account_id == account_id, Notice.recipient.in_(contacts), Notice.verification_id.in_(asked)
    )


async def erase_event_texts(session: AsyncSession, account: Account) -> None:
    """Empty the texts in the events of what is the account's, archived ones included."""
    texts = texts_by_event()

    def is_concerned(table: EventTable) -> ColumnElement[bool]:
        return and_(is_event_of(table, account.id), table.name.in_(texts))

    def erase_texts(name: str, payload: JsonObject) -> JsonObject:
        return {key: "" if key in texts[name] and value else value for key, value in payload.items()}

    await rewrite_payloads(session, is_concerned, erase_texts)


def is_event_of(model: EventTable, account_id: int | AnyColumn) -> ColumnElement[bool]:
    """Whether something happened to what is the account's."""
    return or_(
        model.account_id == account_id,
        and_(model.subject == Subject.ORDER, model.subject_id.in_(orders_of(account_id))),
        and_(model.subject == Subject.SHIPMENT, model.subject_id.in_(shipments_of(account_id))),
        and_(model.subject == Subject.TICKET, model.subject_id.in_(tickets_of(account_id))),
    )


@cache
def texts_by_event() -> Mapping[str, frozenset[str]]:
    """The stored name of each event that has a field of EVENT_TEXTS -> these fields.

    A field of this name may be an enum in another event, such as the reason of a ticket: that one stays.
    """
    found = {
        name: frozenset(
            each.name
            for each in facts_of(event_type)
            if each.name in EVENT_TEXTS and hints_of(name)[each.name] in (str, str | None)
        )
        for name, event_type in EVENT_TYPES.items()
    }
    return {name: texts for name, texts in found.items() if texts}
