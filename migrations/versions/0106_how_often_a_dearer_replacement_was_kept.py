"""Tickets count how often a dearer replacement was kept for them.

Revision ID: 0106
Revises: 0105
"""

import sqlalchemy as sa
from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("differences_due", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("tickets", "differences_due")
