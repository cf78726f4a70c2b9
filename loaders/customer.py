"""Finding customers, and the figures of each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import ColumnElement, String, func, literal_column, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import ByKey, Grouped, loader
from loaders.order import PHONE_TAIL_DIGITS
from loaders.page import Key, Sort
from models import (
    STAFF,
    Account,
    Address,
    CurrencyCode,
    Delivery,
    GuestAccount,
    Money,
    Order,
    Payment,
    Reading,
    Refund,
    RefundStatus,
    Role,
    Ticket,
    TicketStatus,
)
from models.account import GIVEN_NAME, LAST_WORD, NAME_BEGINS
from models.order import PHONE_TAIL
from models.sql.together import read_together
from models.sql.types import AnyColumn, AnySelect

NEWEST_ACCOUNT = Sort("newest", (Key(Account.id, descending=True),))

NEWEST_READING = Sort("newest", (Key(Reading.id, descending=True),))

LATEST_LIMIT = 20
"""The most orders and tickets that the page of a customer shows."""

ENDED_TICKETS = (TicketStatus.CANCELLED, TicketStatus.COMPLETED, TicketStatus.REJECTED)


@dataclass(frozen=True, slots=True)
class CustomerCriteria:
    """What a customer is looked for by: any that is given is enough; all customers without any."""

    name: str | None = None
    """How the name, its last word or a Chinese given name begins, in small letters."""
    email: str | None = None
    phone: str | None = None
    """The last digits, four or more, of a phone number of the account or of an address."""
    postal_code: str | None = None
    number: str | None = None
    """How the number of one of the orders begins."""

    @property
    def is_empty(self) -> bool:
        return not any((self.name, self.email, self.phone, self.postal_code, self.number))


def select_customers(criteria: CustomerCriteria) -> AnySelect:
    """Accounts of customers and guests; each condition is read from an index of its own."""
    customers = select(Account).where(
        Account.role.in_((Role.CUSTOMER, Role.GUEST_BUYER)), Account.erased_at.is_(None)
    )
    if criteria.is_empty:
        return customers
    return customers.where(Account.id.in_(union(*account_id_selects(criteria))))


def account_id_selects(criteria: CustomerCriteria) -> list[AnySelect]:
    """The ids of the accounts that meet each condition."""
    orders = select(Order.account_id)
    found: list[AnySelect] = []
    if criteria.name:
        parts = [NAME_BEGINS, LAST_WORD] + ([] if criteria.name.isascii() else [GIVEN_NAME])
        for part in parts:
            begins = literal_column(part, String).startswith(criteria.name, autoescape=True)
            found.append(select(Account.id).where(begins))
    if criteria.email:
        found.append(select(Account.id).where(Account.email == criteria.email))
        found.append(select(GuestAccount.account_id).where(GuestAccount.email == criteria.email))
    if criteria.phone:
        for table, account_id in (
            (Account, Account.id),
            (GuestAccount, GuestAccount.account_id),
            (Address, Address.account_id),
        ):
            found.append(with_phone(select(account_id), table.__tablename__, table.phone, criteria.phone))
        by_delivery = orders.join(Delivery, Delivery.order_id == Order.id)
        found.append(with_phone(by_delivery, Delivery.__tablename__, Delivery.phone, criteria.phone))
    if criteria.postal_code:
        found.append(select(Address.account_id).where(Address.postal_code == criteria.postal_code))
        by_delivery = orders.join(Delivery, Delivery.order_id == Order.id)
        found.append(by_delivery.where(Delivery.postal_code == criteria.postal_code))
    if criteria.number:
        found.append(orders.where(Order.number.startswith(criteria.number, autoescape=True)))
    return found


def with_phone(statement: AnySelect, table: str, phone: AnyColumn, digits: str) -> AnySelect:
    """With a phone number that ends so, found by its last four digits."""
    tail = PHONE_TAIL.replace("phone", f"{table}.phone")
    return statement.where(
        literal_column(tail, String) == digits[-PHONE_TAIL_DIGITS:], phone.endswith(digits, autoescape=True)
    )


def select_staff(roles: Collection[Role] | None) -> AnySelect:
    """Accounts of the staff that may sign in, with one of these roles."""
    return select(Account).where(
        Account.role.in_(STAFF if roles is None else roles), Account.disabled_at.is_(None)
    )


def select_readings(*, account_id: int | None, reader_id: int | None) -> AnySelect:
    """Who has read what of whom: of one account, by one reader, or all."""
    statement = select(Reading)
    for column, value in ((Reading.account_id, account_id), (Reading.reader_id, reader_id)):
        if value is not None:
            statement = statement.where(column == value)
    return statement


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """What a customer has bought and asked for so far."""

    orders: int = 0
    spent: Sequence[Money] = field(default=())
    refunded: Sequence[Money] = field(default=())
    open_tickets: int = 0


class FiguresByCustomer(Grouped[int, CustomerFigures]):
    """The figures of customers: four statements, whatever their number."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, CustomerFigures]:
        is_refunded = Refund.status == RefundStatus.SUCCEEDED
        orders, tickets, spent, refunded = await read_together(
            session,
            count_by_account(session, Order.account_id, keys),
            count_by_account(session, Ticket.account_id, keys, Ticket.status.not_in(ENDED_TICKETS)),
            sum_by_account(session, Payment.captured_amount, Payment, keys),
            sum_by_account(session, Refund.amount, Refund, keys, is_refunded),
        )
        return {
            key: CustomerFigures(orders.get(key, 0), spent[key], refunded[key], tickets.get(key, 0))
            for key in keys
        }

    def default(self) -> CustomerFigures:
        return CustomerFigures()


