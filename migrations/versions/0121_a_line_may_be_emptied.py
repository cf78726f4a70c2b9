"""Nothing may be left to send of a line that a parcel which came back still names.

Revision ID: 0121
Revises: 0117
"""

from alembic import op

revision = "0121"
down_revision = "0117"
branch_labels = None
depends_on = None

NAME = "ck_delivery_lines_packed"
BEFORE = "quantity > 0 AND 0 <= packed AND packed <= quantity"
NOW = "0 <= packed AND packed <= quantity"


def upgrade() -> None:
    replace_check(NOW)
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute(f"ALTER TABLE delivery_lines VALIDATE CONSTRAINT {NAME}")


def downgrade() -> None:
    # What was cancelled after it came back counts as what left the order when it came back.
    op.execute("UPDATE delivery_lines SET quantity = 1, packed = 1, ended = 1 WHERE quantity = 0")
    replace_check(BEFORE)


def replace_check(new: str) -> None:
    with op.batch_alter_table("delivery_lines") as table:
        table.drop_constraint(op.f(NAME), type_="check")
        table.create_check_constraint(op.f(NAME), new, postgresql_not_valid=True)
