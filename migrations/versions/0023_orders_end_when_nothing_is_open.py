"""Orders know when their receipt was confirmed, and parcels when their part of the order ended.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("receipt_confirmed_at", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("shipments", sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("shipments", "ended_at")
    op.drop_column("orders", "receipt_confirmed_at")
