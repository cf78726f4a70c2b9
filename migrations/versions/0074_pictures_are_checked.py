"""Pictures of the catalogue are checked: whether they can be reached.

Revision ID: 0074
Revises: 0093
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0074"
down_revision = "0093"
branch_labels = None
depends_on = None

TABLE = "media"
MOMENTS = ("check_at", "checked_at", "unreachable_since")
PARTIAL = ((TABLE, "checked_at"), (TABLE, "unreachable_since"), ("variants", "media_id"))


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column(TABLE, sa.Column(name, base.UtcDateTime(timezone=True), nullable=True))
    op.add_column(TABLE, sa.Column("check_failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(TABLE, sa.Column("check_fault", sa.String(32), nullable=True))
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_media_check_at_id",
            TABLE,
            ["check_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        for table, name in PARTIAL:
            op.create_index(
                f"ix_{table}_{name}",
                table,
                [name],
                postgresql_concurrently=True,
                if_not_exists=True,
                sqlite_where=sa.text(f"{name} IS NOT NULL"),
                postgresql_where=sa.text(f"{name} IS NOT NULL"),
            )


def downgrade() -> None:
    for table, name in PARTIAL:
        op.drop_index(f"ix_{table}_{name}", table)
    op.drop_index("ix_media_check_at_id", TABLE)
    for name in (*MOMENTS, "check_failures", "check_fault"):
        op.drop_column(TABLE, name)
