"""All accounts have been checked for how they are reached, which locks nobody out.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT ck_accounts_reachable")


def downgrade() -> None:
    pass
