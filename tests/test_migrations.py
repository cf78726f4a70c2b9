"""An empty database that is upgraded ends as the models say, on both databases."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine

import models
from migrations.compared import RETIRED, is_compared
from migrations.revisions import VERSIONS, known_revisions
from migrations.runner import newest_revision, upgrade
from models.urgent_term import FIRST_TERMS

if TYPE_CHECKING:
    from tests.servers import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/not/yet/shop.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"empty_{uuid4().hex}"
    yield asyncio.run(server.create_database(name))
    asyncio.run(server.drop_database(name))


def ask(url: str, question: Any) -> Any:
    async def connect() -> Any:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(question)
        finally:
            await engine.dispose()

    return asyncio.run(connect())


def differences(connection: Connection) -> list[Any]:
    options = {"include_object": is_compared, "compare_type": True}
    found: list[Any] = compare_metadata(
        MigrationContext.configure(connection, opts=options), models.Base.metadata
    )
    return found


def constraints(connection: Connection) -> dict[str, set[str]]:
    """What autogenerate does not compare: CHECKs with their conditions, by table."""
    inspector = inspect(connection)
    return {
        table: {f"{check['name']}: {check['sqltext']}" for check in inspector.get_check_constraints(table)}
        for table in models.Base.metadata.tables
    }


SQLITE_NAMES = "SELECT name || COALESCE(sql, '') FROM sqlite_master WHERE type = 'trigger'"
POSTGRESQL_NAMES = """
SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE NOT tgisinternal AND nspname = current_schema()
UNION SELECT prosrc FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE nspname = current_schema() AND proname LIKE 'note_index%'
"""


def full_text(connection: Connection) -> set[str]:
    """The triggers and the index for texts, as they are written."""
    names = SQLITE_NAMES if connection.dialect.name == "sqlite" else POSTGRESQL_NAMES
    return {name.replace("made.", "").replace("public.", "") for name in connection.scalars(text(names))}


def created(connection: Connection) -> tuple[dict[str, set[str]], set[str]]:
    """The same two facts of a database made from the models."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("CREATE SCHEMA made"))
        connection.execute(text("SET search_path TO made"))
    models.Base.metadata.create_all(connection)
    found = constraints(connection), full_text(connection)
    connection.rollback()
    return found


def test_upgrade_of_an_empty_database_equals_the_models(empty_url: str, tmp_path: Path) -> None:
    revision = upgrade(empty_url)

    assert revision == newest_revision()
    assert ask(empty_url, differences) == []
    fresh = empty_url if empty_url.startswith("postgresql") else f"sqlite+aiosqlite:///{tmp_path}/fresh.db"
    checks, words = ask(fresh, created)
    assert ask(empty_url, constraints) == checks
    assert words
    assert ask(empty_url, full_text) == words


def kept_by_retired_tables(connection: Connection) -> list[str]:
    """The foreign keys and triggers of tables that no process of this release knows."""
    tables = RETIRED & set(inspect(connection).get_table_names())
    keys = [str(key["name"]) for table in tables for key in inspect(connection).get_foreign_keys(table)]
    if connection.dialect.name == "sqlite":
        triggers = connection.execute(text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"))
    else:
        triggers = connection.execute(
            text("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal")
        )
    return keys + [name for table, name in triggers if table in RETIRED]


def test_retired_tables_hold_no_row_of_the_shop(empty_url: str) -> None:
    upgrade(empty_url)

    assert ask(empty_url, kept_by_retired_tables) == []


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    assert upgrade(empty_url) == upgrade(empty_url)


def test_an_upgraded_shop_charges_what_it_charged(empty_url: str) -> None:
    upgrade(empty_url)

    def fees(connection: Connection) -> set[tuple[Any, ...]]:
        rows = connection.execute(
            text(
                "SELECT name, method, first_amount, further_amount, free_from_amount FROM shipping_rates"
                " JOIN shipping_zones ON shipping_zones.id = zone_id WHERE currency = 'CNY'"
            )
        )
        return {tuple(row) for row in rows}

    assert ask(empty_url, fees) == {
        ("Near", "STANDARD", 600, 100, 9_900),
        ("China", "STANDARD", 800, 200, 9_900),
        ("Remote", "STANDARD", 1_500, 1_000, 9_900),
        ("Abroad", "STANDARD", 6_000, 3_000, None),
        ("Near", "EXPRESS", 1_200, 200, None),
        ("China", "EXPRESS", 1_800, 500, None),
        ("Remote", "EXPRESS", 2_500, 1_500, None),
        ("Abroad", "EXPRESS", 12_000, 6_000, None),
    }


def test_an_upgraded_shop_knows_the_urgent_words_that_a_new_one_begins_with(empty_url: str) -> None:
    upgrade(empty_url)

    def words(connection: Connection) -> set[tuple[Any, ...]]:
        rows = connection.execute(
            select(
                models.UrgentTerm.language,
                models.UrgentTerm.term,
                models.UrgentTerm.word,
                models.UrgentTerm.hours,
                models.UrgentTerm.exceptions,
                models.UrgentTerm.edition,
                models.UrgentTerm.created_at,
            )
        )
        return {(*row[:4], tuple(row[4]), *row[5:]) for row in rows}

    assert ask(empty_url, words) == {
        (
            each.language,
            each.term,
            each.word,
            each.hours,
            each.exceptions,
            0,
            datetime(2000, 1, 1, tzinfo=UTC),
        )
        for each in FIRST_TERMS
    }


def test_the_revisions_that_are_known_end_where_migrating_ends() -> None:
    known = known_revisions()

    assert known[0] == "0001"
    assert known[-1] == newest_revision()
    assert sorted(known) == sorted(file.name[:4] for file in VERSIONS.glob("[0-9]*.py"))
