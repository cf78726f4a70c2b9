"""Parcels under way have an estimate of their arrival, from statistics of finished parcels by lane.

Revision ID: 0070
Revises: 0078
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0070"
down_revision = "0078"
branch_labels = None
depends_on = None

MOMENTS = ("eta_earliest_at", "eta_at", "eta_latest_at", "late_at", "silent_at", "count_at")
INDEXED = ("count_at", "late_at", "silent_at")


def upgrade() -> None:
    op.create_table(
        "lane_statistics",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("counts", base.Json, nullable=False),
        sa.Column("counted_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lane_statistics")),
    )
    for column in MOMENTS:
        op.add_column("shipments", sa.Column(column, base.UtcDateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        for column in INDEXED:
            is_set = sa.text(f"{column} IS NOT NULL")
            op.create_index(
                f"ix_shipments_{column}",
                "shipments",
                [column],
                postgresql_concurrently=True,
                if_not_exists=True,
                sqlite_where=is_set,
                postgresql_where=is_set,
            )


def downgrade() -> None:
    for column in INDEXED:
        op.drop_index(f"ix_shipments_{column}", "shipments")
    for column in MOMENTS:
        op.drop_column("shipments", column)
    op.drop_table("lane_statistics")
