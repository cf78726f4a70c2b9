"""Orders keep the rules of their promotions, and can be edited; an edit that costs more waits for its payment.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TOTAL = (
    "total_amount = subtotal_amount - discount_amount + shipping_amount - cancelled_amount{extra}"
    " AND total_amount >= 0 AND cancelled_amount >= 0"
)


def upgrade() -> None:
    for name in ("extra_amount", "credited_amount"):
        op.add_column("orders", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "order_promotion_rules",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("rules", base.Json, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_promotion_rules_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_promotion_rules")),
        sa.UniqueConstraint("order_id", name=op.f("uq_order_promotion_rules_order_id")),
    )
    op.create_table(
        "order_edits",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("requested_by", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_order_edits_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_edits_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_order_edits_payment_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name=op.f("fk_order_edits_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_edits")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_order_edits_payment_id")),
    )
    op.create_index("ix_order_edits_order_id", "order_edits", ["order_id"])
    op.create_index(op.f("ix_order_edits_requested_by"), "order_edits", ["requested_by"])
    op.create_index("ix_order_edits_status_due_at", "order_edits", ["status", "due_at"])
    op.create_table(
        "order_edit_units",
        sa.Column("edit_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_edit_units_quantity")),
        sa.ForeignKeyConstraint(["edit_id"], ["order_edits.id"], name=op.f("fk_order_edit_units_edit_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_order_edit_units_variant_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_order_edit_units_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("edit_id", "variant_id", "warehouse_id", name=op.f("pk_order_edit_units")),
    )
    op.create_index(op.f("ix_order_edit_units_variant_id"), "order_edit_units", ["variant_id"])
    replace_total(TOTAL.format(extra=" + extra_amount"))


def replace_total(condition: str) -> None:
    """All orders are checked after the lock on the table is released."""
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_orders_total"), type_="check")
        batch_op.create_check_constraint(op.f("ck_orders_total"), condition, postgresql_not_valid=True)
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_total")


def downgrade() -> None:
    for table in ("order_edit_units", "order_edits", "order_promotion_rules"):
        op.drop_table(table)
    replace_total(TOTAL.format(extra=""))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("credited_amount")
        batch_op.drop_column("extra_amount")
