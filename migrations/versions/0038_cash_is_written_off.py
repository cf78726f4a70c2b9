"""Cash that never comes for a parcel is written off.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "shipments", sa.Column("cash_written_off_at", base.UtcDateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("shipments", "cash_written_off_at")
