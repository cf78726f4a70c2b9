"""An index finds orders by their display status, those that wait to be collected too.

The last release finds orders by its own expression: the index over that goes when that release has gone.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

DISPLAY_STATUS = (
    "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
    "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
    "WHEN ready_for_pickup THEN 'READY_FOR_PICKUP' "
    "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
    "WHEN fulfilment_status = 'DELIVERED' THEN 'DELIVERED' "
    "WHEN fulfilment_status = 'RETURNED' THEN 'RETURNED' ELSE 'ON_THE_WAY' END END"
)


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_display_status_id")
        op.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_display_status_id ON orders (({DISPLAY_STATUS}), id)"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("ix_orders_display_status_id", "orders")
