"""Who of the staff has read whose personal data is known.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("reader_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("fields", base.Json, nullable=False),
        sa.Column("read_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_readings_account_id")),
        sa.ForeignKeyConstraint(["reader_id"], ["accounts.id"], name=op.f("fk_readings_reader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_account_id_id", "readings", ["account_id", "id"])
    op.create_index("ix_readings_reader_id_id", "readings", ["reader_id", "id"])
    op.create_index(op.f("ix_readings_expires_at"), "readings", ["expires_at"])


def downgrade() -> None:
    op.drop_table("readings")
