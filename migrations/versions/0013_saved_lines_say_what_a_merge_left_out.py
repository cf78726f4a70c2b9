"""What is saved for later, too, says what a merge could not hold."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("saved_lines", sa.Column("wanted", sa.Integer(), nullable=True))
