"""Payments that were started are replaced by others, and money that still comes for them goes back.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("replaced_at", base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("payments", "replaced_at")
