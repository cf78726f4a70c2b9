"""Views and adds to a cart: counted for nothing, written in batches."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from starlette.applications import Starlette

from app import create_app
from domain.insight import add_up
from events.shop import Shop
from events.tally import KEYS_LIMIT, Tally, write_tally
from models import Base, ProductDay, ProductStatus, Role
from resolvers.ids import global_id
from tests.conftest import Clock, settings_for
from tests.edge.test_persisted import by_hash
from tests.factories.catalog import create_product, variant_of
from tests.front import Front
from tests.observe import statements, until

LOOK = "query ($slug: String!) { product(slug: $slug) { title } }"
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { id } userErrors { code } } }
"""
SAY = """
mutation ($input: ProductViewInput!) { productView(input: $input) { product { slug } userErrors { code } } }
"""
DAY = date(2026, 11, 11)


async def counted(shop: Shop) -> list[tuple[int, date, int, int]]:
    async with shop.database.reads() as session:
        rows = await session.scalars(select(ProductDay).order_by(ProductDay.product_id, ProductDay.day))
        return [(row.product_id, row.day, row.views, row.adds) for row in rows]


async def test_a_view_costs_the_request_no_statement_and_a_thousand_are_one(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        tea = await create_product(session, slug="tea")
        cup = await create_product(session, slug="cup")
    with statements(shop) as asked:
        await front.guest().get(LOOK, slug="tea")
    assert [text.split()[0] for text in asked.texts] == ["SELECT"]
    assert shop.tally.views.total() == 1

    for number in range(999):
        shop.tally.view(tea.id if number % 3 else cup.id, shop.today)
    with statements(shop) as written:
        await write_tally(shop)

    assert written.total == 1
    assert await counted(shop) == [(tea.id, DAY, 667, 0), (cup.id, DAY, 333, 0)]
    with statements(shop) as nothing:
        await write_tally(shop)
    assert nothing.total == 0


async def test_staff_and_robots_are_no_customers(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(session, slug="tea")
        await create_product(session, slug="gone")
    robot = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    for client in (
        await front.staff(Role.CATALOGUE),
        front.guest(**robot),
        front.guest(**{"Sec-Purpose": "prefetch"}),
        await front.customer(),
        front.guest(**{"User-Agent": "Mozilla/5.0 (iPhone)"}),
    ):
        await client.get(LOOK, slug="tea")
        await client.get(LOOK, slug="nowhere")
    await write_tally(shop)

    assert await counted(shop) == [(product.id, DAY, 2, 0)]


async def test_a_page_that_may_be_kept_says_itself_that_it_is_looked_at(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(session, slug="tea")
        hidden = await create_product(session, slug="hidden", status=ProductStatus.DRAFT)
    guest, robot = front.guest(), front.guest(**{"User-Agent": "Googlebot/2.1"})
    customer, clerk = await front.customer(), await front.staff(Role.CATALOGUE)

    assert (await by_hash(front, LOOK, slug="tea")).headers["cache-control"].startswith("public")
    assert not shop.tally
    for client in (guest, customer, robot, clerk):
        with statements(shop) as asked:
            payload = await client.do(SAY, id=global_id("Product", product.id))
        assert payload == {"product": {"slug": "tea"}, "userErrors": []}
        assert asked.total == 1
    for unknown in (global_id("Product", hidden.id), global_id("Product", 99), "tea"):
        payload = await guest.do(SAY, id=unknown)
        assert payload == {"product": None, "userErrors": [{"code": "NOT_FOUND"}]}
    assert (await by_hash(front, LOOK, headers=customer.headers, slug="tea")).status_code == 200
    await write_tally(shop)

    assert await counted(shop) == [(product.id, DAY, 3, 0)]


async def test_a_line_put_into_a_cart_counts_for_its_product(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(session, stock={"MAIN": 3})
        variant = await variant_of(session, product)
    add = {"variantId": global_id("Variant", variant.id)}

    for client in (front.guest(), await front.customer()):
        await client.do(ADD, **add, quantity=2)
    assert (await front.guest().do(ADD, **add, quantity=9))["userErrors"]
    await write_tally(shop)

    assert await counted(shop) == [(product.id, DAY, 0, 2)]


async def test_a_day_is_one_of_the_shops_time_zone(shop: Shop, clock: Clock, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(session, slug="tea")
    for hours in (7, 2):  # 15:00 and 17:00 UTC are 23:00 and 01:00 in Shanghai
        clock.tick(timedelta(hours=hours))
        await front.guest().get(LOOK, slug="tea")
    await write_tally(shop)

    assert await counted(shop) == [(product.id, DAY, 1, 0), (product.id, date(2026, 11, 12), 1, 0)]


async def test_what_cannot_be_written_is_written_next_time(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(session)
        await session.run_sync(lambda s: Base.metadata.tables["product_days"].drop(s.connection()))
    shop.tally.view(product.id, DAY)
    await write_tally(shop)
    shop.tally.view(product.id, DAY)
    assert shop.tally.views.total() == 2

    async with shop.database.writes.begin() as session:
        await session.run_sync(lambda s: Base.metadata.tables["product_days"].create(s.connection()))
    await write_tally(shop)

    assert await counted(shop) == [(product.id, DAY, 2, 0)]


async def test_memory_is_bounded_while_the_database_is_away() -> None:
    tally = Tally()
    for number in range(KEYS_LIMIT + 10):
        tally.view(number, DAY)
    assert len(tally.views) == KEYS_LIMIT

    taken = tally.take()
    for number in range(5):
        tally.view(number - 5, DAY)
    tally.give_back(taken)

    assert len(tally.views) == KEYS_LIMIT
    tally.view(0, DAY)
    assert tally.views[0, DAY] == 2


async def test_closing_the_shop_writes_what_was_noted(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    app = create_app(settings_for(database_url, tmp_path), clock=clock)
    async with app.router.lifespan_context(app):
        async with app.state.shop.database.writes.begin() as session:
            product = await create_product(session)
        app.state.shop.tally.view(product.id, DAY)

    again = create_app(settings_for(database_url, tmp_path), clock=clock)
    async with again.router.lifespan_context(again):
        assert await counted(again.state.shop) == [(product.id, DAY, 1, 0)]


async def test_closing_the_shop_waits_for_what_is_just_being_written(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    settings = settings_for(database_url, tmp_path, count_every=timedelta(milliseconds=10))
    app = create_app(settings, clock=clock)
    shop = app.state.shop
    async with AsyncExitStack() as open_shop:
        await open_shop.enter_async_context(app.router.lifespan_context(app))
        async with shop.database.writes.begin() as session:
            product = await create_product(session)
        async with shop.database.writes.begin() as session:
            await add_up(session, views=Counter({(product.id, DAY): 1}), adds=Counter())
            shop.tally.view(product.id, DAY)
            await until(lambda: not shop.tally)
            closing = asyncio.create_task(open_shop.aclose())
            await asyncio.sleep(0.05)
        await closing

    again = create_app(settings, clock=clock)
    async with again.router.lifespan_context(again):
        assert await counted(again.state.shop) == [(product.id, DAY, 2, 0)]


async def test_two_processes_add_up(postgres_url: str, tmp_path: Path, clock: Clock) -> None:
    async with AsyncExitStack() as stack:
        apps: list[Starlette] = []
        for _ in range(2):
            app = create_app(
                settings_for(postgres_url, tmp_path, count_every=timedelta(milliseconds=20)), clock=clock
            )
            await stack.enter_async_context(app.router.lifespan_context(app))
            apps.append(app)
        first = apps[0].state.shop
        async with first.database.writes.begin() as session:
            products = [await create_product(session) for _ in range(20)]

        async def visit(app: Starlette) -> None:
            for _ in range(25):
                for product in products:
                    app.state.shop.tally.view(product.id, DAY)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(visit(app) for app in apps))
        for app in apps:
            await write_tally(app.state.shop)

        assert await counted(first) == [(product.id, DAY, 50, 0) for product in products]
