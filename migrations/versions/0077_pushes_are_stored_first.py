"""What carriers push is stored as it comes and folded afterwards.

Revision ID: 0077
Revises: 0061
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0077"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incoming_pushes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("connection", sa.String(32), nullable=False),
        sa.Column("tracking_number", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("received_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_pushes")),
    )


def downgrade() -> None:
    op.drop_table("incoming_pushes")
