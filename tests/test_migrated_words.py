"""The migration that renames tables, columns and stored names keeps every row, there and back."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrations.runner import alembic_config, upgrade
from models.database import sqlite_file
from tests.test_migrated_coupons import select_rows
from tests.test_migrations import ask, empty_url

__all__ = ["empty_url"]

ROWS = [
    "INSERT INTO accounts (id, role, name, email, password_hash, created_at)"
    " VALUES (1, 'COURIER', 'Bo', 'bo@example.com', '', '2026-01-01 00:00:00')",
    "INSERT INTO events (id, name, subject, subject_id, version, payload, actor_id, occurred_at, attempts)"
    " VALUES (1, 'run.planned', 'RUN', 1, 1, '{}', 1, '2026-01-01 00:00:00', 0),"
    " (2, 'order.cancelled', 'ORDER', 1, 1, '{}', 1, '2026-01-01 00:00:00', 0)",
    "INSERT INTO reactions_done (event_id, reaction, done_at)"
    " VALUES (2, 'settle_cancelled', '2026-01-01 00:00:00')",
    "INSERT INTO articles (id, slug, status, language, category, tags, title, body, helpful, unhelpful,"
    " version, created_at, updated_at) VALUES (1, 'tea', 'PUBLISHED', 'en', '', '[]',"
    " 'Tea', 'Green tea', 0, 0, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    "INSERT INTO article_words (article_id, words) VALUES (1, 'green tea')",
    "INSERT INTO known_words (word, products) VALUES ('tea', 3)",
    "INSERT INTO word_remains (remains, word) VALUES ('te', 'tea')",
]


REFUSE_UPDATES = [
    "CREATE TRIGGER refuse BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'refused'); END",
]
REFUSE_UPDATES_ON_POSTGRESQL = [
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'",
    "CREATE TRIGGER refuse BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse()",
]


def execute(*statements: str) -> Any:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()

    return run


def insert_rows(connection: Connection) -> None:
    for row in ROWS:
        connection.exec_driver_sql(row)
    connection.commit()


def article_search(table: str, column: str, query: str) -> Any:
    """A full-text search as each database does it."""

    def search(connection: Connection) -> list[int]:
        if connection.dialect.name == "sqlite":
            statement = f"SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH '{query}'"
        else:
            statement = (
                f"SELECT article_id FROM {table}"
                f" WHERE to_tsvector('simple'::regconfig, {column}) @@ to_tsquery('simple', '{query}')"
            )
        return [number for (number,) in connection.exec_driver_sql(statement)]

    return search


def test_renaming_keeps_every_row(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0016")
    ask(empty_url, insert_rows)

    command.upgrade(alembic_config(empty_url), "0047")

    assert ask(empty_url, select_rows("SELECT id, name, subject FROM events ORDER BY id")) == [
        (1, "delivery_run.planned", "DELIVERY_RUN"),
        (2, "order.cancelled", "ORDER"),
    ]
    assert ask(empty_url, select_rows("SELECT reaction FROM reactions_done")) == [("settle_cancelled_order",)]
    assert ask(empty_url, select_rows("SELECT term, product_count FROM indexed_terms")) == [("tea", 3)]
    assert ask(empty_url, select_rows("SELECT deletion, term FROM term_deletions")) == [("te", "tea")]
    assert ask(empty_url, select_rows("SELECT article_id, text FROM article_search_texts")) == [
        (1, "green tea")
    ]
    assert ask(empty_url, article_search("article_search_texts", "text", "green")) == [1]
    assert ask(empty_url, article_search("article_search_texts", "text", "black")) == []


def test_a_migration_that_was_interrupted_leaves_nothing_and_runs_again(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0016")
    ask(empty_url, insert_rows)
    ask(empty_url, execute(*REFUSE_UPDATES if file else REFUSE_UPDATES_ON_POSTGRESQL))

    with pytest.raises(DBAPIError, match="refused"):
        upgrade(empty_url)

    assert ask(empty_url, select_rows("SELECT name FROM events ORDER BY id")) == [
        ("run.planned",),
        ("order.cancelled",),
    ]
    assert ask(empty_url, select_rows("SELECT count(*) FROM offers")) == [(0,)]
    with pytest.raises(DBAPIError, match="promotions"):
        ask(empty_url, select_rows("SELECT count(*) FROM promotions"))

    ask(empty_url, execute("DROP TRIGGER refuse" if file else "DROP TRIGGER refuse ON events"))
    upgrade(empty_url)
    assert ask(empty_url, select_rows("SELECT count(*) FROM promotions")) == [(0,)]


def test_a_downgrade_gives_back_the_old_names(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0016")
    ask(empty_url, insert_rows)
    upgrade(empty_url)

    command.downgrade(alembic_config(empty_url), "0016")

    assert ask(empty_url, select_rows("SELECT name, subject FROM events ORDER BY id")) == [
        ("run.planned", "RUN"),
        ("order.cancelled", "ORDER"),
    ]
    assert ask(empty_url, select_rows("SELECT article_id, words FROM article_words")) == [
        (1, "tea green tea" if file else "green tea")  # on SQLite made anew of what is shown
    ]
    assert ask(empty_url, article_search("article_words", "words", "green")) == [1]
    # SQLite has one process, which fills these tables anew
    kept = [] if file else [("te", "tea")]
    assert ask(empty_url, select_rows("SELECT remains, word FROM word_remains")) == kept
    upgrade(empty_url)
    command.downgrade(alembic_config(empty_url), "0060")
    assert ask(empty_url, article_search("article_search_texts", "text", "green")) == [1]
