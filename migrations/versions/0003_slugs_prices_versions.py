"""Slugs are remembered, prices may come later, categories and attributes have versions."""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "category_slugs",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("category_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_category_slugs_category_id")
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_category_slugs")),
    )
    with op.batch_alter_table("category_slugs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_category_slugs_category_id"), ["category_id"], unique=False)

    op.create_table(
        "product_slugs",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("product_id", base.BigId, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_slugs_product_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_product_slugs")),
    )
    with op.batch_alter_table("product_slugs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_slugs_product_id"), ["product_id"], unique=False)

    op.create_table(
        "price_changes",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_amount", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("due_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("before_amount", sa.BigInteger(), nullable=True),
        sa.Column("before_compare_at_amount", sa.BigInteger(), nullable=True),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_price_changes_amount")),
        sa.CheckConstraint("compare_at_amount >= 0", name=op.f("ck_price_changes_compare_at_amount")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_price_changes_window")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_price_changes_account_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_price_changes_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_changes")),
    )
    with op.batch_alter_table("price_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_price_changes_due_at"), ["due_at"], unique=False)
        batch_op.create_index(
            "ix_price_changes_variant_id_currency_starts_at",
            ["variant_id", "currency", "starts_at"],
            unique=False,
        )

    with op.batch_alter_table("attributes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.drop_column("version")

    with op.batch_alter_table("attributes", schema=None) as batch_op:
        batch_op.drop_column("version")

    with op.batch_alter_table("price_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_price_changes_variant_id_currency_starts_at")
        batch_op.drop_index(batch_op.f("ix_price_changes_due_at"))

    op.drop_table("price_changes")
    with op.batch_alter_table("product_slugs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_slugs_product_id"))

    op.drop_table("product_slugs")
    with op.batch_alter_table("category_slugs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_category_slugs_category_id"))

    op.drop_table("category_slugs")