async def count_by_account(
    session: AsyncSession, column: AnyColumn, keys: list[int], *conditions: ColumnElement[bool]
) -> dict[int, int]:
    rows = await session.execute(
        select(column, func.count()).where(column.in_(keys), *conditions).group_by(column)
    )
    return {account_id: int(number) for account_id, number in rows}


async def sum_by_account(
    session: AsyncSession,
    amount: AnyColumn,
    table: type[Payment | Refund],
    keys: list[int],
    *conditions: ColumnElement[bool],
) -> defaultdict[int, list[Money]]:
    """Sums by account, one for each currency that is not nothing."""
    rows = await session.execute(
        select(Order.account_id, table.currency, func.sum(amount))
        .join(Order, Order.id == table.order_id)
        .where(Order.account_id.in_(keys), *conditions)
        .group_by(Order.account_id, table.currency)
        .order_by(table.currency)
    )
    sums: defaultdict[int, list[Money]] = defaultdict(list)
    for account_id, currency, total in rows:
        if total:
            sums[account_id].append(Money(int(total), CurrencyCode(currency)))
    return sums


class LatestOrdersByCustomer(Grouped[int, Sequence[Order]]):
    """The newest orders of each customer, in one statement."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Order]]:
        return await read_latest(session, Order, keys)

    def default(self) -> Sequence[Order]:
        return ()


class LatestTicketsByCustomer(Grouped[int, Sequence[Ticket]]):
    """The newest tickets of each customer, in one statement."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Ticket]]:
        return await read_latest(session, Ticket, keys)

    def default(self) -> Sequence[Ticket]:
        return ()


R = TypeVar("R", Order, Ticket)


async def read_latest(session: AsyncSession, model: type[R], keys: list[int]) -> Mapping[int, Sequence[R]]:
    """Up to LATEST_LIMIT rows of each account, the newest first."""
    place = func.row_number().over(partition_by=model.account_id, order_by=model.id.desc())
    ranked = select(model, place.label("place")).where(model.account_id.in_(keys)).subquery()
    row = aliased(model, ranked)
    found: defaultdict[int, list[R]] = defaultdict(list)
    for each in await session.scalars(
        select(row).where(ranked.c.place <= LATEST_LIMIT).order_by(ranked.c.id.desc())
    ):
        found[each.account_id].append(each)
    return found


class GuestAccountById(ByKey[int, GuestAccount]):
    key = GuestAccount.account_id


class CustomerLoaders:
    customer_figures = loader(FiguresByCustomer)
    customer_orders = loader(LatestOrdersByCustomer)
    customer_tickets = loader(LatestTicketsByCustomer)
    guest_account = loader(GuestAccountById)
