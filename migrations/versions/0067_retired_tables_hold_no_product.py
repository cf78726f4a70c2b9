"""Products do not depend on the tables that the last release searches in.

On PostgreSQL its processes fill and read them still, and a later migration drops them. What deletes a product
does not know them any more.

Revision ID: 0067
Revises: 0088
"""

from alembic import op

revision = "0067"
down_revision = "0088"
branch_labels = None
depends_on = None

TABLES = ("product_search_texts", "product_terms", "product_facet_values")


def upgrade() -> None:
    if not is_postgresql():
        return
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {key_of(table)}")


def downgrade() -> None:
    if not is_postgresql():
        return
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE product_id NOT IN (SELECT id FROM products)")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {key_of(table)} FOREIGN KEY (product_id) REFERENCES products (id)"
        )


def key_of(table: str) -> str:
    return f"fk_{table}_product_id"


def is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"
