"""An operation that was slow is logged with its statements and a plan, and with no value of anything."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from starlette.applications import Starlette

from app import create_app
from events.shop import Shop
from events.slow_operations import LINES_LIMIT, SlowOperations
from gateways.metrics import Usage
from models.database import Database
from models.sql.plans import explain_statement
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.databases import KeptDatabases
from tests.factories.catalog import create_product

PAGE = 'query Page { products(query: "marked-text", first: 2) { nodes { title variants { id } } } }'


@pytest.fixture
async def app(
    database_url: str, tmp_path: Path, clock: Clock, kept_databases: KeptDatabases
) -> AsyncIterator[Starlette]:
    settings = settings_for(database_url, tmp_path, slow_operation=timedelta(microseconds=1))
    app = create_app(settings, clock=clock, database=kept_databases.open(settings.database.url))
    async with app.router.lifespan_context(app):
        yield app


async def logged_by(shop: Shop, *works: Any) -> list[dict[str, Any]]:
    """What is logged of slow operations while these are awaited, and until their plans are there."""
    with structlog.testing.capture_logs() as logged:
        for work in works:
            await work
        await shop.slow_operations.close()
    return [dict(each) for each in logged if each["event"].startswith("operation.")]


async def test_a_slow_operation_is_logged_with_its_slowest_statements_and_a_plan(
    shop: Shop, clients: Clients
) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, title="marked-text")

    slow, plan = await logged_by(shop, clients.guest().get(PAGE))

    assert (slow["event"], slow["operation"], len(slow["sha256"])) == ("operation.slow", "query Page", 64)
    assert slow["ms"] >= slow["slowest"][0]["ms"] > 0
    assert slow["statements"] >= len(slow["slowest"]) > 0
    assert slow["slowest"] == sorted(slow["slowest"], key=lambda each: -each["ms"])
    assert (plan["event"], plan["operation"], plan["sha256"]) == (
        "operation.plan",
        "query Page",
        slow["sha256"],
    )
    assert plan["statement"] == slow["slowest"][0]["text"]
    assert any(word in " ".join(plan["plan"]) for word in ("SCAN", "SEARCH", "Scan", "Result"))
    assert "marked-text" not in str([slow, plan])


class KeptUsages(SlowOperations):
    """Keeps what operations have used, and logs nothing."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, timedelta())
        self.usages: list[Usage] = []

    def note(self, usage: Usage, *, seconds: float, operation: str, document: str) -> None:
        self.usages.append(usage)


async def test_every_statement_of_the_shop_can_be_explained_without_its_parameters(
    shop: Shop, clients: Clients
) -> None:
    shop.slow_operations = kept = KeptUsages(shop.database)
    guest = clients.guest()
    for document in (
        PAGE,
        "{ categories { name } cart { lines { quantity } } }",
        '{ articles(query: "tea") { totalCount } }',
    ):
        await guest.get(document)

    statements = [statement for usage in kept.usages for statement in usage.slowest]
    assert len(statements) >= 5
    for each in statements:
        assert await explain_statement(shop.database, each.text, parameters=each.parameters), each.text


async def test_explaining_a_statement_changes_nothing(shop: Shop) -> None:
    sqlite = shop.database.dialect == "sqlite"
    statement = f"UPDATE products SET slug = {'?' if sqlite else '$1::VARCHAR'}"
    async with shop.database.writes.begin() as session:
        product = await create_product(session, title="Tea")

    plan = await explain_statement(shop.database, statement, parameters=1)

    assert "products" in " ".join(plan)
    async with shop.database.reads() as session:
        assert await session.scalar(text("SELECT slug FROM products")) == product.slug
    assert shop.database.connections_in_use == 0


async def test_what_has_no_plan_is_not_explained(shop: Shop) -> None:
    assert await explain_statement(shop.database, "PRAGMA foreign_keys", parameters=0) == []


async def test_one_plan_is_asked_for_in_a_while(shop: Shop, clients: Clients) -> None:
    guest = clients.guest()

    logged = await logged_by(shop, guest.get(PAGE), guest.get(PAGE), guest.get(PAGE))

    assert [each["event"] for each in logged].count("operation.slow") == 3
    assert [each["event"] for each in logged].count("operation.plan") == 1


async def test_a_fast_operation_is_not_logged_and_many_slow_ones_are_not_all(shop: Shop) -> None:
    slow = SlowOperations(shop.database, timedelta(seconds=1))

    with structlog.testing.capture_logs() as logged:
        slow.note(Usage(), seconds=0.9, operation="query fast", document="{ fast }")
        for _ in range(2 * LINES_LIMIT):
            slow.note(Usage(), seconds=1.1, operation="query slow", document="{ slow }")
        await asyncio.sleep(0)

    assert [each["operation"] for each in logged] == ["query slow"] * LINES_LIMIT
