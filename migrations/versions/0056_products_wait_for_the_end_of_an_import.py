"""Products wait for the end of the import that made them.

Revision ID: 0056
Revises: 0053
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("publish_as", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("products", "publish_as")
