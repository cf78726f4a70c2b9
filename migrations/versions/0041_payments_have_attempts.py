"""Payments have attempts, each with a reference of its own.

Revision ID: 0041
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0041"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_attempts",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("action_kind", sa.String(32), nullable=True),
        sa.Column("action_value", sa.String(), nullable=True),
        sa.Column("action_key", sa.String(), nullable=True),
        sa.Column("action_expires_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("query_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reported", sa.String(length=32), nullable=True),
        sa.Column("reported_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("captured_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_attempts_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_attempts_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempts")),
        sa.UniqueConstraint("payment_id", "number", name=op.f("uq_payment_attempts_payment_id_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_attempts_reference")),
    )
    op.create_index("ix_payment_attempts_query_at", "payment_attempts", ["query_at"])
    op.add_column("payments", sa.Column("attempt_reference", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("payments", "attempt_reference")
    op.drop_table("payment_attempts")
