"""What pictures show in other languages; categories, attributes, articles and warehouses that are archived.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ARCHIVED = ("articles", "attributes", "categories", "warehouses")


def upgrade() -> None:
    op.add_column("media", sa.Column("translations", base.Json, server_default="{}", nullable=False))
    for table in ARCHIVED:
        op.add_column(table, sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in reversed(ARCHIVED):
        op.drop_column(table, "archived_at")
    op.drop_column("media", "translations")
