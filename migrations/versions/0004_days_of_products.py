"""Days of products."""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_days",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("adds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_days_product_id")),
        sa.PrimaryKeyConstraint("product_id", "day", name=op.f("pk_product_days")),
    )
    op.create_index("ix_product_days_day", "product_days", ["day"])


def downgrade() -> None:
    op.drop_table("product_days")
