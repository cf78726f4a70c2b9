"""Returns are inspected unit by unit; what is refused is a ticket of its own and goes back to the customer.

Revision ID: 0100
Revises: 0112
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0100"
down_revision = "0112"
branch_labels = None
depends_on = None

IS_PART = "part_of_id IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "return_inspections",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("order_line_id", base.BigId, nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("customers_fault", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("inspected_by_id", base.BigId, nullable=True),
        sa.Column("inspected_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("current", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("delivery_line_id", base.BigId, nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_inspections_quantity")),
        sa.ForeignKeyConstraint(
            ["delivery_line_id"], ["delivery_lines.id"], name=op.f("fk_return_inspections_delivery_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["inspected_by_id"], ["accounts.id"], name=op.f("fk_return_inspections_inspected_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_return_inspections_order_line_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_return_inspections_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_inspections")),
    )
    op.create_index("ix_return_inspections_ticket_id", "return_inspections", ["ticket_id"], unique=False)
    op.create_index(
        op.f("ix_return_inspections_delivery_line_id"),
        "return_inspections",
        ["delivery_line_id"],
        unique=False,
    )
    op.add_column(
        "deliveries", sa.Column("sends_back", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("tickets", sa.Column("part_of_id", base.BigId, nullable=True))
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_tickets_part_of_id",
            "tickets",
            ["part_of_id"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=sa.text(IS_PART),
            postgresql_where=sa.text(IS_PART),
        )


def downgrade() -> None:
    # Deliveries that send refused goods back stay, and look like replacements to the release before: pack and
    # send them, or cancel their orders, first.
    op.drop_index("ix_tickets_part_of_id", "tickets")
    op.drop_column("tickets", "part_of_id")
    op.drop_column("deliveries", "sends_back")
    op.drop_table("return_inspections")
