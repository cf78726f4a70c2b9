"""Tables, columns and stored names take the words of docs/glossary.md; no row is added or lost.

Revision ID: 0017
Revises: 0016
"""

import re
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES: Mapping[str, Mapping[str, str]] = {
    "offers": {},
    "offer_uses": {"offer_id": "promotion_id"},
    "offer_buyers": {"offer_id": "promotion_id"},
    "run_stops": {"run_id": "delivery_run_id"},
    "product_words": {"words": "text"},
    "product_choices": {"choices": "facet_values"},
    "known_words": {"word": "term", "products": "product_count"},
    "word_remains": {"remains": "deletion", "word": "term"},
    "article_words": {"words": "text"},
}
"""Old table -> its columns with a new name."""

NEW_NAMES = {
    "offers": "promotions",
    "offer_uses": "promotion_uses",
    "offer_buyers": "promotion_buyers",
    "run_stops": "delivery_run_stops",
    "product_words": "product_search_texts",
    "product_choices": "product_facet_values",
    "known_words": "indexed_terms",
    "word_remains": "term_deletions",
    "article_words": "article_search_texts",
}

COLUMNS = {
    "cart_lines": {"wanted": "merged_quantity"},
    "saved_lines": {"wanted": "merged_quantity"},
    "orders": {"goods_amount": "subtotal_amount"},
    "product_days": {"adds": "cart_additions"},
}
"""Table that keeps its name -> its columns with a new name."""

SEARCHED = {"product_words": "product_id", "article_words": "article_id"}


EVENTS = {
    "run.planned": "delivery_run.planned",
    "run.cancelled": "delivery_run.cancelled",
    "run.started": "delivery_run.started",
    "run.stop_completed": "delivery_run.stop_completed",
    "run.completed": "delivery_run.completed",
    "run.moved": "delivery_run.moved",
}

REACTIONS = {
    "settle_cancelled": "settle_cancelled_order",
    "tickets_end_with_order": "cancel_open_tickets",
    "close_at_providers": "close_payments_at_providers",
    "ticket_follows_refunds": "update_ticket_of_refund",
    "ticket_follows_replacement": "complete_replaced_ticket",
}

VALUES = {
    ("events", "name"): EVENTS,
    ("events", "subject"): {"RUN": "DELIVERY_RUN"},
    ("reactions_done", "reaction"): REACTIONS,
}
"""Table and column -> old value -> new value."""

DISCOUNTS = ("order_lines", "deliveries")
"""Tables whose `discounts` name each promotion by its id."""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        rename_on_postgresql(connection, TABLES, NEW_NAMES)
        op.execute("ALTER INDEX ix_orders_headline RENAME TO ix_orders_display_status")
    else:
        rename_on_sqlite(connection, TABLES, NEW_NAMES)
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "{new}"')
    for (table, column), names in VALUES.items():
        replace_values(table, column, names)
    rename_discount_keys(connection, "offer_id", "promotion_id")


def downgrade() -> None:
    connection = op.get_bind()
    rename_discount_keys(connection, "promotion_id", "offer_id")
    for (table, column), names in VALUES.items():
        replace_values(table, column, {new: old for old, new in names.items()})
    for table, renames in COLUMNS.items():
        for old, new in renames.items():
            op.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{new}" TO "{old}"')
    columns = {NEW_NAMES[table]: {new: old for old, new in names.items()} for table, names in TABLES.items()}
    back = {new: old for old, new in NEW_NAMES.items()}
    if connection.dialect.name == "postgresql":
        rename_on_postgresql(connection, columns, back)
        op.execute("ALTER INDEX ix_orders_display_status RENAME TO ix_orders_headline")
    else:
        rename_on_sqlite(connection, columns, back)


def new_name(text: str, words: Mapping[str, str]) -> str:
    """Every word replaced, also where it is a part of a name: `offers` in `ck_offers_window`."""
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z0-9])({longest_first})(?![A-Za-z0-9])", lambda found: words[found[0]], text)


