"""Units that a ticket withdraws are counted as cancelled on their order line.

Those of former tickets, and of former versions of the shop that still run, stay counted by their tickets.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ticket_lines", sa.Column("cancelled", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("ticket_lines", schema=None) as batch_op:
        batch_op.drop_column("cancelled")
