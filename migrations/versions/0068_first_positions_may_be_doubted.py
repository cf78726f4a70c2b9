"""A first position of a run that is far from everywhere it goes is doubted.

Revision ID: 0068
Revises: 0099
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0068"
down_revision = "0099"
branch_labels = None
depends_on = None

IS_DOUBTED = sa.text("doubted_at IS NOT NULL")
COLUMNS = ("doubted_latitude", "doubted_longitude", "doubted_at")


def upgrade() -> None:
    op.add_column("delivery_runs", sa.Column("doubted_latitude", sa.Double(), nullable=True))
    op.add_column("delivery_runs", sa.Column("doubted_longitude", sa.Double(), nullable=True))
    op.add_column("delivery_runs", sa.Column("doubted_at", base.UtcDateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_delivery_runs_doubted_at",
        "delivery_runs",
        ["doubted_at"],
        sqlite_where=IS_DOUBTED,
        postgresql_where=IS_DOUBTED,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_runs_doubted_at", "delivery_runs")
    for name in reversed(COLUMNS):
        op.drop_column("delivery_runs", name)
