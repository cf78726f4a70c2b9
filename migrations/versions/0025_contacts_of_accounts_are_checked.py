"""All accounts have been checked for how they are reached, which locks nobody out.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_reachable")


def downgrade() -> None:
    pass
