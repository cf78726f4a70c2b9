"""Customers, as the staff find and serve them."""

import strawberry

from domain.errors import Invalid, NotFound
from models import Role
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id


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
    if info.context.viewer.owns(account_id):
        return None
    account = await info.context.load.account.load(account_id) if serves else None
    if account is None or account.role is not Role.CUSTOMER or account.disabled_at:
        raise NotFound("account", field=field)
    return account.id
