"""What is exchanged names what is wanted instead; what that costs more is paid before it is sent.

Revision ID: 0104
Revises: 0113
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0104"
down_revision = "0113"
branch_labels = None
depends_on = None

COUNTED = (
    ("ticket_lines", "surcharge_amount"),
    ("ticket_lines", "substitute_reduction_amount"),
    ("delivery_lines", "replaced_reduction_amount"),
)


def upgrade() -> None:
    for table, name in COUNTED:
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    # NULL where a release up to 0.3.0 has written the line: it is what was refunded then
    op.add_column("ticket_lines", sa.Column("in_place_amount", sa.BigInteger(), nullable=True))
    id_type = "INTEGER" if op.get_context().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE ticket_lines ADD COLUMN substitute_variant_id {id_type}"
        " CONSTRAINT fk_ticket_lines_substitute_variant_id REFERENCES variants (id)"
    )
    op.create_table(
        "ticket_differences",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=True),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("requested_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("paid_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ticket_differences_amount")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_differences_ticket_id")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_ticket_differences_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_differences")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_ticket_differences_payment_id")),
    )
    op.create_index("ix_ticket_differences_ticket_id", "ticket_differences", ["ticket_id"])
    op.create_index(
        "uq_ticket_differences_waiting",
        "ticket_differences",
        ["ticket_id"],
        unique=True,
        sqlite_where=sa.text("paid_at IS NULL"),
        postgresql_where=sa.text("paid_at IS NULL"),
    )
    op.create_table(
        "ticket_difference_units",
        sa.Column("difference_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_ticket_difference_units_quantity")),
        sa.ForeignKeyConstraint(
            ["difference_id"],
            ["ticket_differences.id"],
            name=op.f("fk_ticket_difference_units_difference_id"),
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name=op.f("fk_ticket_difference_units_variant_id")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_ticket_difference_units_warehouse_id")
        ),
        sa.PrimaryKeyConstraint(
            "difference_id", "variant_id", "warehouse_id", name=op.f("pk_ticket_difference_units")
        ),
    )
    op.create_index("ix_ticket_difference_units_variant_id", "ticket_difference_units", ["variant_id"])


def downgrade() -> None:
    op.drop_table("ticket_difference_units")
    op.drop_table("ticket_differences")
    with op.batch_alter_table("ticket_lines") as batch_op:
        batch_op.drop_column("substitute_variant_id")
    op.drop_column("ticket_lines", "in_place_amount")
    for table, name in reversed(COUNTED):
        op.drop_column(table, name)
