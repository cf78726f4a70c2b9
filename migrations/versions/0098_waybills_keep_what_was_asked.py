"""Waybills keep what their carrier was asked to collect, and since when it is being called.

Revision ID: 0098
Revises: 0096
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0098"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("waybills", sa.Column("asked_at", base.UtcDateTime(timezone=True)))
    op.add_column("waybills", sa.Column("cash_amount", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("waybills", "cash_amount")
    op.drop_column("waybills", "asked_at")
