"""Fees, disputes and statements of providers are in the books.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


NAMES_IN_STATEMENTS = (
    ("payments", "attempt_reference"),
    ("payment_attempts", "provider_reference"),
    ("refunds", "provider_reference"),
)


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=False),
        sa.Column("attempt_id", base.BigId, nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_disputes_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_disputes_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_disputes_payment_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempts.id"], name=op.f("fk_disputes_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("method", "reference", name=op.f("uq_disputes_method_reference")),
    )
    op.create_index(op.f("ix_disputes_order_id"), "disputes", ["order_id"])
    op.create_index(op.f("ix_disputes_payment_id"), "disputes", ["payment_id"])
    op.create_index(op.f("ix_disputes_attempt_id"), "disputes", ["attempt_id"])
    op.create_table(
        "statement_entries",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("form", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee_currency", sa.String(32), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("read_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_statement_entries_key")),
    )
    op.create_index(
        "ix_statement_entries_happened_at", "statement_entries", ["method", "form", "happened_at"]
    )
    op.create_index("ix_statement_entries_reference", "statement_entries", ["method", "form", "reference"])
    op.create_table(
        "statement_differences",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("form", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("order_id", base.BigId, nullable=True),
        sa.Column("expected", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("happened_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", base.BigId, nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_statement_differences_order_id")),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["accounts.id"], name=op.f("fk_statement_differences_resolved_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_differences")),
        sa.UniqueConstraint("key", name=op.f("uq_statement_differences_key")),
    )
    op.create_index(
        "ix_statement_differences_reference", "statement_differences", ["method", "form", "reference"]
    )
    op.create_index(op.f("ix_statement_differences_order_id"), "statement_differences", ["order_id"])
    op.create_index(op.f("ix_statement_differences_resolved_at"), "statement_differences", ["resolved_at"])
    op.create_index(
        op.f("ix_statement_differences_resolved_by_id"), "statement_differences", ["resolved_by_id"]
    )
    op.add_column(
        "payments", sa.Column("disputed_amount", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("payments", sa.Column("fee_amount", sa.BigInteger(), server_default="0", nullable=False))
    with op.get_context().autocommit_block():
        for table, column in NAMES_IN_STATEMENTS:
            name = op.f(f"ix_{table}_{column}")
            op.create_index(name, table, [column], postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    for table, column in NAMES_IN_STATEMENTS:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    op.drop_column("payments", "fee_amount")
    op.drop_column("payments", "disputed_amount")
    op.drop_table("statement_differences")
    op.drop_table("statement_entries")
    op.drop_table("disputes")
