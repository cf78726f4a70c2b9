"""Customers, as the staff find and serve them, and the staff themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

import models
from domain.account.registration import check_staff_role
from domain.contact import normalize_email
from domain.errors import Invalid, NotFound
from loaders.customer import (
    NEWEST_ACCOUNT,
    CustomerCriteria,
    CustomerFigures,
    select_customers,
    select_staff,
)
from loaders.order import PHONE_TAIL_DIGITS
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Account, Order, Role, Ticket
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.paging import query_page

__all__ = ["CustomerFigures"]  # of others, shown by the schema

QUERY_LIMIT = 100
"""Characters of what a customer is looked for by."""
PHONE_LIMIT = 15

BUYERS = (Role.CUSTOMER, Role.GUEST_BUYER)


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys, or may: a customer or a guest who has ordered."""

    account: Account

    @property
    def account_id(self) -> int:
        return self.account.id


async def customers(info: Info, query: str | None = None, page: PageRequest = FIRST_PAGE) -> Page[Customer]:
    """Customers and guests who have ordered, the newest first.

    query: how a name, its last word or a Chinese given name begins, an e-mail address, the last four or more
        digits of a phone number, a postcode, or how the number of an order begins; all customers without it
    """
    statement = select_customers(CustomerCriteria() if query is None else customer_criteria(query))
    return await query_page(info, statement, NEWEST_ACCOUNT, page, shape=Customer)


def customer_criteria(query: str) -> CustomerCriteria:
    """What a query looks like; what looks like several is looked for as all of them."""
    text = " ".join(query.split())
    if not 1 <= len(text) <= QUERY_LIMIT:
        raise Invalid("Give 1 to {limit} characters.", limit=QUERY_LIMIT, field=("query",))
    if "@" in text:
        return CustomerCriteria(email=normalize_email(text, field=("query",)))
    digits = "".join(each for each in text if each not in " ()+.-")
    is_number = digits.isascii() and digits.isdigit()
    has_digit = any(each.isdigit() for each in text)
    return CustomerCriteria(
        name=None if is_number else text.lower(),
        phone=digits if is_number and PHONE_TAIL_DIGITS <= len(digits) <= PHONE_LIMIT else None,
        postal_code=text.upper() if has_digit else None,
        number=text.upper() if has_digit and text.isalnum() and text[0].isalpha() else None,
    )


async def customer(info: Info, id: strawberry.ID) -> Customer | None:
    """The page of one customer or guest; null when there is no such one.

    id: the account
    """
    try:
        account = await info.context.load.account.load(row_id(id, "Account"))
    except NotFound:
        return None
    return Customer(account) if account and account.role in BUYERS else None


async def staff(info: Info, role: models.Role | None = None, page: PageRequest = FIRST_PAGE) -> Page[Account]:
    """The accounts of the staff that are not disabled, the newest first: to plan a run, to assign a ticket.

    role: only with this role
    """
    roles = None if role is None else [check_staff_role(role)]
    return await query_page(info, select_staff(roles), NEWEST_ACCOUNT, page)


async def customer_emails(customers: Sequence[Customer], info: Info) -> list[str | None]:
    """The e-mail address; of a guest the one given with the order."""
    guests = await info.context.load.guest_account.load_many([each.account_id for each in customers])
    return [
        guest.email if guest else each.account.email for each, guest in zip(customers, guests, strict=True)
    ]


async def customer_phones(customers: Sequence[Customer], info: Info) -> list[str | None]:
    """The phone number in E.164; of a guest the one given with the order."""
    guests = await info.context.load.guest_account.load_many([each.account_id for each in customers])
    return [
        guest.phone if guest else each.account.phone for each, guest in zip(customers, guests, strict=True)
    ]


async def customer_figures(customers: Sequence[Customer], info: Info) -> list[CustomerFigures]:
    """What they have bought and asked for so far."""
    return await info.context.load.customer_figures.load_many([each.account_id for each in customers])


async def customer_orders(customers: Sequence[Customer], info: Info) -> list[Sequence[Order]]:
    """The 20 newest orders, the newest first; `orders` lists all."""
    return await info.context.load.customer_orders.load_many([each.account_id for each in customers])


async def customer_tickets(customers: Sequence[Customer], info: Info) -> list[Sequence[Ticket]]:
    """The 20 newest tickets, the newest first; `tickets` lists all."""
    return await info.context.load.customer_tickets.load_many([each.account_id for each in customers])


async def served_customer_id(
    info: Info, customer_id: strawberry.ID | None, *, field: tuple[str | int, ...] = ("customer_id",)
) -> int | None:
    """The row id of the customer whom a member of the staff serves; None where viewers act for themselves.

    Invalid where the staff name nobody; NotFound for whoever is no customer, and where anybody else asks.
    """
    serves = info.context.viewer.may(Permission.CUSTOMER_SERVE)
    if customer_id is None:
        if serves:
            raise Invalid("Say for which customer.", field=field)
        return None
    account_id = row_id(customer_id, "Account", field=field)
    if not serves and info.context.viewer.owns(account_id):
        return None
    account = await info.context.load.account.load(account_id) if serves else None
    if account is None or account.role is not Role.CUSTOMER or account.disabled_at:
        raise NotFound("account", field=field)
    return account.id
