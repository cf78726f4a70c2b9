"""What customers send in for a repair goes back to them.

Revision ID: 0105
Revises: 0118
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0105"
down_revision = "0118"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_repairs",
        sa.Column("ticket_id", base.BigId, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("finished_at", base.UtcDateTime(timezone=True), nullable=False),
    )
    for name in ("kept", "lost"):
        op.add_column("return_inspections", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("lost", "kept"):
        op.drop_column("return_inspections", name)
    op.drop_table("ticket_repairs")
