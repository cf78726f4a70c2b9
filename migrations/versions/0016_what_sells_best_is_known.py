"""What sells best is known.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_sales",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_sales_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_sales")),
    )


def downgrade() -> None:
    op.drop_table("product_sales")
