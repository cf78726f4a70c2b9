"""An edit of a rule of cash at the door names the version it has read.

Revision ID: 0049
Revises: 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cash_rules", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("cash_rules", "version")
