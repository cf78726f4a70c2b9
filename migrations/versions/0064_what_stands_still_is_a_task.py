"""Runs that do not go on, and waybills that are not cancelled, are tasks of the staff.

Revision ID: 0064
Revises: 0063
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

IS_STALLED = sa.text("stalled_at IS NOT NULL")
IS_UNSETTLED = sa.text("status = 'CANCEL_REFUSED' AND settled_at IS NULL")


def upgrade() -> None:
    op.add_column("delivery_runs", sa.Column("stalled_at", base.UtcDateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_delivery_runs_stalled_at",
        "delivery_runs",
        ["stalled_at"],
        sqlite_where=IS_STALLED,
        postgresql_where=IS_STALLED,
    )
    with op.batch_alter_table("waybills") as batch:
        batch.add_column(sa.Column("settled_at", base.UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("settled_by_id", base.BigId, nullable=True))
        batch.add_column(sa.Column("settlement", sa.String(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_waybills_settled_by_id"),
            "accounts",
            ["settled_by_id"],
            ["id"],
            postgresql_not_valid=True,
        )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_waybills_unsettled",
            "waybills",
            ["id"],
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=IS_UNSETTLED,
            postgresql_where=IS_UNSETTLED,
        )
        if op.get_context().dialect.name == "postgresql":
            op.execute("ALTER TABLE waybills VALIDATE CONSTRAINT fk_waybills_settled_by_id")


def downgrade() -> None:
    op.drop_index("ix_waybills_unsettled", "waybills")
    with op.batch_alter_table("waybills") as batch:
        batch.drop_constraint(op.f("fk_waybills_settled_by_id"), type_="foreignkey")
        batch.drop_column("settlement")
        batch.drop_column("settled_by_id")
        batch.drop_column("settled_at")
    op.drop_index("ix_delivery_runs_stalled_at", "delivery_runs")
    op.drop_column("delivery_runs", "stalled_at")
