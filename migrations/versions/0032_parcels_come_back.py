"""Parcels that come back are inspected and ended, cash is due for each, and a courier has one active run.

A courier of the last release may have had several active runs; all but the latest are planned again.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'ACTIVE'")
COUNTS = {"shipment_lines": ("restocked", "damaged", "claimed"), "delivery_lines": ("ended",)}


def upgrade() -> None:
    for name in ("waiting_since", "inspected_at", "cash_collected_at"):
        op.add_column("shipments", sa.Column(name, base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("shipments", sa.Column("ending", sa.String(32), nullable=True))
    op.add_column("shipments", sa.Column("cash_amount", sa.BigInteger(), nullable=True))
    op.add_column("tracking_events", sa.Column("revoked_at", base.UtcDateTime(timezone=True), nullable=True))
    for table, names in COUNTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "delivery_run_stops", sa.Column("skipped", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        "UPDATE delivery_runs SET status = 'PLANNED', started_at = NULL WHERE status = 'ACTIVE' AND id NOT IN"
        " (SELECT max(id) FROM delivery_runs WHERE status = 'ACTIVE' GROUP BY courier_id)"
    )
    op.create_index(
        "uq_delivery_runs_active",
        "delivery_runs",
        ["courier_id"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )


def downgrade() -> None:
    op.drop_index("uq_delivery_runs_active", "delivery_runs")
    op.drop_column("delivery_run_stops", "skipped")
    for table, names in COUNTS.items():
        for name in names:
            op.drop_column(table, name)
    op.drop_column("tracking_events", "revoked_at")
    for name in ("cash_amount", "ending", "cash_collected_at", "inspected_at", "waiting_since"):
        op.drop_column("shipments", name)
