"""Refunds that go into store credit may bring a bonus.

Revision ID: 0107
Revises: 0111
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0107"
down_revision = "0111"
branch_labels = None
depends_on = None

MOVEMENTS = "store_credit_movements"
AMOUNT, BONUS = "ck_store_credit_movements_amount", "ck_store_credit_movements_bonus"
BEFORE = "(amount > 0) = (kind IN ('REDEEMED', 'REFUNDED'))"
NOW = "(amount > 0) = (kind IN ('REDEEMED', 'REFUNDED', 'BONUS'))"
OF_BONUS = "(bonus_refund_id IS NOT NULL) = (kind IN ('BONUS', 'BONUS_REVOKED'))"
OF_REFUND = "ck_refunds_bonus"
WITHIN = "0 <= bonus_amount AND bonus_amount <= amount"
INDEX = "ix_store_credit_movements_bonus_refund_id_kind"
PROMISED = ("bonus_basis_points", "bonus_cap_amount", "bonus_amount")


def upgrade() -> None:
    for name in PROMISED:
        kind = sa.Integer() if name == "bonus_basis_points" else sa.BigInteger()
        op.add_column("tickets", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("refunds", sa.Column("bonus_amount", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(MOVEMENTS, sa.Column("bonus_refund_id", base.BigId))
    with op.batch_alter_table("refunds") as table:
        table.create_check_constraint(op.f(OF_REFUND), WITHIN, postgresql_not_valid=True)
    with op.batch_alter_table(MOVEMENTS) as table:
        table.drop_constraint(op.f(AMOUNT), type_="check")
        table.create_check_constraint(op.f(AMOUNT), NOW, postgresql_not_valid=True)
        table.create_check_constraint(op.f(BONUS), OF_BONUS, postgresql_not_valid=True)
    is_bonus = sa.text("bonus_refund_id IS NOT NULL")
    with op.get_context().autocommit_block():
        if op.get_context().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE refunds VALIDATE CONSTRAINT {OF_REFUND}")
            op.execute(f"ALTER TABLE {MOVEMENTS} VALIDATE CONSTRAINT {AMOUNT}")
            op.execute(f"ALTER TABLE {MOVEMENTS} VALIDATE CONSTRAINT {BONUS}")
        op.create_index(
            INDEX,
            MOVEMENTS,
            ["bonus_refund_id", "kind"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=is_bonus,
            postgresql_where=is_bonus,
        )


def downgrade() -> None:
    op.drop_index(INDEX, MOVEMENTS)
    # Customers keep what they were given, and have given back what was taken: as refunds, and as given up.
    op.execute(f"UPDATE {MOVEMENTS} SET kind = 'REFUNDED' WHERE kind = 'BONUS'")
    op.execute(f"UPDATE {MOVEMENTS} SET kind = 'FORFEITED' WHERE kind = 'BONUS_REVOKED'")
    with op.batch_alter_table(MOVEMENTS) as table:
        table.drop_constraint(op.f(BONUS), type_="check")
        table.drop_constraint(op.f(AMOUNT), type_="check")
        table.create_check_constraint(op.f(AMOUNT), BEFORE, postgresql_not_valid=True)
        table.drop_column("bonus_refund_id")
    with op.batch_alter_table("refunds") as table:
        table.drop_constraint(op.f(OF_REFUND), type_="check")
        table.drop_column("bonus_amount")
    for name in reversed(PROMISED):
        op.drop_column("tickets", name)
