"""Migrations run while processes of the last release serve; the rules are in docs/operations.md."""

import asyncio
from pathlib import Path
from types import ModuleType

import pytest
from alembic import command, op
from sqlalchemy import Connection, delete, inspect, select, text
from sqlalchemy.exc import DBAPIError

from migrations.runner import HERE, alembic_config, newest_revision
from models import Base, IndexChange, IndexSubject, Order
from models.database import Database
from tests.client_apps.last_release import RELEASES
from tests.migration_rules import (
    SMALL,
    UNREPEATED,
    RuleBreach,
    find_breaches,
    find_first_revision,
    migrations_after,
)

MIGRATIONS = migrations_after(find_first_revision(RELEASES))
"""Those before the first release ran while nobody had the shop."""


def test_every_migration_lets_the_last_release_go_on() -> None:
    found = {migration.__name__: find_breaches(migration) for migration in MIGRATIONS}
    assert {name: breaches for name, breaches in found.items() if breaches} == {}


def test_what_is_dropped_was_given_up_by_a_release() -> None:
    releases = {getattr(migration, "CONTRACTS_AFTER", None) for migration in MIGRATIONS} - {None}
    assert releases <= {folder.name for folder in RELEASES.glob("*")}


def test_the_rules_hold_from_the_first_release_on(tmp_path: Path) -> None:
    assert find_first_revision(tmp_path) is None
    assert migrations_after(None) == []
    for version, revision in (("0.2.0", "0016"), ("0.3.0", "0018")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "revision").write_text(f"{revision}\n")

    assert find_first_revision(tmp_path) == "0016"
    assert [migration.revision for migration in migrations_after("0016")][:2] == ["0017", "0018"]


def test_a_migration_that_was_made_before_is_told_from_one_that_keeps_the_rules() -> None:
    plain_words, archive, *_ = migrations_after("0016")

    assert find_breaches(archive) == []
    assert [breach.rule for breach in find_breaches(plain_words)] == ["reads rows"]


def migration_of(*statements: str, **attributes: str) -> ModuleType:
    migration = ModuleType("example")

    def upgrade() -> None:
        for statement in statements:
            op.execute(statement)

    migration.__dict__.update(attributes, upgrade=upgrade)
    return migration


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DROP TABLE carts", "drops a table"),
        ("ALTER TABLE orders DROP COLUMN note", "drops a column"),
        ("ALTER TABLE orders RENAME COLUMN note TO remark", "renames"),
        ("ALTER TABLE orders RENAME TO sales", "renames"),
        ("ALTER TABLE orders ALTER COLUMN note SET NOT NULL", "forbids NULL"),
        ("ALTER TABLE orders ALTER COLUMN version TYPE BIGINT", "changes the type of a column"),
        (
            "ALTER TABLE orders ADD COLUMN x INTEGER NOT NULL",
            "adds a column that the last release does not fill",
        ),
        ("CREATE INDEX ix_orders_x ON orders (x)", "makes an index that stops all writes"),
        ("CREATE UNIQUE INDEX ix_orders_x ON orders (x)", "makes an index that stops all writes"),
        ("ALTER TABLE orders ADD CONSTRAINT ck_x CHECK (x > 0)", "checks all rows under a lock"),
        ("UPDATE orders SET x = 1", "rewrites rows"),
        ("DELETE FROM sessions", "rewrites rows"),
    ],
)
def test_a_breach_is_found(statement: str, rule: str) -> None:
    assert find_breaches(migration_of(statement)) == [RuleBreach(rule, statement)]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE x (id INTEGER)", "CREATE INDEX ix_x_id ON x (id)", "UPDATE x SET id = 1"],
        ["ALTER TABLE orders ADD COLUMN x INTEGER"],
        ["ALTER TABLE orders ADD COLUMN x INTEGER DEFAULT 0 NOT NULL"],
        ["CREATE INDEX CONCURRENTLY ix_orders_x ON orders (x)"],
        ["ALTER TABLE orders ADD CONSTRAINT ck_x CHECK (x > 0) NOT VALID"],
        ["ALTER TABLE orders VALIDATE CONSTRAINT ck_x"],
        ["CREATE INDEX ix_warehouses_x ON warehouses (x)"],
    ],
)
def test_what_expands_is_no_breach(statements: list[str]) -> None:
    assert find_breaches(migration_of(*statements)) == []


