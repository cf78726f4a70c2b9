"""Orders of which something waits to be collected say so, and tickets how much stock they have seen.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("ready_for_pickup", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("tickets", sa.Column("stock_seen", base.BigId, nullable=True))


def downgrade() -> None:
    op.drop_column("tickets", "stock_seen")
    op.drop_column("orders", "ready_for_pickup")
