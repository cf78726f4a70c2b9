"""Rules choose carriers, carriers have rates, and waybills say by which rule and at what quote.

Revision ID: 0062
Revises: 0069
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0062"
down_revision = "0069"
branch_labels = None
depends_on = None

OF_WAYBILLS = ("promised_at", "quoted_currency", "quoted_amount", "rule_version", "rule_id")


def upgrade() -> None:
    op.create_table(
        "carrier_rules",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("regions", base.Json, nullable=False),
        sa.Column("grams_from", sa.Integer(), nullable=True),
        sa.Column("grams_below", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(32), nullable=True),
        sa.Column("goods_from_amount", sa.BigInteger(), nullable=True),
        sa.Column("goods_below_amount", sa.BigInteger(), nullable=True),
        sa.Column("is_cash", sa.Boolean(), nullable=True),
        sa.Column("price_limit_amount", sa.BigInteger(), nullable=True),
        sa.Column("promised_within_hours", sa.Integer(), nullable=True),
        sa.Column("preference", sa.String(32), nullable=False),
        sa.Column("carriers", base.Json, nullable=False),
        sa.Column("shares", base.Json, nullable=False),
        sa.Column("chosen", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", base.BigId, nullable=True),
        sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["accounts.id"], name=op.f("fk_carrier_rules_changed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_rules")),
    )
    op.create_index("ix_carrier_rules_position", "carrier_rules", ["position"])
    op.add_column("carriers", sa.Column("rates", base.Json, nullable=False, server_default="[]"))
    with op.batch_alter_table("waybills") as table:
        table.add_column(sa.Column("rule_id", base.BigId, nullable=True))
        table.add_column(sa.Column("rule_version", sa.Integer(), nullable=True))
        table.add_column(sa.Column("quoted_amount", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("quoted_currency", sa.String(32), nullable=True))
        table.add_column(sa.Column("promised_at", base.UtcDateTime(timezone=True), nullable=True))
        table.create_foreign_key(
            op.f("fk_waybills_rule_id"), "carrier_rules", ["rule_id"], ["id"], postgresql_not_valid=True
        )
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_waybills_rule_id"),
            "waybills",
            ["rule_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        if op.get_context().dialect.name == "postgresql":
            op.execute("ALTER TABLE waybills VALIDATE CONSTRAINT fk_waybills_rule_id")


def downgrade() -> None:
    op.drop_index(op.f("ix_waybills_rule_id"), "waybills")
    with op.batch_alter_table("waybills") as table:
        table.drop_constraint(op.f("fk_waybills_rule_id"), type_="foreignkey")
        for name in OF_WAYBILLS:
            table.drop_column(name)
    with op.batch_alter_table("carriers") as table:
        table.drop_column("rates")
    op.drop_table("carrier_rules")
