"""Calls to payment providers are recorded.

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_calls",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("attempt_id", base.BigId, nullable=True),
        sa.Column("refund_id", base.BigId, nullable=True),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("actor_id", base.BigId, nullable=True),
        sa.Column("called_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_called_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "attempt_id IS NOT NULL OR refund_id IS NOT NULL", name=op.f("ck_provider_calls_about")
        ),
        sa.CheckConstraint("times > 0", name=op.f("ck_provider_calls_times")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_provider_calls_order_id")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["payment_attempts.id"], name=op.f("fk_provider_calls_attempt_id")
        ),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_provider_calls_refund_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_provider_calls_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_calls")),
    )
    op.create_index(op.f("ix_provider_calls_order_id"), "provider_calls", ["order_id"])
    op.create_index("ix_provider_calls_attempt_id_kind", "provider_calls", ["attempt_id", "kind"])
    op.create_index("ix_provider_calls_refund_id_kind", "provider_calls", ["refund_id", "kind"])


def downgrade() -> None:
    op.drop_table("provider_calls")
