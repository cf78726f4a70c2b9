"""Searches know what buyers click and buy.

Revision ID: 0066
Revises: 0090
"""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0090"
branch_labels = None
depends_on = None

TABLE = "product_sales"
NAME = f"note_index_{TABLE}"
BEFORE = "{row}.units"
AFTER = "{row}.units * 64 + {row}.interest"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("interest", sa.Integer(), server_default="0", nullable=False))
    note_changes_of(AFTER)


def downgrade() -> None:
    note_changes_of(BEFORE)
    op.drop_column(TABLE, "interest")


def note_changes_of(value: str) -> None:
    """Let the trigger note a row where this differs from what it was."""
    condition = f"WHEN (({value.format(row='OLD')}) <> ({value.format(row='NEW')}))"
    head = f"CREATE TRIGGER {NAME}_update AFTER UPDATE ON {TABLE} FOR EACH ROW {condition}"
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {NAME}_update ON {TABLE}")
        op.execute(f"{head} EXECUTE FUNCTION {NAME}()")
        return
    op.execute(f"DROP TRIGGER {NAME}_update")
    note = "INSERT INTO index_changes (subject, subject_id) VALUES ('PRODUCT', NEW.product_id);"
    op.execute(f"{head} BEGIN {note} END")
