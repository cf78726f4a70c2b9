"""What was counted of the tickets and refunds of each day, and what customers rate.

Revision ID: 0117
Revises: 0116
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_ratings",
        sa.Column("ticket_id", base.BigId, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("asked_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("open_until", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("rating", sa.Integer()),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("rated_at", base.UtcDateTime(timezone=True)),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    )
    op.create_table(
        "ticket_days",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("starts_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("resolved", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("ratings", base.Json, nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("answer_seconds", sa.BigInteger(), nullable=False),
        sa.Column("answer_times", sa.LargeBinary(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("resolution_seconds", sa.BigInteger(), nullable=False),
        sa.Column("resolution_times", sa.LargeBinary(), nullable=False),
        sa.Column("agents", base.Json, nullable=False),
    )
    op.create_table(
        "refund_days",
        sa.Column("dimension", sa.String(32), primary_key=True),
        sa.Column("day", sa.Date(), sa.ForeignKey("ticket_days.day"), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("currency", sa.String(32), primary_key=True),
        sa.Column("sent", base.BigId, nullable=False),
        sa.Column("refunded", base.BigId, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refund_days")
    op.drop_table("ticket_days")
    op.drop_table("ticket_ratings")
