"""Parcels in which goods come back are followed, with what was reported of them.

Revision ID: 0118
Revises: 0121
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0118"
down_revision = "0121"
branch_labels = None
depends_on = None

COMES = "return_parcel_id IS NOT NULL"
DUE = "attend_at IS NOT NULL"
MOMENTS = (
    "estimated_at",
    "taken_at",
    "delivered_at",
    "last_event_at",
    "contested_at",
    "attend_at",
    "poll_at",
    "polled_at",
    "subscribed_at",
    "ended_at",
)


def upgrade() -> None:
    op.create_table(
        "return_parcels",
        sa.Column("id", base.BigId, primary_key=True),
        sa.Column("account_id", base.BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("warehouse_id", base.BigId, sa.ForeignKey("warehouses.id"), nullable=False),
        sa.Column("carrier", sa.String(32), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("sent_after", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("given_at", base.UtcDateTime(timezone=True), nullable=False),
        *(sa.Column(name, base.UtcDateTime(timezone=True)) for name in MOMENTS),
        sa.Column("company_code", sa.String()),
        sa.UniqueConstraint("account_id", "carrier", "tracking_number"),
    )
    op.create_index(
        "ix_return_parcels_carrier_tracking_number", "return_parcels", ["carrier", "tracking_number"]
    )
    op.create_index("ix_return_parcels_carrier_poll_at", "return_parcels", ["carrier", "poll_at"])
    op.create_index(
        "ix_return_parcels_attend_at",
        "return_parcels",
        ["attend_at"],
        sqlite_where=sa.text(DUE),
        postgresql_where=sa.text(DUE),
    )
    op.create_table(
        "return_events",
        sa.Column("id", base.BigId, primary_key=True),
        sa.Column("return_parcel_id", base.BigId, sa.ForeignKey("return_parcels.id"), nullable=False),
        sa.Column("status", sa.String(32)),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("occurred_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("text_hash", sa.String(64)),
        sa.Column("revoked_at", base.UtcDateTime(timezone=True)),
    )
    op.create_index(
        "ix_return_events_key", "return_events", ["return_parcel_id", "occurred_at", "text_hash"], unique=True
    )
    op.add_column("tickets", sa.Column("return_parcel_id", base.BigId))
    op.add_column(
        "tickets", sa.Column("return_corrections", sa.Integer(), server_default="0", nullable=False)
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_tickets_return_parcel_id",
            "tickets",
            ["return_parcel_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=sa.text(COMES),
            postgresql_where=sa.text(COMES),
        )


def downgrade() -> None:
    op.drop_index("ix_tickets_return_parcel_id", "tickets")
    op.drop_column("tickets", "return_corrections")
    op.drop_column("tickets", "return_parcel_id")
    op.drop_table("return_events")
    op.drop_table("return_parcels")