@pytest.mark.parametrize(
    ("statements", "count"),
    [
        (["ALTER TABLE orders ADD COLUMN x INTEGER"], 1),
        (["ALTER TABLE orders ADD COLUMN IF NOT EXISTS x INTEGER"], 0),
        (["CREATE TABLE x (id INTEGER)"], 1),
        (["INSERT INTO x VALUES (1)"], 1),
        (["UPDATE x SET n = n + 1"], 1),
        (["UPDATE x SET n = 1 WHERE y = 2"], 1),
        (["UPDATE x SET n = 1 WHERE n IS NULL"], 0),
        (["DROP INDEX IF EXISTS a; CREATE TABLE b (id INTEGER)"], 1),
        (["DROP INDEX IF EXISTS a; DROP TABLE IF EXISTS b"], 0),
        (["ALTER TABLE x ADD CONSTRAINT ck_x CHECK (y > 0) NOT VALID"], 1),
        (["CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_x ON orders (x)"], 1),
        (
            [
                "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_x",
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_x ON orders (x)",
            ],
            0,
        ),
    ],
)
def test_what_is_committed_before_an_index_can_be_repeated(statements: list[str], count: int) -> None:
    breaches = find_breaches(migration_of(*statements, "COMMIT", "BEGIN"))
    assert [breach.rule for breach in breaches].count(UNREPEATED) == count
    assert [breach for breach in find_breaches(migration_of(*statements)) if breach.rule == UNREPEATED] == []


def test_what_a_release_gave_up_may_be_dropped() -> None:
    dropping = migration_of("ALTER TABLE orders DROP COLUMN note", CONTRACTS_AFTER="0.2.0")
    assert find_breaches(dropping) == []


def test_a_migration_that_reads_rows_is_no_migration_of_tables() -> None:
    migration = ModuleType("example")
    migration.__dict__["upgrade"] = lambda: op.get_bind().exec_driver_sql("SELECT 1")

    assert [breach.rule for breach in find_breaches(migration)] == ["reads rows"]


def test_the_small_tables_are_tables() -> None:
    assert Base.metadata.tables.keys() >= SMALL


EXAMPLE = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"


def upgrade() -> None:
    {step}
"""
INDEX = """with op.get_context().autocommit_block():
        op.create_index("ix_orders_note", "orders", ["note"], postgresql_concurrently=True)"""
COLUMN = 'op.execute("ALTER TABLE orders ADD COLUMN example INTEGER")'


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"new_{request.param}_url")
    return url.replace("sqlite://", "sqlite+aiosqlite://")


async def run_example(url: str, step: str, folder: Path) -> None:
    """Run a migration that follows the newest one."""
    (folder / "9999_example.py").write_text(EXAMPLE.format(head=newest_revision(), step=step))
    config = alembic_config(url)
    config.set_main_option("version_locations", f"{HERE}/versions {folder}")
    config.set_main_option("path_separator", "space")
    config.attributes["lock_timeout"] = "100ms"
    await asyncio.to_thread(command.upgrade, config, "head")


def index_names(connection: Connection) -> set[str | None]:
    return {index["name"] for index in inspect(connection).get_indexes("orders")}


def column_names(connection: Connection) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns("orders")}


async def test_an_index_of_a_large_table_is_made_while_the_shop_sells(
    migrated_url: str, tmp_path: Path
) -> None:
    await run_example(migrated_url, INDEX, tmp_path)

    database = Database.open(migrated_url, pool_size=1)
    async with database.readers.connect() as connection:
        assert "ix_orders_note" in await connection.run_sync(index_names)
    await database.close()


UNIQUE = """op.create_table("examples", sa.Column("id", sa.Integer(), nullable=False))
    op.create_index("ix_examples_id", "examples", ["id"])
    op.add_column("orders", sa.Column("example", sa.Integer()))
    op.create_check_constraint("ck_orders_example", "orders", "example > 0", postgresql_not_valid=True)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_index_changes_example",
            "index_changes",
            ["subject_id"],
            unique=True,
            postgresql_concurrently=True,
        )"""


async def test_a_migration_that_stopped_at_an_index_is_run_again(
    new_postgres_url: str, tmp_path: Path
) -> None:
    database = Database.open(new_postgres_url, pool_size=1)
    async with database.writes.begin() as session:
        session.add_all(IndexChange(subject=IndexSubject.PRODUCT, subject_id=1) for _ in range(2))
    with pytest.raises(DBAPIError, match="could not create unique index"):
        await run_example(new_postgres_url, UNIQUE, tmp_path)
    async with database.writes.begin() as session:
        await session.execute(delete(IndexChange))

    await run_example(new_postgres_url, UNIQUE, tmp_path)

    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_index_changes_example'::regclass"
    async with database.readers.connect() as connection:
        assert await connection.scalar(text(valid)) is True
        assert "example" in await connection.run_sync(column_names)
    await database.close()


async def test_a_migration_does_not_wait_long_for_a_table_that_is_in_use(
    new_postgres_url: str, tmp_path: Path
) -> None:
    database = Database.open(new_postgres_url, pool_size=1)
    async with database.reads.begin() as session:
        await session.scalar(select(Order.id).limit(1))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await run_example(new_postgres_url, COLUMN, tmp_path)

    await run_example(new_postgres_url, COLUMN, tmp_path)

    async with database.readers.connect() as connection:
        assert "example" in await connection.run_sync(column_names)
    await database.close()
