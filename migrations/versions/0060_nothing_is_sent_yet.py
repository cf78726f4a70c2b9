"""Orders of which only downloads are delivered yet say so, and an index finds them as being prepared.

The last release finds orders by its own expression: the index over that goes when that release has gone.

Revision ID: 0060
Revises: 0057
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0057"
branch_labels = None
depends_on = None

DISPLAY_STATUS = (
    "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
    "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
    "WHEN ready_for_pickup THEN 'READY_FOR_PICKUP' "
    "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
    "WHEN fulfilment_status = 'PARTIALLY_DELIVERED' AND nothing_sent THEN 'PREPARING' "
    "WHEN fulfilment_status = 'DELIVERED' THEN 'DELIVERED' "
    "WHEN fulfilment_status = 'RETURNED' THEN 'RETURNED' ELSE 'ON_THE_WAY' END END"
)


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("nothing_sent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    if op.get_context().dialect.name != "postgresql":
        return
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_displayed_id")
        op.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_displayed_id ON orders (({DISPLAY_STATUS}), id)"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("ix_orders_displayed_id", "orders")
    op.drop_column("orders", "nothing_sent")
