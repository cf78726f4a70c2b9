"""Events of final things can be moved to an archive.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archived_events",
        sa.Column("id", base.BigId, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("subject_id", base.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", base.Json, nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("actor_id", base.BigId, nullable=True),
        sa.Column("occurred_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("relayed_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_archived_events_account_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_archived_events_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archived_events")),
        sa.UniqueConstraint(
            "subject", "subject_id", "version", name=op.f("uq_archived_events_subject_subject_id_version")
        ),
    )
    op.create_index("ix_archived_events_account_id", "archived_events", ["account_id"], unique=False)


def downgrade() -> None:
    op.drop_table("archived_events")
