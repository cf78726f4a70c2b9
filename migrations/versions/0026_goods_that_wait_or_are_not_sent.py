"""Backorders, goods that need no shipping, and deliveries that customers collect.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backorders",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("delivery_line_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("filled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("filled_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity >= 0 AND filled >= 0", name=op.f("ck_backorders_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_backorders_order_id")),
        sa.ForeignKeyConstraint(
            ["delivery_line_id"], ["delivery_lines.id"], name=op.f("fk_backorders_delivery_line_id")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_backorders_variant_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_backorders_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backorders")),
    )
    op.create_index(
        "ix_backorders_variant_id_warehouse_id_id", "backorders", ["variant_id", "warehouse_id", "id"]
    )
    op.create_index("ix_backorders_delivery_line_id", "backorders", ["delivery_line_id"])
    op.create_index("ix_backorders_order_id", "backorders", ["order_id"])
    op.create_index("ix_backorders_filled_at", "backorders", ["filled_at"])

    op.create_table(
        "pickups",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("delivery_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("failed_tries", sa.Integer(), nullable=False),
        sa.Column("ready_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("collected_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failed_tries >= 0", name=op.f("ck_pickups_failed_tries")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_pickups_delivery_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_pickups_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickups")),
    )
    op.create_index("uq_pickups_delivery_id", "pickups", ["delivery_id"], unique=True)
    op.create_index("ix_pickups_warehouse_id_status_id", "pickups", ["warehouse_id", "status", "id"])
    op.create_index("ix_pickups_due_at", "pickups", ["due_at"])

    for table in ("stock_levels", "stock_movements"):
        op.add_column(table, sa.Column("backordered", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "order_lines", sa.Column("requires_shipping", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.add_column(
        "warehouses", sa.Column("allows_pickup", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("warehouses", sa.Column("pickup_hours", base.Json, nullable=True))
    op.add_column(
        "warehouses", sa.Column("pickup_instructions", sa.String(), server_default="", nullable=False)
    )


def downgrade() -> None:
    for column in ("pickup_instructions", "pickup_hours", "allows_pickup"):
        op.drop_column("warehouses", column)
    op.drop_column("order_lines", "requires_shipping")
    for table in ("stock_movements", "stock_levels"):
        op.drop_column(table, "backordered")
    op.drop_table("pickups")
    op.drop_table("backorders")
