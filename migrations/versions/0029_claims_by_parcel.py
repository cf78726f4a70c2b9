"""Claims are counted by parcel; their windows and exclusions are kept in versions.

Revision ID: 0029
Revises: 0028
"""

import json

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

FAULTS = ("QUALITY_FAULT", "WRONG_ITEM", "MISSING_ITEM", "DAMAGED", "NOT_AS_DESCRIBED", "NOT_RECEIVED")


def upgrade() -> None:
    op.create_table(
        "claim_policies",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("category_id", base.BigId, nullable=True),
        sa.Column("product_id", base.BigId, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("windows", base.Json, nullable=False),
        sa.Column("exclusion", sa.String(32), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_claim_policies_category_id")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_claim_policies_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_policies")),
        sa.UniqueConstraint("scope", "version", name=op.f("uq_claim_policies_scope_version")),
    )
    op.create_index("ix_claim_policies_category_id", "claim_policies", ["category_id"])
    op.create_index("ix_claim_policies_product_id", "claim_policies", ["product_id"])
    windows = json.dumps({"NO_REASON": 7} | dict.fromkeys(FAULTS, 15))
    zone = "" if op.get_context().dialect.name == "sqlite" else "+00"
    op.execute(
        "INSERT INTO claim_policies (scope, version, windows, created_at)"
        f" VALUES ('*', 1, '{windows}', '2000-01-01 00:00:00.000000{zone}')"
    )
    op.create_table(
        "ticket_units",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("delivery_line_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_ticket_units_quantity")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_units_ticket_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_ticket_units_shipment_id")),
        sa.ForeignKeyConstraint(
            ["delivery_line_id"], ["delivery_lines.id"], name=op.f("fk_ticket_units_delivery_line_id")
        ),
        sa.PrimaryKeyConstraint("ticket_id", "shipment_id", "delivery_line_id", name=op.f("pk_ticket_units")),
    )
    op.create_index("ix_ticket_units_shipment_id", "ticket_units", ["shipment_id"])
    op.add_column("tickets", sa.Column("uninspected_at", base.UtcDateTime(timezone=True), nullable=True))
    op.add_column("ticket_lines", counted("refunded_in_place", sa.Integer()))
    op.add_column("ticket_lines", counted("difference_amount", sa.BigInteger()))
    op.add_column("order_lines", sa.Column("exclusion", sa.String(32), nullable=True))
    op.add_column(
        "order_lines", sa.Column("exclusion_confirmed_at", base.UtcDateTime(timezone=True), nullable=True)
    )
    op.add_column("delivery_lines", counted("reduction_amount", sa.BigInteger()))
    id_type = "INTEGER" if op.get_context().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE delivery_lines ADD COLUMN variant_id {id_type}"
        " CONSTRAINT fk_delivery_lines_variant_id REFERENCES variants (id)"
    )


def counted(name: str, type_: sa.types.TypeEngine[int]) -> sa.Column[int]:
    return sa.Column(name, type_, nullable=False, server_default="0")


def downgrade() -> None:
    with op.batch_alter_table("delivery_lines") as batch_op:
        if op.get_context().dialect.name != "sqlite":  # which drops it with its column
            batch_op.drop_constraint(op.f("fk_delivery_lines_variant_id"), type_="foreignkey")
        batch_op.drop_column("variant_id")
        batch_op.drop_column("reduction_amount")
    op.drop_column("order_lines", "exclusion_confirmed_at")
    op.drop_column("order_lines", "exclusion")
    op.drop_column("ticket_lines", "difference_amount")
    op.drop_column("ticket_lines", "refunded_in_place")
    op.drop_column("tickets", "uninspected_at")
    op.drop_table("ticket_units")
    op.drop_table("claim_policies")
