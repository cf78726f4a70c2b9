"""Duplicates of tickets are merged, and lines of a ticket are split off into another.

Revision ID: 0109
Revises: 0101
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0109"
down_revision = "0101"
branch_labels = None
depends_on = None

COLUMNS = ("merged_into_id", "split_from_id")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("tickets", sa.Column(column, base.BigId, nullable=True))
    with op.get_context().autocommit_block():
        for column in COLUMNS:
            is_given = sa.text(f"{column} IS NOT NULL")
            op.create_index(
                f"ix_tickets_{column}",
                "tickets",
                [column],
                postgresql_concurrently=True,
                if_not_exists=True,
                sqlite_where=is_given,
                postgresql_where=is_given,
            )


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_index(f"ix_tickets_{column}", "tickets")
        op.drop_column("tickets", column)
