"""Tickets say how the customer has asked.

Revision ID: 0090
Revises: 0072
"""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("channel", sa.String(32), nullable=False, server_default="ONLINE"))


def downgrade() -> None:
    op.drop_column("tickets", "channel")
