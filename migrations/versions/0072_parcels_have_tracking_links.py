"""Parcels have tracking links that need no account.

Revision ID: 0072
Revises: 0071
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracking_links",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_by_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_tracking_links_shipment_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["accounts.id"], name=op.f("fk_tracking_links_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tracking_links_token_hash")),
    )
    op.create_index("ix_tracking_links_shipment_id", "tracking_links", ["shipment_id"])


def downgrade() -> None:
    op.drop_table("tracking_links")
