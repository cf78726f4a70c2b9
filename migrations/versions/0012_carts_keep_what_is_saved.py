"""Carts keep what is saved for later, and lines what a merge could not."""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cart_lines", sa.Column("wanted", sa.Integer(), nullable=True))
    op.create_index(
        "ix_carts_guests_updated_at",
        "carts",
        ["updated_at"],
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )
    op.create_table(
        "saved_lines",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("cart_id", base.BigId, nullable=False),
        sa.Column("variant_id", base.BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_saved_lines_quantity")),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_saved_lines_cart_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_saved_lines_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_lines")),
        sa.UniqueConstraint("cart_id", "variant_id", name=op.f("uq_saved_lines_cart_id_variant_id")),
    )
    op.create_index(op.f("ix_saved_lines_variant_id"), "saved_lines", ["variant_id"])
