"""Customers as the staff find and serve them, and the staff themselves."""

from datetime import datetime

import strawberry

import models
from resolvers.account import customers as resolve
from resolvers.account.readings import personal_data_readings
from resolvers.guard import Permission
from schema.account import Account
from schema.aftersales import Ticket
from schema.connection import Connection
from schema.limits.sizes import FEW, MANY, SEARCH
from schema.order import Order
from schema.rows import batched, field, loaded, plain_list, row_type
from schema.scalars import Money


@row_type(resolve.CustomerFigures)
class CustomerFigures:
    """What a customer has bought and asked for so far."""

    orders: int
    """How many orders were placed."""
    spent: list[Money] = plain_list(size=FEW)
    """What was paid, in each currency."""
    refunded: list[Money] = plain_list(size=FEW)
    """What was paid back, in each currency."""
    open_tickets: int
    """How many tickets are not finished."""


@row_type(resolve.Customer)
class Customer:
    """Somebody who buys, or may, as the staff see them: a customer or a guest who has ordered."""

    account: Account
    """The account; nobody signs in to that of a guest."""
    email: str | None = batched(resolve.customer_emails)
    phone: str | None = batched(resolve.customer_phones)
    figures: CustomerFigures = batched(resolve.customer_figures)
    orders: list[Order] = batched(resolve.customer_orders, size=MANY)
    tickets: list[Ticket] = batched(resolve.customer_tickets, size=MANY)


@row_type(models.Reading)
class PersonalDataReading:
    """One operation by which a member of the staff read personal data of a customer."""

    reader: Account = loaded("account", key="reader_id")
    """Who read."""
    customer: Account = loaded("account", key="account_id")
    """Whose data it was."""
    operation: str
    """The name the application gave the operation; empty where it gave none."""
    fields: list[str] = plain_list(size=FEW)
    """The fields that were read, such as "Account.email"."""
    read_at: datetime
    """When it was read."""


@strawberry.type
class CustomerQuery:
    customer: Customer | None = field(resolve.customer, allow=Permission.CUSTOMER_VIEW)
    customers: Connection[Customer] = field(resolve.customers, allow=Permission.CUSTOMER_VIEW, price=SEARCH)
    staff: Connection[Account] = field(resolve.staff, allow=Permission.STAFF_VIEW)
    personal_data_readings: Connection[PersonalDataReading] = field(
        personal_data_readings, allow=Permission.STAFF_MANAGE
    )
