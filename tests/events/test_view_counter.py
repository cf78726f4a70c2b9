"""Views of products and additions to carts are counted in memory and written in batches."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from app import create_app
from domain.analytics import record_views
from events.counters.views import KEYS_LIMIT, ViewCounter
from events.shop import Shop
from models import Base, ProductDay, ProductStatus, Role
from resolvers.ids import global_id
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.edge.test_persisted_operations import request_by_hash
from tests.factories.catalog import create_product, variant_of
from tests.observe import count_statements, wait_until

LOOK = "query ($slug: String!) { product(slug: $slug) { title } }"
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { id } userErrors { code } } }
"""
SAY = """
mutation ($input: ProductViewInput!) { productView(input: $input) { product { slug } userErrors { code } } }
"""
DAY = date(2026, 11, 11)


async def written_counts(shop: Shop) -> list[tuple[int, date, int, int]]:
    async with shop.database.reads() as session:
        rows = await session.scalars(select(ProductDay).order_by(ProductDay.product_id, ProductDay.day))
        return [(row.product_id, row.day, row.views, row.cart_additions) for row in rows]


async def test_a_view_costs_the_request_no_statement_and_a_thousand_are_one(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    tea = await create_product(session, slug="tea")
    cup = await create_product(session, slug="cup")
    await session.commit()
    with count_statements(shop) as asked:
        await clients.guest().get(LOOK, slug="tea")
    assert [text.split()[0] for text in asked.texts] == ["SELECT"]
    assert shop.views.product_views.total() == 1

    for number in range(999):
        shop.views.count_view(tea.id if number % 3 else cup.id, shop.today)
    with count_statements(shop) as writing:
        await shop.views.write()

    assert writing.total == 1
    assert await written_counts(shop) == [(tea.id, DAY, 667, 0), (cup.id, DAY, 333, 0)]
    with count_statements(shop) as nothing:
        await shop.views.write()
    assert nothing.total == 0


async def test_views_of_staff_and_robots_do_not_count(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    product = await create_product(session, slug="tea")
    await create_product(session, slug="gone")
    await session.commit()
    robot = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    for client in (
        await clients.staff(Role.CATALOGUE),
        clients.guest(**robot),
        clients.guest(**{"Sec-Purpose": "prefetch"}),
        await clients.customer(),
        clients.guest(**{"User-Agent": "Mozilla/5.0 (iPhone)"}),
    ):
        await client.get(LOOK, slug="tea")
        await client.get(LOOK, slug="nowhere")
    await shop.views.write()

    assert await written_counts(shop) == [(product.id, DAY, 2, 0)]


async def test_a_page_from_a_cache_reports_its_view_itself(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    product = await create_product(session, slug="tea")
    hidden = await create_product(session, slug="hidden", status=ProductStatus.DRAFT)
    await session.commit()
    guest, robot = clients.guest(), clients.guest(**{"User-Agent": "Googlebot/2.1"})
    customer, clerk = await clients.customer(), await clients.staff(Role.CATALOGUE)

    assert (await request_by_hash(clients, LOOK, slug="tea")).headers["cache-control"].startswith("public")
    assert shop.views.is_empty
    for client in (guest, customer, robot, clerk):
        with count_statements(shop) as asked:
            payload = await client.do(SAY, id=global_id("Product", product.id))
        assert payload == {"product": {"slug": "tea"}, "userErrors": []}
        assert asked.total == 1
    for unknown in (global_id("Product", hidden.id), global_id("Product", 99), "tea"):
        payload = await guest.do(SAY, id=unknown)
        assert payload == {"product": None, "userErrors": [{"code": "NOT_FOUND"}]}
    assert (await request_by_hash(clients, LOOK, headers=customer.headers, slug="tea")).status_code == 200
    await shop.views.write()

    assert await written_counts(shop) == [(product.id, DAY, 3, 0)]


async def test_an_addition_to_a_cart_counts_for_its_product(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    product = await create_product(session, stock={"MAIN": 3})
    variant = await variant_of(session, product)
    await session.commit()
    add = {"variantId": global_id("Variant", variant.id)}

    for client in (clients.guest(), await clients.customer()):
        await client.do(ADD, **add, quantity=2)
    assert (await clients.guest().do(ADD, **add, quantity=9))["userErrors"]
    await shop.views.write()

    assert await written_counts(shop) == [(product.id, DAY, 0, 2)]


async def test_a_day_is_a_day_of_the_shops_time_zone(
    shop: Shop, session: AsyncSession, clock: Clock, clients: Clients
) -> None:
    product = await create_product(session, slug="tea")
    await session.commit()
    for hours in (7, 2):  # 15:00 and 17:00 UTC are 23:00 and 01:00 in Shanghai
        clock.tick(timedelta(hours=hours))
        await clients.guest().get(LOOK, slug="tea")
    await shop.views.write()

    assert await written_counts(shop) == [(product.id, DAY, 1, 0), (product.id, date(2026, 11, 12), 1, 0)]


async def test_counts_that_cannot_be_written_are_written_next_time(shop: Shop, session: AsyncSession) -> None:
    product = await create_product(session)
    await session.run_sync(lambda s: Base.metadata.tables["product_days"].drop(s.connection()))
    await session.commit()
    shop.views.count_view(product.id, DAY)
    await shop.views.write()
    shop.views.count_view(product.id, DAY)
    assert shop.views.product_views.total() == 2

    await session.run_sync(lambda s: Base.metadata.tables["product_days"].create(s.connection()))
    await session.commit()
    await shop.views.write()

    assert await written_counts(shop) == [(product.id, DAY, 2, 0)]


async def test_memory_is_bounded_while_the_database_is_away(shop: Shop) -> None:
    counter = ViewCounter(shop.database, timedelta(seconds=1))
    for number in range(KEYS_LIMIT + 10):
        counter.count_view(number, DAY)
    assert len(counter.product_views) == KEYS_LIMIT

    taken = counter.take()
    for number in range(5):
        counter.count_view(number - 5, DAY)
    counter.restore(*taken)

    assert len(counter.product_views) == KEYS_LIMIT
    counter.count_view(0, DAY)
    assert counter.product_views[0, DAY] == 2


async def test_closing_the_shop_writes_what_was_counted(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    app = create_app(settings_for(database_url, tmp_path), clock=clock)
    async with app.router.lifespan_context(app):
        async with app.state.shop.database.writes.begin() as session:
            product = await create_product(session)
        app.state.shop.views.count_view(product.id, DAY)

    again = create_app(settings_for(database_url, tmp_path), clock=clock)
    async with again.router.lifespan_context(again):
        assert await written_counts(again.state.shop) == [(product.id, DAY, 1, 0)]


async def test_closing_the_shop_waits_for_counts_that_are_being_written(
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
            await record_views(session, views=Counter({(product.id, DAY): 1}), cart_additions=Counter())
            shop.views.count_view(product.id, DAY)
            await wait_until(lambda: shop.views.is_empty)
            closing = asyncio.create_task(open_shop.aclose())
            await asyncio.sleep(0.05)
        await closing

    again = create_app(settings, clock=clock)
    async with again.router.lifespan_context(again):
        assert await written_counts(again.state.shop) == [(product.id, DAY, 2, 0)]


async def test_the_counts_of_two_processes_add_up(postgres_url: str, tmp_path: Path, clock: Clock) -> None:
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
                    app.state.shop.views.count_view(product.id, DAY)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(visit(app) for app in apps))
        for app in apps:
            await app.state.shop.views.write()

        assert await written_counts(first) == [(product.id, DAY, 50, 0) for product in products]
