"""Loading the staff of every role, and the customers with their addresses."""

from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import AddressContent, Content, CustomerContent
from domain.account import create_staff, register_account
from domain.address import PostalAddress, save_address
from events.shop import Shop
from models import POSTAL_FIELDS

PASSWORD = "cartwheel-demo"


async def load_accounts(shop: Shop, content: Content) -> None:
    password_hash = await shop.secrets.hash_password(PASSWORD)
    async with shop.database.writes.begin() as session:
        for person in content.staff:
            await create_staff(
                session,
                role=person.role,
                email=person.email,
                phone=None,
                name=person.name,
                password_hash=password_hash,
                now=shop.clock(),
            )
        for customer in content.customers:
            await load_customer(session, shop, customer, password_hash)


async def load_customer(
    session: AsyncSession, shop: Shop, customer: CustomerContent, password_hash: str
) -> None:
    account = await register_account(
        session,
        email=customer.email,
        phone=customer.phone,
        name=customer.name,
        password_hash=password_hash,
        language=customer.language,
        now=shop.clock(),
    )
    for position, address in enumerate(customer.addresses):
        await save_address(
            session,
            account_id=account.id,
            address_id=None,
            postal=postal_of(address),
            is_default=position == 0,
            now=shop.clock(),
        )


def postal_of(address: AddressContent) -> PostalAddress:
    return PostalAddress(**{field: getattr(address, field) for field in POSTAL_FIELDS})
