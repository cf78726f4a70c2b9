"""Addresses, deliveries and warehouses say where they are and from whom that is known; deliveries have windows.

Revision ID: 0069
Revises: 0077
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0069"
down_revision = "0077"
branch_labels = None
depends_on = None

PLACES = ("addresses", "deliveries", "warehouses")
ADDRESSES = ("addresses", "deliveries")
WINDOW = ("window_from", "window_until")


def upgrade() -> None:
    for table in ADDRESSES:
        op.add_column(table, sa.Column("latitude", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("longitude", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("preferred_from", sa.String(), nullable=True))
        op.add_column(table, sa.Column("preferred_until", sa.String(), nullable=True))
    for table in PLACES:
        op.add_column(table, sa.Column("coordinate_source", sa.String(32), nullable=True))
        op.add_column(table, sa.Column("geocode_at", base.UtcDateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("geocode_tries", sa.Integer(), nullable=False, server_default="0"))
    for column in WINDOW:
        op.add_column("deliveries", sa.Column(column, base.UtcDateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        for table in PLACES:
            op.create_index(
                f"ix_{table}_geocode_at",
                table,
                ["geocode_at"],
                postgresql_concurrently=True,
                if_not_exists=True,
                sqlite_where=sa.text("geocode_at IS NOT NULL"),
                postgresql_where=sa.text("geocode_at IS NOT NULL"),
            )


def downgrade() -> None:
    for table in PLACES:
        op.drop_index(f"ix_{table}_geocode_at", table)
        for column in ("coordinate_source", "geocode_at", "geocode_tries"):
            op.drop_column(table, column)
    for column in WINDOW:
        op.drop_column("deliveries", column)
    for table in ADDRESSES:
        for column in ("latitude", "longitude", "preferred_from", "preferred_until"):
            op.drop_column(table, column)
