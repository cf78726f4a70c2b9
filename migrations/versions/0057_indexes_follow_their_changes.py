"""Search indexes follow the changes of products.

What is found is not kept in tables any more. On PostgreSQL processes of the last release use those still:
a later migration drops them.

Revision ID: 0057
Revises: 0056
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

RETIRED = ("product_terms", "term_deletions", "indexed_terms", "product_facet_values", "product_search_texts")

PRODUCT_COLUMNS = (
    "title, description, brand, product_type, category_id, status, tags, translations, published_at"
)
VARIANT_COLUMNS = "sku, barcode, options, tracked, sells_when_out, archived_at"
EVERY = ("INSERT", "UPDATE", "DELETE")
UPDATED = ("UPDATE",)

WATCHED = (
    ("products", "PRODUCT", "id", EVERY, PRODUCT_COLUMNS, ""),
    ("variants", "PRODUCT", "product_id", EVERY, VARIANT_COLUMNS, ""),
    ("prices", "VARIANT", "variant_id", EVERY, "amount", ""),
    ("product_attributes", "PRODUCT", "product_id", EVERY, "", ""),
    ("categories", "CATEGORY", "id", UPDATED, "name, path, translations", ""),
    ("attributes", "ATTRIBUTE", "id", UPDATED, "code, type, filterable, archived_at", ""),
    ("attribute_values", "ATTRIBUTE", "attribute_id", UPDATED, "code, name, translations", ""),
    ("stock_levels", "VARIANT", "variant_id", EVERY, "", "{row}.on_hand - {row}.reserved > 0"),
    ("warehouses", "WAREHOUSE", "id", UPDATED, "active", ""),
    ("product_sales", "PRODUCT", "product_id", EVERY, "", "{row}.units"),
)
"""Table, subject, key, acts, columns whose updates are noted, expression whose changes are."""


def upgrade() -> None:
    op.create_table(
        "index_changes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("subject_id", base.BigId, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_changes")),
    )
    op.create_index(
        "ix_index_changes_transaction_id",
        "index_changes",
        ["transaction_id"],
        postgresql_where=sa.text("transaction_id > 0"),
    )
    for table, subject, key, acts, columns, value in WATCHED:
        note_changes(table, subject, key, acts, columns, value)
    if not is_postgresql():
        for act in ("inserted", "deleted", "updated"):
            op.execute(f"DROP TRIGGER product_search_texts_{act}")
        op.execute("DROP TABLE product_search_texts_fts")
        for table in RETIRED:
            op.drop_table(table)


def note_changes(table: str, subject: str, key: str, acts: tuple[str, ...], columns: str, value: str) -> None:
    name = f"note_index_{table}"
    if is_postgresql():
        row_id = f"COALESCE(NEW.{key}, OLD.{key})"
        values = f"('{subject}', {row_id}, pg_current_xact_id()::text::bigint)"
        note = f"INSERT INTO index_changes (subject, subject_id, transaction_id) VALUES {values};"
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {note} RETURN NULL; END $$"
        )
    for act in acts:
        of = f" OF {columns}" if act == "UPDATE" and columns else ""
        condition = ""
        if act == "UPDATE" and value:
            condition = f" WHEN (({value.format(row='OLD')}) <> ({value.format(row='NEW')}))"
        head = f"CREATE TRIGGER {name}_{act.lower()} AFTER {act}{of} ON {table} FOR EACH ROW{condition}"
        if is_postgresql():
            op.execute(f"{head} EXECUTE FUNCTION {name}()")
        else:
            row = "OLD" if act == "DELETE" else "NEW"
            note = f"INSERT INTO index_changes (subject, subject_id) VALUES ('{subject}', {row}.{key});"
            op.execute(f"{head} BEGIN {note} END")


def is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def downgrade() -> None:
    """The tables before come back empty; `cartwheel reindex` of that version fills them."""
    for table, _, _, acts, *_ in WATCHED:
        for act in acts:
            name = f"note_index_{table}_{act.lower()}"
            op.execute(f"DROP TRIGGER {name} ON {table}" if is_postgresql() else f"DROP TRIGGER {name}")
        if is_postgresql():
            op.execute(f"DROP FUNCTION note_index_{table}()")
    op.drop_table("index_changes")
    if not is_postgresql():
        create_retired_tables()


def create_retired_tables() -> None:
    for table, column in (("product_search_texts", "text"), ("product_facet_values", "facet_values")):
        op.create_table(
            table,
            sa.Column("product_id", base.BigId, nullable=False),
            sa.Column(column, sa.String(), nullable=False),
            sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f(f"fk_{table}_product_id")),
            sa.PrimaryKeyConstraint("product_id", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "product_terms",
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_terms_product_id")),
        sa.PrimaryKeyConstraint("term", "product_id", name=op.f("pk_product_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_product_terms_product_id", "product_terms", ["product_id"])
    op.create_table(
        "indexed_terms",
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("product_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_indexed_terms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "term_deletions",
        sa.Column("deletion", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("deletion", "term", name=op.f("pk_term_deletions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_term_deletions_term", "term_deletions", ["term"])
    fts = "product_search_texts_fts"
    remove = f"INSERT INTO {fts}({fts}, rowid, text) VALUES ('delete', old.product_id, old.text);"
    add = f"INSERT INTO {fts}(rowid, text) VALUES (new.product_id, new.text);"
    op.execute(
        f"CREATE VIRTUAL TABLE {fts} USING fts5(text, content='product_search_texts',"
        " content_rowid='product_id', tokenize='unicode61 remove_diacritics 2')"
    )
    for act, steps in (("inserted", add), ("deleted", remove), ("updated", f"{remove} {add}")):
        head = f"CREATE TRIGGER product_search_texts_{act} AFTER"
        verb = {"inserted": "INSERT", "deleted": "DELETE", "updated": "UPDATE"}[act]
        op.execute(f"{head} {verb} ON product_search_texts BEGIN {steps} END")
