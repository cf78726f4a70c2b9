"""Offers in place of coupons: nothing that was given is lost."""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

VALID = sa.text("archived_at IS NULL")
AUTOMATIC = sa.text("archived_at IS NULL AND code IS NULL")
TOTAL = (
    "total_amount = goods_amount - discount_amount + shipping_amount - cancelled_amount"
    " AND total_amount >= 0 AND cancelled_amount >= 0"
)
DISCOUNT = "0 <= discount_amount AND discount_amount <= fee_amount"


def upgrade() -> None:
    create_offers()
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        add_columns_on_postgresql()
    else:
        add_columns_on_sqlite()
    keep_coupons(postgresql)
    keep_uses(postgresql)
    drop_coupons(postgresql)


def create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("tiers", base.Json, nullable=False),
        sa.Column("repeating", sa.Boolean(), nullable=False),
        sa.Column("buy", sa.Integer(), nullable=True),
        sa.Column("get", sa.Integer(), nullable=True),
        sa.Column("variant_id", base.BigId, nullable=True),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("share_per_buyer", sa.Integer(), nullable=True),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("scope_ids", base.Json, nullable=False),
        sa.Column("scope_brands", base.Json, nullable=False),
        sa.Column("currency", sa.String(32), nullable=True),
        sa.Column("minimum_amount", sa.BigInteger(), nullable=False),
        sa.Column("minimum_quantity", sa.Integer(), nullable=False),
        sa.Column("cap_amount", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("usage_limit_per_buyer", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("stackable", sa.Boolean(), nullable=False),
        sa.Column("exclusion_groups", base.Json, nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'PERCENT') = (percent IS NOT NULL)", name=op.f("ck_offers_percent_off")),
        sa.CheckConstraint(
            "(kind IN ('FIXED', 'FLASH_SALE')) = (amount IS NOT NULL)", name=op.f("ck_offers_amount_off")
        ),
        sa.CheckConstraint(
            "(kind = 'BUY_N_GET_M') = (buy IS NOT NULL) AND (buy IS NULL) = (get IS NULL)",
            name=op.f("ck_offers_units_free"),
        ),
        sa.CheckConstraint(
            "(kind = 'FLASH_SALE') = (share IS NOT NULL) AND (share IS NULL) = (variant_id IS NULL)",
            name=op.f("ck_offers_flash_sale"),
        ),
        sa.CheckConstraint("percent > 0 AND percent <= 100", name=op.f("ck_offers_percent")),
        sa.CheckConstraint(
            "amount > 0 AND minimum_amount >= 0 AND cap_amount > 0", name=op.f("ck_offers_amounts")
        ),
        sa.CheckConstraint("buy > 0 AND get > 0 AND minimum_quantity >= 0", name=op.f("ck_offers_units")),
        sa.CheckConstraint(
            "currency IS NOT NULL OR (amount IS NULL AND minimum_amount = 0 AND cap_amount IS NULL)",
            name=op.f("ck_offers_currency"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_offers_window")),
        sa.CheckConstraint(
            "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name=op.f("ck_offers_used")
        ),
        sa.CheckConstraint("sold >= 0 AND (share IS NULL OR sold <= share)", name=op.f("ck_offers_sold")),
        sa.CheckConstraint(
            "usage_limit_per_buyer > 0 AND share_per_buyer > 0", name=op.f("ck_offers_per_buyer")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_offers_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index(
        "uq_offers_code", "offers", ["code"], unique=True, sqlite_where=VALID, postgresql_where=VALID
    )
    op.create_index(
        "ix_offers_automatic",
        "offers",
        ["ends_at", "starts_at"],
        sqlite_where=AUTOMATIC,
        postgresql_where=AUTOMATIC,
    )
    op.create_index("ix_offers_variant_id_ends_at", "offers", ["variant_id", "ends_at"])
    op.create_table(
        "offer_uses",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("offer_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("flash_units", sa.Integer(), nullable=False),
        sa.Column("used_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("released_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0 AND flash_units >= 0", name=op.f("ck_offer_uses_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_offer_uses_order_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_offer_uses_offer_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_offer_uses_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_uses")),
        sa.UniqueConstraint("order_id", "offer_id", name=op.f("uq_offer_uses_order_id_offer_id")),
    )
    op.create_index("ix_offer_uses_offer_id_account_id", "offer_uses", ["offer_id", "account_id"])
    op.create_index("ix_offer_uses_account_id", "offer_uses", ["account_id"])
    op.create_table(
        "offer_buyers",
        sa.Column("offer_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("flash_units", sa.Integer(), nullable=False),
        sa.CheckConstraint("uses >= 0 AND flash_units >= 0", name=op.f("ck_offer_buyers_had")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_offer_buyers_offer_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_offer_buyers_account_id")),
        sa.PrimaryKeyConstraint("offer_id", "account_id", name=op.f("pk_offer_buyers")),
    )
    op.create_index("ix_offer_buyers_account_id", "offer_buyers", ["account_id"])


def add_columns_on_postgresql() -> None:
    for table, column in (
        ("carts", "coupon_codes"),
        ("order_lines", "discounts"),
        ("deliveries", "discounts"),
    ):
        op.add_column(table, sa.Column(column, base.Json, nullable=False, server_default="[]"))
        op.alter_column(table, column, server_default=None)
    op.add_column(
        "deliveries", sa.Column("discount_amount", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.alter_column("deliveries", "discount_amount", server_default=None)
    op.create_check_constraint(op.f("ck_deliveries_discount"), "deliveries", DISCOUNT)


def add_columns_on_sqlite() -> None:
    """In place: a table made anew would lose its CHECKs."""
    for table, column in (
        ("carts", "coupon_codes"),
        ("order_lines", "discounts"),
        ("deliveries", "discounts"),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} JSON NOT NULL DEFAULT '[]'")
    op.execute(
        "ALTER TABLE deliveries ADD COLUMN discount_amount BIGINT NOT NULL DEFAULT 0"
        f" CONSTRAINT ck_deliveries_discount CHECK ({DISCOUNT})"
    )


def keep_coupons(postgresql: bool) -> None:
    """A coupon becomes an offer of the same id; as before, an order takes one of the old ones."""
    none, group = ("'[]'", "'[\"coupon\"]'")
    if postgresql:
        none, group = f"CAST({none} AS jsonb)", f"CAST({group} AS jsonb)"
    yes, no = ("TRUE", "FALSE") if postgresql else ("1", "0")
    op.execute(
        "INSERT INTO offers (id, code, title, kind, percent, amount, tiers, repeating, sold, scope, scope_ids,"
        " scope_brands, currency, minimum_amount, minimum_quantity, starts_at, ends_at, usage_limit, used,"
        " priority, stackable, exclusion_groups, translations, version, created_at)"
        f" SELECT id, code, title, type, percent, amount, {none}, {no}, 0, 'ALL',"
        f" {none}, {none}, currency, minimum_amount, 0,"
        " CASE WHEN starts_at < ends_at OR ends_at IS NULL THEN starts_at END, ends_at, usage_limit, used,"
        f" 0, {yes}, {group}, translations, 1, CURRENT_TIMESTAMP FROM coupons"
    )
    if postgresql:
        op.execute(
            "SELECT setval(pg_get_serial_sequence('offers', 'id'), coalesce(max(id), 1), max(id) IS NOT NULL)"
            " FROM offers"
        )
    codes = "jsonb_build_array(coupons.code)" if postgresql else "json_array(coupons.code)"
    op.execute(
        f"UPDATE carts SET coupon_codes = (SELECT {codes} FROM coupons WHERE coupons.id = carts.coupon_id)"
        " WHERE coupon_id IS NOT NULL"
    )


def keep_uses(postgresql: bool) -> None:
    op.execute(
        "INSERT INTO offer_uses (order_id, offer_id, account_id, position, title, code, currency, amount,"
        " flash_units, used_at, released_at)"
        " SELECT orders.id, coupons.id, orders.account_id, 1, coupons.title, coupons.code, orders.currency,"
        " orders.discount_amount, 0, orders.placed_at,"
        " CASE WHEN orders.status = 'CANCELLED' THEN coalesce(orders.cancelled_at, orders.placed_at) END"
        " FROM orders JOIN coupons ON coupons.id = orders.coupon_id ORDER BY orders.id"
    )
    part = "'offer_id', orders.coupon_id, 'amount', order_lines.discount_amount"
    parts = (
        f"jsonb_build_array(jsonb_build_object({part}))" if postgresql else f"json_array(json_object({part}))"
    )
    op.execute(
        f"UPDATE order_lines SET discounts = (SELECT {parts} FROM orders WHERE orders.id = order_lines.order_id)"
        " WHERE discount_amount > 0"
        " AND order_id IN (SELECT id FROM orders WHERE coupon_id IS NOT NULL)"
    )


def drop_coupons(postgresql: bool) -> None:
    """SQLite makes the tables anew, and has to be told their CHECKs."""
    checks = {
        "carts": ("owner", "token_hash IS NOT NULL OR account_id IS NOT NULL"),
        "orders": ("total", TOTAL),
    }
    for table, (name, rule) in checks.items():
        told = () if postgresql else (sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")),)
        with op.batch_alter_table(table, table_args=told) as batch:
            batch.drop_constraint(op.f(f"fk_{table}_coupon_id"), type_="foreignkey")
            batch.drop_column("coupon_id")
    op.drop_table("coupons")
