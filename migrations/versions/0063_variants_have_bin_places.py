"""Variants have a place in each warehouse.

Revision ID: 0063
Revises: 0067
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_levels", sa.Column("bin_place", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("stock_levels", "bin_place")
