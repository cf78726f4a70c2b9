"""Refunds are asked after, and approved by a second person.

Revision ID: 0045
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0045"
down_revision = "0041"
branch_labels = None
depends_on = None

COUNTS = ("queries", "renewals", "returns")
PEOPLE = ("requested_by_id", "decided_by_id")
MOMENTS = ("query_at", "decided_at")


def upgrade() -> None:
    """Refunds of before stay as they are: without a time, they are asked after at once."""
    with op.batch_alter_table("refunds") as refunds:
        for count in COUNTS:
            refunds.add_column(sa.Column(count, sa.Integer(), nullable=False, server_default="0"))
        refunds.add_column(sa.Column("goodwill", sa.Boolean(), nullable=False, server_default=sa.false()))
        for moment in MOMENTS:
            refunds.add_column(sa.Column(moment, base.UtcDateTime(timezone=True), nullable=True))
        for person in PEOPLE:
            refunds.add_column(sa.Column(person, base.BigId, nullable=True))
            refunds.create_foreign_key(
                f"fk_refunds_{person}", "accounts", [person], ["id"], postgresql_not_valid=True
            )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_refunds_query_at", "refunds", ["query_at"], postgresql_concurrently=True, if_not_exists=True
        )
        if op.get_context().dialect.name == "postgresql":
            for person in PEOPLE:
                op.execute(f"ALTER TABLE refunds VALIDATE CONSTRAINT fk_refunds_{person}")


def downgrade() -> None:
    op.drop_index("ix_refunds_query_at", "refunds")
    with op.batch_alter_table("refunds") as refunds:
        for person in PEOPLE:
            refunds.drop_constraint(f"fk_refunds_{person}", type_="foreignkey")
        for column in ("goodwill", *COUNTS, *PEOPLE, *MOMENTS):
            refunds.drop_column(column)
