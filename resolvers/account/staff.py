"""Resolvers of the accounts of the staff, and of whether an account may sign in."""

import strawberry

import models
from domain.account import (
    change_staff_role,
    create_staff,
    disable_account,
    enable_account,
    validate_password,
)
from domain.aftersales.assignment import release_tickets
from domain.delivery_run import note_lost_courier
from models import Account
from resolvers.context import Info
from resolvers.ids import row_id


async def staff_create(
    info: Info,
    role: models.Role,
    name: str,
    password: str,
    email: str | None = None,
    phone: str | None = None,
) -> Account:
    """Creates an account for a member of staff.

    role: their role
    name: how to address them
    password: 8 to 128 characters
    email: their e-mail address; this or a phone number is needed
    phone: their phone number; without a country code it is a Chinese one
    """
    password_hash = await info.context.shop.secrets.hash_password(validate_password(password))
    async with info.context.transaction() as session:
        return await create_staff(
            session,
            role=role,
            email=email,
            phone=phone,
            name=name,
            password_hash=password_hash,
            now=info.context.now,
        )


async def account_disable(info: Info, id: strawberry.ID) -> Account:
    """Disables an account and ends its sign-ins; its access tokens are refused within seconds. Runs that
    wait for a courier or are under way with one become a task of those who plan (`deliveryRuns(filter:
    { stalled: true })`).

    The tickets that an agent has are nobody's then.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        account = await disable_account(session, account_id, cause=info.context.cause)
        await release_tickets(session, account, cause=info.context.cause)
        await note_lost_courier(session, account_id, cause=info.context.cause)
        return account


async def account_enable(info: Info, id: strawberry.ID) -> Account:
    """Enables a disabled account again.

    id: the account
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        return await enable_account(session, account_id)


async def staff_role_change(info: Info, id: strawberry.ID, role: models.Role) -> Account:
    """Gives a member of the staff another role; its permissions hold within seconds, for open sockets, too.
    The runs of somebody who may not drive any more become a task of those who plan.

    id: the account
    role: the new role
    """
    account_id = row_id(id, "Account")
    async with info.context.transaction() as session:
        account = await change_staff_role(session, account_id, role=role, cause=info.context.cause)
        await release_tickets(session, account, cause=info.context.cause)
        await note_lost_courier(session, account_id, cause=info.context.cause)
        return account
