"""Customers are found by the last word of their name, and by a Chinese given name.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

EXPRESSIONS = {
    "ix_accounts_last_word": (
        "accounts (lower(replace(name, rtrim(name, replace(name, ' ', '')), '')) varchar_pattern_ops)"
    ),
    "ix_accounts_given_name": "accounts (lower(substr(name, 2)) varchar_pattern_ops)",
}
"""Indexes over expressions, for PostgreSQL only."""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            for name, expression in EXPRESSIONS.items():
                op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
                op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {expression}")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for name in EXPRESSIONS:
            op.execute(f"DROP INDEX {name}")
