"""An index finds the parcels that are back and wait to be inspected or ended.

Revision ID: 0033
Revises: 0032
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_shipments_waiting_since", "shipments", ["waiting_since"], postgresql_concurrently=True
        )


def downgrade() -> None:
    op.drop_index("ix_shipments_waiting_since", "shipments")