def rename_on_postgresql(
    connection: Connection, tables: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> None:
    for table, columns in tables.items():
        words = {**names, **columns}
        for kind, name in names_on_postgresql(connection, table):
            if (to := new_name(name, words)) != name:
                place = f'"{table}" RENAME CONSTRAINT' if kind == "TABLE" else ""
                if place:
                    op.execute(f'ALTER TABLE {place} "{name}" TO "{to}"')
                else:
                    op.execute(f'ALTER {kind} "{name}" RENAME TO "{to}"')
        for old, new in columns.items():
            op.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "{new}"')
        op.execute(f'ALTER TABLE "{table}" RENAME TO "{names[table]}"')


def names_on_postgresql(connection: Connection, table: str) -> list[tuple[str, str]]:
    """Constraints, then the indexes that belong to none, then sequences of a table."""
    found = connection.execute(
        sa.text(
            "SELECT 'TABLE', conname FROM pg_constraint WHERE conrelid = to_regclass(:table)"
            " UNION ALL SELECT 'INDEX', relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = to_regclass(:table)"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)"
            " UNION ALL SELECT 'SEQUENCE', relname FROM pg_depend JOIN pg_class ON pg_class.oid = objid"
            " WHERE refobjid = to_regclass(:table) AND relkind = 'S'"
        ),
        {"table": table},
    )
    return [(kind, name) for kind, name in found]


def rename_on_sqlite(
    connection: Connection, tables: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> None:
    """SQLite cannot rename a constraint: each table is made anew under its new name and filled from the old one."""
    indexes: list[str] = []
    for table, columns in tables.items():
        words = {**names, **columns}
        op.execute(new_name(definition_of(connection, table), words))
        op.execute(f'INSERT INTO "{names[table]}" SELECT * FROM "{table}"')
        indexes += [new_name(text, words) for text in index_definitions(connection, table)]
    for table in reversed(list(tables)):
        op.execute(f'DROP TABLE IF EXISTS "{table}_fts"')
        op.execute(f'DROP TABLE "{table}"')
    for text in indexes:
        op.execute(text)
    for key, table, column in searched(tables, names):
        for text in full_text(table, key, column):
            op.execute(text)


def searched(
    tables: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Key, new name and text column of the tables that have a full-text index."""
    for table, columns in tables.items():
        for old, key in SEARCHED.items():
            if table in (old, NEW_NAMES[old]):
                yield key, names[table], next(iter(columns.values()))


def full_text(table: str, key: str, column: str) -> list[str]:
    fts = f"{table}_fts"
    remove = f"INSERT INTO {fts}({fts}, rowid, {column}) VALUES ('delete', old.{key}, old.{column});"
    add = f"INSERT INTO {fts}(rowid, {column}) VALUES (new.{key}, new.{column});"
    after = ("inserted", "deleted", "updated") if column == "text" else ("come", "gone", "changed")
    return [
        f"CREATE VIRTUAL TABLE {fts} USING fts5({column}, content='{table}', content_rowid='{key}',"
        " tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {table}_{after[0]} AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {table}_{after[1]} AFTER DELETE ON {table} BEGIN {remove} END",
        f"CREATE TRIGGER {table}_{after[2]} AFTER UPDATE ON {table} BEGIN {remove} {add} END",
        f"INSERT INTO {fts}({fts}) VALUES ('rebuild')",
    ]


def definition_of(connection: Connection, name: str) -> str:
    text: str = connection.execute(
        sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}
    ).scalar_one()
    return text


def index_definitions(connection: Connection, table: str) -> list[str]:
    """Of the indexes that were made by a statement of their own."""
    found = connection.execute(
        sa.text(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL"
        ),
        {"table": table},
    )
    return list(found.scalars())


def replace_values(table: str, column: str, names: Mapping[str, str]) -> None:
    place = sa.table(table, sa.column(column, sa.String))
    for old, new in names.items():
        op.execute(place.update().where(place.c[column] == old).values({column: new}))


def rename_discount_keys(connection: Connection, old: str, new: str) -> None:
    """[{"offer_id": 7, "amount": 990}] becomes [{"promotion_id": 7, "amount": 990}]."""
    kind = "::text" if connection.dialect.name == "postgresql" else ""
    back = "::jsonb" if kind else ""
    for table in DISCOUNTS:
        found = f"discounts{kind}"
        op.execute(
            f"UPDATE {table} SET discounts = replace({found}, '\"{old}\"', '\"{new}\"'){back}"
            f" WHERE {found} LIKE '%\"{old}\"%'"
        )
