"""Several variants may have one SKU, as in other software.

Revision ID: 0055
Revises: 0048
"""

from contextlib import AbstractContextManager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0055"
down_revision = "0048"
branch_labels = None
depends_on = None


def rebuild_variants() -> AbstractContextManager[BatchOperations]:
    """Rebuild the table on SQLite, with its check: that is not found in the old table."""
    check = sa.CheckConstraint("weight_grams >= 0", name=op.f("ck_variants_weight"))
    return op.batch_alter_table("variants", table_args=(check,))


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        with rebuild_variants() as table:
            table.drop_constraint("uq_variants_sku", type_="unique")
            table.create_index("ix_variants_sku", ["sku"])
        return
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_variants_sku", "variants", ["sku"], postgresql_concurrently=True, if_not_exists=True
        )
    op.drop_constraint("uq_variants_sku", "variants", type_="unique")


def downgrade() -> None:
    with rebuild_variants() as table:
        table.drop_index("ix_variants_sku")
        table.create_unique_constraint("uq_variants_sku", ["sku"])
