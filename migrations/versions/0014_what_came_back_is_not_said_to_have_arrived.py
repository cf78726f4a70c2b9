"""An order that came back undelivered is not found among those that arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = "WHEN fulfilment_status IN ('DELIVERED', 'RETURNED') THEN 'DELIVERED' "
AFTER = (
    "WHEN fulfilment_status = 'DELIVERED' THEN 'DELIVERED' "
    "WHEN fulfilment_status = 'RETURNED' THEN 'RETURNED' "
)


def upgrade() -> None:
    index(AFTER)


def downgrade() -> None:
    index(BEFORE)


def index(arrived: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    headline = (
        "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
        "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
        "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
        f"{arrived}ELSE 'ON_THE_WAY' END END"
    )
    op.drop_index("ix_orders_headline", "orders")
    op.create_index("ix_orders_headline", "orders", [sa.text(f"({headline})"), "id"])
