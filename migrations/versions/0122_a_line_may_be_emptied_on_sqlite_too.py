"""A line may be emptied on SQLite too, where the CHECK of before was kept beside the new one.

Revision ID: 0122
Revises: 0076
"""

import sqlalchemy as sa
from alembic import op

revision = "0122"
down_revision = "0076"
branch_labels = None
depends_on = None

NAME = "ck_delivery_lines_packed"
BEFORE, NOW = "quantity > 0 AND 0 <= packed", "0 <= packed AND packed <= quantity"


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite" or not has_check_of_before():
        return
    with op.batch_alter_table("delivery_lines") as table:
        table.drop_constraint(op.f(NAME), type_="check")
        table.create_check_constraint(op.f(NAME), NOW)


def has_check_of_before() -> bool:
    text = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'delivery_lines'")
    return BEFORE in str(op.get_bind().scalar(text))


def downgrade() -> None:
    pass  # the revision before has the same CHECK
