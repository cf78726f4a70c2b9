"""An edit of a rule of cash at the door names the version it has read; old notices of providers are found.

Revision ID: 0049
Revises: 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0055"
branch_labels = None
depends_on = None

INDEX = "ix_payment_notifications_received_at"


def upgrade() -> None:
    op.add_column("cash_rules", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.get_context().autocommit_block():
        op.create_index(
            INDEX, "payment_notifications", ["received_at"], postgresql_concurrently=True, if_not_exists=True
        )


def downgrade() -> None:
    op.drop_index(INDEX, "payment_notifications")
    op.drop_column("cash_rules", "version")
