"""Resolvers of address books."""

from collections.abc import Sequence

import strawberry

from domain.address import remove_address, save_address
from models import Account, Address
from resolvers.account.contact import may_see_contact
from resolvers.account.customers import served_customer_id
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.account import PostalAddressInput


async def address_save(
    info: Info,
    address: PostalAddressInput,
    id: strawberry.ID | None = None,
    is_default: bool = False,
    customer_id: strawberry.ID | None = None,
) -> Address:
    """Adds an address to one's own address book, or changes one; the staff do so for a customer.

    address: the whole address
    id: the address to change; a new one is added without it
    is_default: whether it becomes the default; the first address always does
    customer_id: the customer whose address book it is; only the staff give one
    """
    address_id = None if id is None else row_id(id, "Address")
    account_id = await served_customer_id(info, customer_id) or info.context.viewer.id
    async with info.context.transaction() as session:
        return await save_address(
            session,
            account_id=account_id,
            address_id=address_id,
            postal=address.postal(),
            is_default=is_default,
            now=info.context.now,
        )


async def address_remove(info: Info, id: strawberry.ID, customer_id: strawberry.ID | None = None) -> Account:
    """Removes an address from one's own address book, or for a customer; orders keep the address they were
    sent to.

    id: the address
    customer_id: the customer whose address book it is; only the staff give one
    """
    account_id = await served_customer_id(info, customer_id) or info.context.viewer.id
    async with info.context.transaction() as session:
        await remove_address(session, account_id=account_id, address_id=row_id(id, "Address"))
        return await session.get_one(Account, account_id)


async def addresses(accounts: Sequence[Account], info: Info) -> Sequence[Sequence[Address]]:
    """The address book, the default first; empty unless it is the viewer's own or the viewer is staff."""
    visible = [account.id for account in accounts if may_see_contact(info, account)]
    books = await info.context.load.account_addresses.load_many(visible)
    by_account = dict(zip(visible, books, strict=True))
    return [by_account.get(account.id, []) for account in accounts]


async def find_address(info: Info, address_id: int) -> Address | None:
    address = await info.context.load.address.load(address_id)
    return address if address and info.context.viewer.owns(address.account_id) else None
