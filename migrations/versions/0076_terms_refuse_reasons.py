"""Terms of claims say for which reasons goods cannot be claimed.

Revision ID: 0076
Revises: 0107
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0076"
down_revision = "0107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claim_policies", sa.Column("refused_reasons", base.Json, nullable=True))


def downgrade() -> None:
    op.drop_column("claim_policies", "refused_reasons")
