"""Parcels fall due at their carrier, and tracking events are known by their texts.

Revision ID: 0053
Revises: 0052
"""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_shipments_carrier_poll_at",
            "shipments",
            ["carrier", "poll_at"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_tracking_events_key",
            "tracking_events",
            ["shipment_id", "occurred_at", "text_hash"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_tracking_events_key", "tracking_events")
    op.drop_index("ix_shipments_carrier_poll_at", "shipments")
