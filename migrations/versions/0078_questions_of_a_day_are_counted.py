"""Questions to a carrier are counted by the day, where they are limited.

Revision ID: 0078
Revises: 0073
"""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carrier_polls",
        sa.Column("carrier", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "day", name=op.f("pk_carrier_polls")),
    )


def downgrade() -> None:
    op.drop_table("carrier_polls")
