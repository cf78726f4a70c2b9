"""Puts the demo shop into a database, through the shop's own commands; twice is as good as once."""

from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from demo.content import Content, read_content
from demo.load.goods import load_goods
from demo.load.help import load_help
from demo.load.offers import load_offers
from demo.load.orders import load_orders
from demo.load.people import PASSWORD, load_people
from events.shop import Shop
from models import Account, Article, Offer, Order, Product

__all__ = ["PASSWORD", "DemoInProduction", "load_demo"]

Kind = type[Account] | type[Article] | type[Offer] | type[Order] | type[Product]
Step = Callable[[Shop, Content], Awaitable[None]]


class DemoInProduction(Exception):
    """A demo shop has known passwords: it has no place in production."""

    def __init__(self) -> None:
        super().__init__("The demo shop is not loaded in production: its passwords are known to everybody.")


async def load_demo(shop: Shop, console: Console) -> None:
    """Load what is not there yet, and print who can sign in."""
    if shop.settings.production:
        raise DemoInProduction
    if not await has_rows(shop, Order):
        content = read_content()
        with console.status("Loading the demo shop ..."):
            for step, table in STEPS:
                if not await has_rows(shop, table):
                    await step(shop, content)
    await print_people(shop, console)


STEPS: tuple[tuple[Step, Kind], ...] = (
    (load_goods, Product),
    (load_people, Account),
    (load_offers, Offer),
    (load_help, Article),
    (load_orders, Order),
)
"""Each is one transaction or repeats nothing: a step that was cut off is begun again."""


async def has_rows(shop: Shop, table: Kind) -> bool:
    async with shop.database.reads() as session:
        return await session.scalar(select(table.id).limit(1)) is not None


async def print_people(shop: Shop, console: Console) -> None:
    async with shop.database.reads() as session:
        accounts = (
            await session.scalars(
                select(Account).where(Account.email.endswith("@example.com")).order_by(Account.id)
            )
        ).all()
    people = Table("role", "e-mail", "name", title=f'The demo shop: everybody\'s password is "{PASSWORD}"')
    for account in accounts:
        people.add_row(account.role.value, account.email, account.name)
    console.print(people)
