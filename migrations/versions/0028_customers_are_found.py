"""Customers are found by name, phone number and postcode.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TAIL = "substr(phone, length(phone) - 3)"
EXPRESSIONS = {
    "ix_accounts_name_begins": "accounts (lower(name) varchar_pattern_ops)",
    "ix_accounts_phone_tail": f"accounts (({TAIL}))",
    "ix_guest_accounts_phone_tail": f"guest_accounts (({TAIL}))",
    "ix_addresses_phone_tail": f"addresses (({TAIL}))",
}
"""Indexes over expressions, for PostgreSQL only."""
POSTCODES = {"ix_addresses_postal_code": "addresses", "ix_deliveries_postal_code": "deliveries"}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, table in POSTCODES.items():
            op.create_index(name, table, ["postal_code"], postgresql_concurrently=True, if_not_exists=True)
        if op.get_context().dialect.name == "postgresql":
            for name, expression in EXPRESSIONS.items():
                op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
                op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {expression}")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for name in EXPRESSIONS:
            op.execute(f"DROP INDEX {name}")
    for name, table in POSTCODES.items():
        op.drop_index(name, table)
