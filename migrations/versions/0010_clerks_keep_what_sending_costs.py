"""Clerks keep what sending costs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

YUAN = {"CNY": 100, "USD": 15, "EUR": 14, "GBP": 12, "JPY": 20, "HKD": 110}
"""What a yuan of the first tariff is charged as, in minor units of each currency."""

ZONES = {
    "Near": ["CN/上海市", "CN/江苏省", "CN/浙江省", "CN/安徽省"],
    "China": ["CN"],
    "Remote": [
        "CN/新疆维吾尔自治区",
        "CN/西藏自治区",
        "CN/内蒙古自治区",
        "CN/青海省",
        "CN/宁夏回族自治区",
        "CN/甘肃省",
        "CN/海南省",
    ],
    "Abroad": ["*"],
}

RATES = {
    "STANDARD": {"Near": (6, 1), "China": (8, 2), "Remote": (15, 10), "Abroad": (60, 30)},
    "EXPRESS": {"Near": (12, 2), "China": (18, 5), "Remote": (25, 15), "Abroad": (120, 60)},
}
"""Yuan for the first kilogram of a delivery and for each one begun after it."""

FREE_FROM = 99
"""Yuan of goods that travel at home by STANDARD for nothing."""

TOTAL = (
    "total_amount = goods_amount - discount_amount + shipping_amount - cancelled_amount"
    " AND total_amount >= 0 AND cancelled_amount >= 0"
)
AMOUNT = "amount > 0 OR (amount = 0 AND status = 'CLOSED')"

zones = sa.table(
    "shipping_zones",
    sa.column("id", base.BigId),
    sa.column("name", sa.String),
    sa.column("position", sa.Integer),
    sa.column("regions", base.Json),
    sa.column("version", sa.Integer),
)
rates = sa.table(
    "shipping_rates",
    sa.column("zone_id", base.BigId),
    sa.column("method", sa.String),
    sa.column("currency", sa.String),
    sa.column("first_grams", sa.Integer),
    sa.column("first_amount", sa.BigInteger),
    sa.column("further_grams", sa.Integer),
    sa.column("further_amount", sa.BigInteger),
    sa.column("free_from_amount", sa.BigInteger),
    sa.column("limit_grams", sa.Integer),
)


def upgrade() -> None:
    op.create_table(
        "shipping_zones",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("regions", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_zones")),
        sa.UniqueConstraint("name", name=op.f("uq_shipping_zones_name")),
    )
    op.create_table(
        "shipping_rates",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("zone_id", base.BigId, nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("first_grams", sa.Integer(), nullable=False),
        sa.Column("first_amount", sa.BigInteger(), nullable=False),
        sa.Column("further_grams", sa.Integer(), nullable=False),
        sa.Column("further_amount", sa.BigInteger(), nullable=False),
        sa.Column("free_from_amount", sa.BigInteger(), nullable=True),
        sa.Column("limit_grams", sa.Integer(), nullable=True),
        sa.CheckConstraint("first_grams > 0 AND further_grams > 0", name=op.f("ck_shipping_rates_grams")),
        sa.CheckConstraint(
            "first_amount >= 0 AND further_amount >= 0", name=op.f("ck_shipping_rates_amounts")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["shipping_zones.id"], name=op.f("fk_shipping_rates_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_rates")),
    )
    op.create_index(
        "uq_shipping_rates_zone_id_method_currency",
        "shipping_rates",
        ["zone_id", "method", "currency"],
        unique=True,
    )
    first_tariff(op.get_bind())
    orders_change()


def orders_change() -> None:
    """Room for what becomes of an order: parts that are cancelled, a hold, notes of the staff."""
    nothing: dict[str, Any] = {"nullable": False, "server_default": "0"}
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("cancelled_amount", sa.BigInteger(), **nothing))
        batch_op.add_column(sa.Column("cancelled_shipping_amount", sa.BigInteger(), **nothing))
        batch_op.add_column(sa.Column("held_at", base.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("hold_reason", sa.String(), nullable=True))
        batch_op.drop_constraint(op.f("ck_orders_total"), type_="check")
        batch_op.create_check_constraint(op.f("ck_orders_total"), TOTAL)
    with op.batch_alter_table("order_lines") as batch_op:
        batch_op.add_column(sa.Column("cancelled", sa.Integer(), **nothing))
        batch_op.add_column(sa.Column("cancelled_amount", sa.BigInteger(), **nothing))
        batch_op.create_check_constraint(
            op.f("ck_order_lines_cancelled"), "0 <= cancelled AND cancelled <= quantity"
        )
    with op.batch_alter_table("payments") as batch_op:
        batch_op.drop_constraint(op.f("ck_payments_amount"), type_="check")
        batch_op.create_check_constraint(op.f("ck_payments_amount"), AMOUNT)
    op.create_table(
        "order_notes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("author_id", base.BigId, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_notes_order_id")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_order_notes_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_notes")),
    )
    op.create_index("ix_order_notes_order_id", "order_notes", ["order_id"])


def first_tariff(connection: sa.Connection) -> None:
    """What the shop charged when its tariff was written in the code: nobody pays more for an upgrade."""
    numbered = {name: position for position, name in enumerate(ZONES, start=1)}
    connection.execute(
        zones.insert(),
        [
            {"name": name, "position": numbered[name], "regions": regions, "version": 1}
            for name, regions in ZONES.items()
        ],
    )
    ids = {zone.name: zone.id for zone in connection.execute(sa.select(zones.c.name, zones.c.id))}
    connection.execute(
        rates.insert(),
        [
            {
                "zone_id": ids[zone],
                "method": method,
                "currency": currency,
                "first_grams": 1_000,
                "first_amount": first * minor,
                "further_grams": 1_000,
                "further_amount": further * minor,
                "free_from_amount": FREE_FROM * minor if method == "STANDARD" and zone != "Abroad" else None,
                "limit_grams": None,
            }
            for method, by_zone in RATES.items()
            for zone, (first, further) in by_zone.items()
            for currency, minor in YUAN.items()
        ],
    )


def downgrade() -> None:
    op.drop_table("order_notes")
    with op.batch_alter_table("payments") as batch_op:
        batch_op.drop_constraint(op.f("ck_payments_amount"), type_="check")
        batch_op.create_check_constraint(op.f("ck_payments_amount"), "amount > 0")
    with op.batch_alter_table("order_lines") as batch_op:
        batch_op.drop_constraint(op.f("ck_order_lines_cancelled"), type_="check")
        batch_op.drop_column("cancelled_amount")
        batch_op.drop_column("cancelled")
    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_constraint(op.f("ck_orders_total"), type_="check")
        for name in ("hold_reason", "held_at", "cancelled_shipping_amount", "cancelled_amount"):
            batch_op.drop_column(name)
        batch_op.create_check_constraint(
            op.f("ck_orders_total"),
            "total_amount = goods_amount - discount_amount + shipping_amount AND total_amount >= 0",
        )
    op.drop_table("shipping_rates")
    op.drop_table("shipping_zones")
