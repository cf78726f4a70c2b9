"""Orders are found by number, phone, product, state and date."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HEADLINE = (
    "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
    "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
    "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
    "WHEN fulfilment_status IN ('DELIVERED', 'RETURNED') THEN 'DELIVERED' ELSE 'ON_THE_WAY' END END"
)


def upgrade() -> None:
    op.drop_index("ix_orders_placed_at", "orders")
    op.create_index("ix_orders_placed_at_id", "orders", ["placed_at", "id"])
    op.create_index("ix_orders_total_amount_id", "orders", ["total_amount", "id"])
    op.create_index("ix_orders_payment_status_id", "orders", ["payment_status", "id"])
    op.create_index("ix_orders_fulfilment_status_id", "orders", ["fulfilment_status", "id"])
    op.create_index(
        "ix_orders_number_begins", "orders", ["number"], postgresql_ops={"number": "varchar_pattern_ops"}
    )
    op.drop_index("ix_order_lines_variant_id", "order_lines")
    op.drop_index("ix_order_lines_product_id", "order_lines")
    op.create_index("ix_order_lines_variant_id_order_id", "order_lines", ["variant_id", "order_id"])
    op.create_index("ix_order_lines_product_id_order_id", "order_lines", ["product_id", "order_id"])
    op.create_index("ix_accounts_name", "accounts", ["name"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_orders_headline", "orders", [sa.text(f"({HEADLINE})"), "id"])
        tail = sa.text("(substr(phone, length(phone) - 3))")
        op.create_index("ix_deliveries_phone_tail", "deliveries", [tail, "order_id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_deliveries_phone_tail", "deliveries")
        op.drop_index("ix_orders_headline", "orders")
    op.drop_index("ix_accounts_name", "accounts")
    op.drop_index("ix_order_lines_product_id_order_id", "order_lines")
    op.drop_index("ix_order_lines_variant_id_order_id", "order_lines")
    op.create_index("ix_order_lines_product_id", "order_lines", ["product_id"])
    op.create_index("ix_order_lines_variant_id", "order_lines", ["variant_id"])
    for name in (
        "number_begins",
        "fulfilment_status_id",
        "payment_status_id",
        "total_amount_id",
        "placed_at_id",
    ):
        op.drop_index(f"ix_orders_{name}", "orders")
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])
