"""Operations of client applications can be registered.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registered_operations",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("registered_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_registered_operations")),
    )


def downgrade() -> None:
    op.drop_table("registered_operations")
