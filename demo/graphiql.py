"""What GraphiQL shows in the demo shop beside its page: examples with ids, and the people to sign in as."""

from pathlib import Path

from sqlalchemy import exists, select

from demo.content import read_emails
from demo.load.accounts import PASSWORD
from demo.load.orders import NUMBER_PREFIX
from edge.graphiql import PageContent, Person
from events.shop import Shop
from models import Account, Order, Role

EXAMPLES = Path(__file__).parent / "content" / "examples"
FIRST_NUMBER = f"{NUMBER_PREFIX}0001"


async def find_demo_content(shop: Shop) -> PageContent | None:
    """The content of the page in the demo shop; None in every other shop, and always in production."""
    if shop.settings.deployment.is_production:
        return None
    async with shop.database.reads() as session:
        if not await session.scalar(select(exists().where(Order.number == FIRST_NUMBER))):
            return None
        accounts = await session.scalars(
            select(Account)
            .where(Account.email.in_(read_emails()))
            .order_by(Account.role != Role.CUSTOMER, Account.id)
        )
        people = [
            Person(account.email or "", f"{account.name} · {account.role.value.lower()}", PASSWORD)
            for account in accounts
        ]
    return PageContent(EXAMPLES, people)
