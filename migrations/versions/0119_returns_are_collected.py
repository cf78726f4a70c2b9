"""Carriers collect what customers send back.

Revision ID: 0119
Revises: 0106
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0119"
down_revision = "0106"
branch_labels = None
depends_on = None

POSTAL = (
    "recipient",
    "phone",
    "country_code",
    "province",
    "city",
    "district",
    "line1",
    "line2",
    "postal_code",
)
COLLECTED = "return_collection_id IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "return_collections",
        sa.Column("id", base.BigId, primary_key=True),
        sa.Column("ticket_id", base.BigId, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("warehouse_id", base.BigId, sa.ForeignKey("warehouses.id"), nullable=False),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("requested_at", base.UtcDateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in POSTAL),
        sa.Column("preferred_from", sa.String()),
        sa.Column("preferred_until", sa.String()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("coordinate_source", sa.String(32)),
        sa.Column("geocode_at", base.UtcDateTime(timezone=True)),
        sa.Column("geocode_tries", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index("ix_return_collections_ticket_id", "return_collections", ["ticket_id"])
    op.add_column("waybills", sa.Column("return_collection_id", base.BigId))
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_waybills_return_collection_id",
            "waybills",
            ["return_collection_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=sa.text(COLLECTED),
            postgresql_where=sa.text(COLLECTED),
        )


def downgrade() -> None:
    op.drop_index("ix_waybills_return_collection_id", "waybills")
    op.drop_column("waybills", "return_collection_id")
    op.drop_table("return_collections")
