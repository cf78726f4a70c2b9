"""The shop opens."""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEARCHED = {"product_words": "product_id", "article_words": "article_id"}


def full_text(table: str, key: str, dialect: str) -> list[str]:
    """The index that each database is good at, over the column `words`."""
    if dialect == "postgresql":
        return [
            f"CREATE INDEX ix_{table}_words ON {table} USING gin (to_tsvector('simple'::regconfig, words))"
        ]
    fts = f"{table}_fts"
    gone = f"INSERT INTO {fts}({fts}, rowid, words) VALUES ('delete', old.{key}, old.words);"
    come = f"INSERT INTO {fts}(rowid, words) VALUES (new.{key}, new.words);"
    return [
        f"CREATE VIRTUAL TABLE {fts} USING fts5(words, content='{table}', content_rowid='{key}',"
        " tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {table}_come AFTER INSERT ON {table} BEGIN {come} END",
        f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {gone} END",
        f"CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} BEGIN {gone} {come} END",
    ]


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name=op.f("ck_accounts_reachable")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
        sa.UniqueConstraint("phone", name=op.f("uq_accounts_phone")),
    )
    op.create_table(
        "articles",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("tags", base.Json, nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("helpful", sa.Integer(), nullable=False),
        sa.Column("unhelpful", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("slug", name=op.f("uq_articles_slug")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index("ix_articles_status_id", ["status", "id"], unique=False)

    op.create_table(
        "attributes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("filterable", sa.Boolean(), nullable=False),
        sa.Column("taxonomy_id", sa.String(), nullable=True),
        sa.Column("translations", base.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attributes")),
        sa.UniqueConstraint("code", name=op.f("uq_attributes_code")),
        sa.UniqueConstraint("taxonomy_id", name=op.f("uq_attributes_taxonomy_id")),
    )
    op.create_table(
        "categories",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("parent_id", base.BigId, nullable=True),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("taxonomy_id", sa.String(), nullable=True),
        sa.Column("translations", base.Json, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
        sa.UniqueConstraint("taxonomy_id", name=op.f("uq_categories_taxonomy_id")),
    )
    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.create_index("ix_categories_parent_id_position", ["parent_id", "position"], unique=False)
        batch_op.create_index(batch_op.f("ix_categories_path"), ["path"], unique=False)

    op.create_table(
        "coupons",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("minimum_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("starts_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.CheckConstraint(
            "(type = 'PERCENT') = (percent IS NOT NULL) AND (type = 'FIXED') = (amount IS NOT NULL)",
            name=op.f("ck_coupons_reduction"),
        ),
        sa.CheckConstraint("amount > 0 AND minimum_amount >= 0", name=op.f("ck_coupons_amount")),
        sa.CheckConstraint("percent > 0 AND percent <= 100", name=op.f("ck_coupons_percent")),
        sa.CheckConstraint(
            "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name=op.f("ck_coupons_usage")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name=op.f("uq_coupons_code")),
    )
    op.create_table(
        "payment_notifications",
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("received_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("method", "nonce", name=op.f("pk_payment_notifications")),
    )
    op.create_table(
        "sandbox_charges",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("settles_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_sandbox_charges")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_attempts_first_at"), ["first_at"], unique=False)

    op.create_table(
        "warehouses",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("line1", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouses_code")),
    )
    op.create_table(
        "addresses",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("line1", sa.String(), nullable=False),
        sa.Column("line2", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_addresses_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_addresses_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            "uq_addresses_default",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "article_ratings",
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_ratings_article_id")),
        sa.PrimaryKeyConstraint("article_id", "reader", name=op.f("pk_article_ratings")),
    )
    op.create_table(
        "article_versions",
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("author_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_versions_article_id")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_article_versions_author_id")),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("pk_article_versions")),
    )
    op.create_table(
        "article_words",
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_words_article_id")),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_words")),
    )
    op.create_table(
        "attribute_values",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("attribute_id", base.BigId, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["attribute_id"], ["attributes.id"], name=op.f("fk_attribute_values_attribute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute_values")),
        sa.UniqueConstraint("attribute_id", "code", name=op.f("uq_attribute_values_attribute_id_code")),
    )
    op.create_table(
        "carts",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("token_hash", sa.String(), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("coupon_id", base.BigId, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("token_hash IS NOT NULL OR account_id IS NOT NULL", name=op.f("ck_carts_owner")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_carts_account_id")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("fk_carts_coupon_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_carts_token_hash")),
    )
    with op.batch_alter_table("carts", schema=None) as batch_op:
        batch_op.create_index(
            "uq_carts_active_account",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("status = 'ACTIVE'"),
            postgresql_where=sa.text("status = 'ACTIVE'"),
        )

    op.create_table(
        "category_attributes",
        sa.Column("category_id", base.BigId, nullable=False),
        sa.Column("attribute_id", base.BigId, nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attribute_id"], ["attributes.id"], name=op.f("fk_category_attributes_attribute_id")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_category_attributes_category_id")
        ),
        sa.PrimaryKeyConstraint("category_id", "attribute_id", name=op.f("pk_category_attributes")),
    )
    with op.batch_alter_table("category_attributes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_category_attributes_attribute_id"), ["attribute_id"], unique=False
        )

    op.create_table(
        "delivery_runs",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("courier_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("position_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("announced_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("planned_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["courier_id"], ["accounts.id"], name=op.f("fk_delivery_runs_courier_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_delivery_runs_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_runs")),
    )
    with op.batch_alter_table("delivery_runs", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_runs_courier_id_id", ["courier_id", "id"], unique=False)
        batch_op.create_index("ix_delivery_runs_status_id", ["status", "id"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(32), nullable=False),
        sa.Column("subject_id", base.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", base.Json, nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("actor_id", base.BigId, nullable=True),
        sa.Column("occurred_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("relayed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_events_account_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_events_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "subject", "subject_id", "version", name=op.f("uq_events_subject_subject_id_version")
        ),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index(
            "ix_events_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("relayed_at IS NULL"),
            postgresql_where=sa.text("relayed_at IS NULL"),
        )

    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_idempotency_keys_account_id")),
        sa.PrimaryKeyConstraint("account_id", "command", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "media",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("uploader_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["uploader_id"], ["accounts.id"], name=op.f("fk_media_uploader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_uploader_id"), ["uploader_id"], unique=False)

    op.create_table(
        "orders",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("payment_status", sa.String(32), nullable=False),
        sa.Column("fulfilment_status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("goods_amount", sa.BigInteger(), nullable=False),
        sa.Column("discount_amount", sa.BigInteger(), nullable=False),
        sa.Column("shipping_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_id", base.BigId, nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("placed_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("payment_due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("receipt_due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("completed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "total_amount = goods_amount - discount_amount + shipping_amount AND total_amount >= 0",
            name=op.f("ck_orders_total"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_orders_account_id")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("fk_orders_coupon_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_orders_payment_due_at", ["payment_due_at"], unique=False)
        batch_op.create_index("ix_orders_receipt_due_at", ["receipt_due_at"], unique=False)
        batch_op.create_index("ix_orders_status_id", ["status", "id"], unique=False)

    op.create_table(
        "products",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("product_type", sa.String(), nullable=False),
        sa.Column("category_id", base.BigId, nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("tags", base.Json, nullable=False),
        sa.Column("seo_title", sa.String(), nullable=False),
        sa.Column("seo_description", sa.String(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.Column("columns", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name=op.f("fk_products_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("slug", name=op.f("uq_products_slug")),
    )
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.create_index("ix_products_brand", ["brand"], unique=False)
        batch_op.create_index("ix_products_category_id_status", ["category_id", "status"], unique=False)
        batch_op.create_index(
            "ix_products_status_published_at_id", ["status", "published_at", "id"], unique=False
        )

    op.create_table(
        "sandbox_refunds",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("charge_reference", sa.String(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_reference"],
            ["sandbox_charges.reference"],
            name=op.f("fk_sandbox_refunds_charge_reference"),
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_sandbox_refunds")),
    )
    with op.batch_alter_table("sandbox_refunds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sandbox_refunds_charge_reference"), ["charge_reference"], unique=False
        )

    op.create_table(
        "sessions",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_family"), ["family"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("captured_amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("started_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("captured_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("query_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "0 <= refunded_amount AND refunded_amount <= captured_amount", name=op.f("ck_payments_refunded")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint("captured_amount <= amount", name=op.f("ck_payments_captured")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_payments_order_id_position")),
        sa.UniqueConstraint("reference", name=op.f("uq_payments_reference")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index("ix_payments_query_at", ["query_at"], unique=False)

    op.create_table(
        "product_attributes",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("attribute_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value_id", base.BigId, nullable=True),
        sa.Column("number", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("boolean", sa.Boolean(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN value_id IS NULL THEN 0 ELSE 1 END + CASE WHEN number IS NULL THEN 0 ELSE 1 END + CASE WHEN boolean IS NULL THEN 0 ELSE 1 END + CASE WHEN text IS NULL THEN 0 ELSE 1 END + CASE WHEN date IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_product_attributes_one_value"),
        ),
        sa.ForeignKeyConstraint(
            ["attribute_id"], ["attributes.id"], name=op.f("fk_product_attributes_attribute_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_attributes_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["value_id"], ["attribute_values.id"], name=op.f("fk_product_attributes_value_id")
        ),
        sa.PrimaryKeyConstraint("product_id", "attribute_id", "position", name=op.f("pk_product_attributes")),
    )
    with op.batch_alter_table("product_attributes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_product_attributes_attribute_id_value_id",
            ["attribute_id", "value_id", "product_id"],
            unique=False,
        )

    op.create_table(
        "product_media",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_product_media_media_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_media_product_id")),
        sa.PrimaryKeyConstraint("product_id", "position", name=op.f("pk_product_media")),
    )
    with op.batch_alter_table("product_media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_media_media_id"), ["media_id"], unique=False)

    op.create_table(
        "product_words",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_words_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_words")),
    )
    op.create_table(
        "reactions_done",
        sa.Column("event_id", base.BigId, nullable=False),
        sa.Column("reaction", sa.String(), nullable=False),
        sa.Column("done_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_reactions_done_event_id")),
        sa.PrimaryKeyConstraint("event_id", "reaction", name=op.f("pk_reactions_done")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("account_id", base.BigId, nullable=False),
        sa.Column("assignee_id", base.BigId, nullable=True),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("refund_amount", sa.BigInteger(), nullable=False),
        sa.Column("return_carrier", sa.String(), nullable=True),
        sa.Column("return_tracking_number", sa.String(), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_tickets_account_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["accounts.id"], name=op.f("fk_tickets_assignee_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_tickets_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index("ix_tickets_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_tickets_order_id", ["order_id"], unique=False)
        batch_op.create_index("ix_tickets_status_id", ["status", "id"], unique=False)

    op.create_table(
        "variants",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("options", base.Json, nullable=False),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("weight_unit", sa.String(), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("sells_when_out", sa.Boolean(), nullable=False),
        sa.Column("requires_shipping", sa.Boolean(), nullable=False),
        sa.Column("taxable", sa.Boolean(), nullable=False),
        sa.Column("media_id", base.BigId, nullable=True),
        sa.Column("columns", base.Json, nullable=False),
        sa.Column("archived_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("weight_grams >= 0", name=op.f("ck_variants_weight")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_variants_media_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_variants_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variants")),
        sa.UniqueConstraint("sku", name=op.f("uq_variants_sku")),
    )
    with op.batch_alter_table("variants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_variants_barcode"), ["barcode"], unique=False)
        batch_op.create_index("ix_variants_product_id_position", ["product_id", "position"], unique=False)

    op.create_table(
        "cart_lines",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("cart_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_lines_quantity")),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_lines_cart_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_cart_lines_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_lines")),
        sa.UniqueConstraint("cart_id", "variant_id", name=op.f("uq_cart_lines_cart_id_variant_id")),
    )
    with op.batch_alter_table("cart_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cart_lines_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("ticket_id", base.BigId, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("line1", sa.String(), nullable=False),
        sa.Column("line2", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_deliveries_order_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_deliveries_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_deliveries_order_id_position")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "order_lines",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("options", base.Json, nullable=False),
        sa.Column("picture_url", sa.String(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("discount_amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "0 <= discount_amount AND discount_amount <= unit_amount * quantity",
            name=op.f("ck_order_lines_discount"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_order_lines_product_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_order_lines_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_lines_order_id_position")),
    )
    with op.batch_alter_table("order_lines", schema=None) as batch_op:
        batch_op.create_index("ix_order_lines_product_id", ["product_id"], unique=False)
        batch_op.create_index("ix_order_lines_variant_id", ["variant_id"], unique=False)

    op.create_table(
        "postings",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_postings_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_postings_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postings")),
        sa.UniqueConstraint("key", name=op.f("uq_postings_key")),
    )
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_postings_order_id"), ["order_id"], unique=False)

    op.create_table(
        "prices",
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_amount", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_prices_amount")),
        sa.CheckConstraint("compare_at_amount >= 0", name=op.f("ck_prices_compare_at_amount")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_prices_variant_id")),
        sa.PrimaryKeyConstraint("variant_id", "currency", name=op.f("pk_prices")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("payment_id", base.BigId, nullable=False),
        sa.Column("ticket_id", base.BigId, nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_refunds_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("reference", name=op.f("uq_refunds_reference")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index("ix_refunds_order_id", ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index("ix_refunds_retry_at", ["retry_at"], unique=False)
        batch_op.create_index("ix_refunds_ticket_id", ["ticket_id"], unique=False)

    op.create_table(
        "stock_levels",
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.CheckConstraint("0 <= damaged", name=op.f("ck_stock_levels_damaged")),
        sa.CheckConstraint(
            "0 <= reserved AND reserved <= on_hand", name=op.f("ck_stock_levels_reserved_on_hand")
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_stock_levels_variant_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_stock_levels_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("variant_id", "warehouse_id", name=op.f("pk_stock_levels")),
    )
    with op.batch_alter_table("stock_levels", schema=None) as batch_op:
        batch_op.create_index("ix_stock_levels_warehouse_id", ["warehouse_id"], unique=False)

    op.create_table(
        "stock_movements",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("order_id", base.BigId, nullable=True),
        sa.Column("actor_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_stock_movements_actor_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stock_movements_order_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_stock_movements_variant_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_stock_movements_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    with op.batch_alter_table("stock_movements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_movements_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_stock_movements_variant_id_warehouse_id", ["variant_id", "warehouse_id"], unique=False
        )

    op.create_table(
        "ticket_media",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("media_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_ticket_media_media_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_media_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "media_id", name=op.f("pk_ticket_media")),
    )
    op.create_table(
        "ticket_messages",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("author_id", base.BigId, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_ticket_messages_author_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_messages_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_messages")),
    )
    with op.batch_alter_table("ticket_messages", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_messages_ticket_id_id", ["ticket_id", "id"], unique=False)

    op.create_table(
        "delivery_lines",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("delivery_id", base.BigId, nullable=False),
        sa.Column("order_line_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("packed", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND 0 <= packed AND packed <= quantity", name=op.f("ck_delivery_lines_packed")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_lines_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_delivery_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_delivery_lines_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_lines")),
    )
    with op.batch_alter_table("delivery_lines", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_lines_delivery_id", ["delivery_id"], unique=False)
        batch_op.create_index("ix_delivery_lines_order_line_id", ["order_line_id"], unique=False)

    op.create_table(
        "ledger_entries",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("posting_id", base.BigId, nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_ledger_entries_order_id")),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_ledger_entries_posting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entries_order_id_account", ["order_id", "account"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entries_posting_id"), ["posting_id"], unique=False)

    op.create_table(
        "shipments",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", base.BigId, nullable=False),
        sa.Column("delivery_id", base.BigId, nullable=False),
        sa.Column("warehouse_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("carrier", sa.String(32), nullable=True),
        sa.Column("tracking_number", sa.String(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("packed_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("packed_by_id", base.BigId, nullable=True),
        sa.Column("dispatched_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("estimated_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("poll_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_shipments_delivery_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id")),
        sa.ForeignKeyConstraint(["packed_by_id"], ["accounts.id"], name=op.f("fk_shipments_packed_by_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_shipments_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("carrier", "tracking_number", name=op.f("uq_shipments_carrier_tracking_number")),
        sa.UniqueConstraint("number", name=op.f("uq_shipments_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("shipments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipments_delivery_id"), ["delivery_id"], unique=False)
        batch_op.create_index("ix_shipments_order_id", ["order_id"], unique=False)
        batch_op.create_index("ix_shipments_poll_at", ["poll_at"], unique=False)
        batch_op.create_index("ix_shipments_status_id", ["status", "id"], unique=False)

    op.create_table(
        "ticket_lines",
        sa.Column("ticket_id", base.BigId, nullable=False),
        sa.Column("order_line_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("refund_amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_ticket_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_ticket_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_lines_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "order_line_id", name=op.f("pk_ticket_lines")),
    )
    with op.batch_alter_table("ticket_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_lines_order_line_id"), ["order_line_id"], unique=False)

    op.create_table(
        "run_stops",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("run_id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("travel_seconds", sa.Integer(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("estimated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("completed_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(outcome IS NULL) = (completed_at IS NULL)", name=op.f("ck_run_stops_completed")),
        sa.ForeignKeyConstraint(["run_id"], ["delivery_runs.id"], name=op.f("fk_run_stops_run_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_run_stops_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_stops")),
        sa.UniqueConstraint("run_id", "position", name=op.f("uq_run_stops_run_id_position")),
    )
    with op.batch_alter_table("run_stops", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_stops_shipment_id"), ["shipment_id"], unique=False)
        batch_op.create_index(
            "uq_run_stops_waiting",
            ["shipment_id"],
            unique=True,
            sqlite_where=sa.text("outcome IS NULL"),
            postgresql_where=sa.text("outcome IS NULL"),
        )

    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("delivery_line_id", base.BigId, nullable=False),
        sa.Column("order_line_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["delivery_line_id"], ["delivery_lines.id"], name=op.f("fk_shipment_lines_delivery_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_shipment_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", "delivery_line_id", name=op.f("pk_shipment_lines")),
    )
    with op.batch_alter_table("shipment_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_lines_order_line_id"), ["order_line_id"], unique=False)

    op.create_table(
        "tracking_events",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("shipment_id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("occurred_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_tracking_events_shipment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_events")),
        sa.UniqueConstraint(
            "shipment_id", "occurred_at", "code", name=op.f("uq_tracking_events_shipment_id_occurred_at_code")
        ),
    )

    for table, key in SEARCHED.items():
        for statement in full_text(table, key, op.get_context().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in SEARCHED:
        if op.get_context().dialect.name == "sqlite":
            op.execute(f"DROP TABLE {table}_fts")
    op.drop_table("tracking_events")
    with op.batch_alter_table("shipment_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shipment_lines_order_line_id"))

    op.drop_table("shipment_lines")
    with op.batch_alter_table("run_stops", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_run_stops_waiting",
            sqlite_where=sa.text("outcome IS NULL"),
            postgresql_where=sa.text("outcome IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_run_stops_shipment_id"))

    op.drop_table("run_stops")
    with op.batch_alter_table("ticket_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_lines_order_line_id"))

    op.drop_table("ticket_lines")
    with op.batch_alter_table("shipments", schema=None) as batch_op:
        batch_op.drop_index("ix_shipments_status_id")
        batch_op.drop_index("ix_shipments_poll_at")
        batch_op.drop_index("ix_shipments_order_id")
        batch_op.drop_index(batch_op.f("ix_shipments_delivery_id"))

    op.drop_table("shipments")
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entries_posting_id"))
        batch_op.drop_index("ix_ledger_entries_order_id_account")

    op.drop_table("ledger_entries")
    with op.batch_alter_table("delivery_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_lines_order_line_id")
        batch_op.drop_index("ix_delivery_lines_delivery_id")

    op.drop_table("delivery_lines")
    with op.batch_alter_table("ticket_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_messages_ticket_id_id")

    op.drop_table("ticket_messages")
    op.drop_table("ticket_media")
    with op.batch_alter_table("stock_movements", schema=None) as batch_op:
        batch_op.drop_index("ix_stock_movements_variant_id_warehouse_id")
        batch_op.drop_index(batch_op.f("ix_stock_movements_order_id"))

    op.drop_table("stock_movements")
    with op.batch_alter_table("stock_levels", schema=None) as batch_op:
        batch_op.drop_index("ix_stock_levels_warehouse_id")

    op.drop_table("stock_levels")
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index("ix_refunds_ticket_id")
        batch_op.drop_index("ix_refunds_retry_at")
        batch_op.drop_index(batch_op.f("ix_refunds_payment_id"))
        batch_op.drop_index("ix_refunds_order_id")

    op.drop_table("refunds")
    op.drop_table("prices")
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_postings_order_id"))

    op.drop_table("postings")
    with op.batch_alter_table("order_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_order_lines_variant_id")
        batch_op.drop_index("ix_order_lines_product_id")

    op.drop_table("order_lines")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_ticket_id"))

    op.drop_table("deliveries")
    with op.batch_alter_table("cart_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cart_lines_variant_id"))

    op.drop_table("cart_lines")
    with op.batch_alter_table("variants", schema=None) as batch_op:
        batch_op.drop_index("ix_variants_product_id_position")
        batch_op.drop_index(batch_op.f("ix_variants_barcode"))

    op.drop_table("variants")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_tickets_status_id")
        batch_op.drop_index("ix_tickets_order_id")
        batch_op.drop_index("ix_tickets_due_at")
        batch_op.drop_index("ix_tickets_account_id_id")

    op.drop_table("tickets")
    op.drop_table("reactions_done")
    op.drop_table("product_words")
    with op.batch_alter_table("product_media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_media_media_id"))

    op.drop_table("product_media")
    with op.batch_alter_table("product_attributes", schema=None) as batch_op:
        batch_op.drop_index("ix_product_attributes_attribute_id_value_id")

    op.drop_table("product_attributes")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index("ix_payments_query_at")

    op.drop_table("payments")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_family"))
        batch_op.drop_index(batch_op.f("ix_sessions_account_id"))

    op.drop_table("sessions")
    with op.batch_alter_table("sandbox_refunds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sandbox_refunds_charge_reference"))

    op.drop_table("sandbox_refunds")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_index("ix_products_status_published_at_id")
        batch_op.drop_index("ix_products_category_id_status")
        batch_op.drop_index("ix_products_brand")

    op.drop_table("products")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_status_id")
        batch_op.drop_index("ix_orders_receipt_due_at")
        batch_op.drop_index("ix_orders_payment_due_at")
        batch_op.drop_index("ix_orders_account_id_id")

    op.drop_table("orders")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_media_uploader_id"))

    op.drop_table("media")
    op.drop_table("idempotency_keys")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_events_waiting",
            sqlite_where=sa.text("relayed_at IS NULL"),
            postgresql_where=sa.text("relayed_at IS NULL"),
        )
        batch_op.drop_index("ix_events_account_id_id")

    op.drop_table("events")
    with op.batch_alter_table("delivery_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_runs_status_id")
        batch_op.drop_index("ix_delivery_runs_courier_id_id")

    op.drop_table("delivery_runs")
    with op.batch_alter_table("category_attributes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_category_attributes_attribute_id"))

    op.drop_table("category_attributes")
    with op.batch_alter_table("carts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_carts_active_account",
            sqlite_where=sa.text("status = 'ACTIVE'"),
            postgresql_where=sa.text("status = 'ACTIVE'"),
        )

    op.drop_table("carts")
    op.drop_table("attribute_values")
    op.drop_table("article_words")
    op.drop_table("article_versions")
    op.drop_table("article_ratings")
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_addresses_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default")
        )
        batch_op.drop_index(batch_op.f("ix_addresses_account_id"))

    op.drop_table("addresses")
    op.drop_table("warehouses")
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_attempts_first_at"))

    op.drop_table("sign_in_attempts")
    op.drop_table("sandbox_charges")
    op.drop_table("payment_notifications")
    op.drop_table("coupons")
    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_categories_path"))
        batch_op.drop_index("ix_categories_parent_id_position")

    op.drop_table("categories")
    op.drop_table("attributes")
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index("ix_articles_status_id")

    op.drop_table("articles")
    op.drop_table("accounts")
