"""An order line keeps the title of its product in all languages.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_lines", sa.Column("translations", base.Json, nullable=True))


def downgrade() -> None:
    op.drop_column("order_lines", "translations")
