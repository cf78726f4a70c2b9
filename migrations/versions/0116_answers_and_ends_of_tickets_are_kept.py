"""Tickets keep when they were answered first, since when they are resolved, and how often they came back.

Revision ID: 0116
Revises: 0109
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0116"
down_revision = "0104"
branch_labels = None
depends_on = None

MOMENTS = ("first_answered_at", "resolved_at", "rate_at", "recount_at")
MARKS = ("rate_at", "recount_at")


def upgrade() -> None:
    for column in MOMENTS:
        op.add_column("tickets", sa.Column(column, base.UtcDateTime(timezone=True)))
    op.add_column("tickets", sa.Column("reopens", sa.Integer(), server_default="0", nullable=False))
    with op.get_context().autocommit_block():
        for column in MARKS:
            create_index("tickets", [column], condition=f"{column} IS NOT NULL")
        create_index("tickets", ["opened_at"])
        create_index("tickets", ["status", "assignee_id", "opened_at"])
        create_index("shipments", ["dispatched_at"])


def downgrade() -> None:
    op.drop_index("ix_shipments_dispatched_at", "shipments")
    op.drop_index("ix_tickets_status_assignee_id_opened_at", "tickets")
    op.drop_index("ix_tickets_opened_at", "tickets")
    for column in MARKS:
        op.drop_index(f"ix_tickets_{column}", "tickets")
    op.drop_column("tickets", "reopens")
    for column in reversed(MOMENTS):
        op.drop_column("tickets", column)


def create_index(table: str, columns: list[str], *, condition: str | None = None) -> None:
    where = None if condition is None else sa.text(condition)
    op.create_index(
        f"ix_{table}_{'_'.join(columns)}",
        table,
        columns,
        postgresql_concurrently=True,
        if_not_exists=True,
        sqlite_where=where,
        postgresql_where=where,
    )
