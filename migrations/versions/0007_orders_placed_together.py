"""A key knows the number of what it makes, before that is made."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("idempotency_keys") as table:
        table.add_column(sa.Column("reference", sa.String(), nullable=True))
    op.execute(
        "UPDATE idempotency_keys SET reference = "
        "(SELECT number FROM orders WHERE orders.id = idempotency_keys.result_id) WHERE command = 'orderPlace'"
    )


def downgrade() -> None:
    with op.batch_alter_table("idempotency_keys") as table:
        table.drop_column("reference")
