"""Returns travel with carriers of the shop, and their numbers are looked up.

Revision ID: 0101
Revises: 0100
"""

import sqlalchemy as sa
from alembic import op

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

NUMBER = "return_tracking_number"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("return_carrier_code", sa.String(32), nullable=True))
    with op.get_context().autocommit_block():
        op.create_index(
            f"ix_tickets_{NUMBER}",
            "tickets",
            [NUMBER],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=sa.text(f"{NUMBER} IS NOT NULL"),
            postgresql_where=sa.text(f"{NUMBER} IS NOT NULL"),
        )


def downgrade() -> None:
    op.drop_index(f"ix_tickets_{NUMBER}", "tickets")
    op.drop_column("tickets", "return_carrier_code")
