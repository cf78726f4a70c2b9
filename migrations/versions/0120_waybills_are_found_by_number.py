"""Waybills are found by the numbers that carriers report on and customers give.

Revision ID: 0120
Revises: 0119
"""

from alembic import op

revision = "0120"
down_revision = "0119"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_waybills_number", "waybills", ["number"], postgresql_concurrently=True, if_not_exists=True
        )


def downgrade() -> None:
    op.drop_index("ix_waybills_number", "waybills")
