"""Loading the demo shop through the shop's own commands; what is loaded already is not loaded again."""

from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from demo.content import Content, read_content, read_emails
from demo.load.accounts import PASSWORD, load_accounts
from demo.load.agreement_rules import load_agreement_rules
from demo.load.articles import load_articles
from demo.load.canned_answers import load_canned_answers
from demo.load.courses import load_courses
from demo.load.notices import skip_past_notices
from demo.load.orders import load_orders
from demo.load.packing import open_first_wave
from demo.load.parcel_tasks import open_past_tasks
from demo.load.products import load_products
from demo.load.promotions import load_promotions
from demo.load.questions import load_questions
from demo.load.store_credit import load_gift_cards
from demo.load.ticket_agents import load_ticket_agents
from demo.load.ticket_history import load_ticket_history
from events.shop import Shop
from models import Account, Article, Course, GiftCard, Order, Product, Promotion

__all__ = ["PASSWORD", "DemoInProduction", "load_demo"]

DemoTable = (
    type[Account]
    | type[Article]
    | type[Course]
    | type[GiftCard]
    | type[Promotion]
    | type[Order]
    | type[Product]
)
Loader = Callable[[Shop, Content], Awaitable[None]]


class DemoInProduction(Exception):
    """The demo shop is refused in production, since everybody knows its passwords."""

    def __init__(self) -> None:
        super().__init__("The demo shop is not loaded in production: its passwords are known to everybody.")


async def load_demo(shop: Shop, console: Console) -> None:
    """Load what is missing, and print the accounts; DemoInProduction in production."""
    if shop.settings.deployment.is_production:
        raise DemoInProduction
    if not await has_rows(shop, Order):
        content = read_content()
        with console.status("Loading the demo shop ..."):
            for load, table in LOADERS:
                if not await has_rows(shop, table):
                    await load(shop, content)
            await load_agreement_rules(shop)
            await load_canned_answers(shop)
            await load_questions(shop, content)
            await load_ticket_agents(shop, content)
            await open_first_wave(shop)
            await open_past_tasks(shop)
            await skip_past_notices(shop)
    await print_accounts(shop, console)


async def load_past_and_present(shop: Shop, content: Content) -> None:
    """Orders and tickets in the order in which they have come."""
    await load_ticket_history(shop, content)
    await load_orders(shop, content)


LOADERS: tuple[tuple[Loader, DemoTable], ...] = (
    (load_products, Product),
    (load_accounts, Account),
    (load_promotions, Promotion),
    (load_articles, Article),
    (load_courses, Course),
    (load_gift_cards, GiftCard),
    (load_past_and_present, Order),
)
"""Each is one transaction or repeats nothing, so that an interrupted one can run again."""


async def has_rows(shop: Shop, table: DemoTable) -> bool:
    async with shop.database.reads() as session:
        return await session.scalar(select(table.id).limit(1)) is not None


async def print_accounts(shop: Shop, console: Console) -> None:
    async with shop.database.reads() as session:
        accounts = (
            await session.scalars(
                select(Account).where(Account.email.in_(read_emails())).order_by(Account.id)
            )
        ).all()
    printed = Table("role", "e-mail", "name", title=f'The demo shop: everybody\'s password is "{PASSWORD}"')
    for account in accounts:
        printed.add_row(account.role.value, account.email, account.name)
    console.print(printed)
