"""Terms of claims say for which reasons customers attach a picture.

Revision ID: 0093
Revises: 0092
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claim_policies", sa.Column("evidence", base.Json, nullable=True))


def downgrade() -> None:
    op.drop_column("claim_policies", "evidence")
