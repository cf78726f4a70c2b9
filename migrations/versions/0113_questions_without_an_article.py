"""What several customers have asked and no article answers.

Revision ID: 0113
Revises: 0109
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0113"
down_revision = "0109"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question_topics",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("ticket_ids", base.Json, nullable=False),
        sa.Column("searches", base.Json, nullable=False),
        sa.Column("found_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_question_topics")),
    )


def downgrade() -> None:
    op.drop_table("question_topics")
