"""GraphiQL in the demo shop: its people and examples, and something that moves by itself."""

from datetime import timedelta
from typing import Any

from demo.graphiql import EXAMPLES, find_demo_content
from demo.live_stock import HIGHEST, LOWEST, SKU, moving_stock, watches_products
from domain.account import register_account
from tests.client_apps.conftest import SignIn
from tests.clients import Clients
from tests.observe import assert_books_agree

OFTEN = timedelta(milliseconds=50)
WATCH = (EXAMPLES / "07-watch.graphql").read_text(encoding="utf-8")
FOLLOW = (EXAMPLES / "09-follow.graphql").read_text(encoding="utf-8")


async def test_the_demo_shop_names_its_people_customers_first(clients: Clients) -> None:
    content = await find_demo_content(clients.shop)

    assert content is not None
    assert content.examples == EXAMPLES
    assert [person.login.partition("@")[0] for person in content.people[:4]] == [
        "xiaoyu", "zhiming", "emma", "xiulan",
    ]  # fmt: skip
    assert {person.password for person in content.people} == {"cartwheel-demo"}


async def test_the_demo_shop_shows_nobody_who_registered_with_its_password(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        await register_account(
            session,
            email="visitor@example.com", phone=None, name="Visitor", password_hash="none", language="en",
            now=clients.shop.clock(),
        )  # fmt: skip

    content = await find_demo_content(clients.shop)

    assert content is not None
    assert len(content.people) == 11
    assert "visitor@example.com" not in {person.login for person in content.people}


async def test_the_stock_that_a_guest_watches_moves_by_itself(clients: Clients) -> None:
    shop = clients.shop

    async with clients.guest().watch(WATCH) as watch, moving_stock(shop, OFTEN):
        quantities = [quantity_of((await watch.next())["data"]["productUpdates"]) for _ in range(3)]

    assert all(LOWEST - 1 <= quantity <= HIGHEST + 1 for quantity in quantities)
    assert len(set(quantities)) > 1
    await assert_books_agree(shop)


def quantity_of(update: dict[str, Any]) -> int:
    variants = update["product"]["variants"]
    quantity: int = next(each["availability"]["quantity"] for each in variants if each["sku"] == SKU)
    return quantity


async def test_nothing_moves_where_nobody_watches(clients: Clients) -> None:
    assert not watches_products(clients.shop)


async def test_the_example_of_an_order_replays_its_versions(sign_in: SignIn) -> None:
    web = await sign_in("web", "xiaoyu")

    async with web.client.watch(FOLLOW) as watch:
        versions = [(await watch.next())["data"]["orderUpdates"]["version"] for _ in range(3)]

    assert versions == [1, 2, 3]
