"""Words are weighed.

Products found before are found again after `cartwheel migrate` (or `cartwheel reindex`) has read them anew.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def word() -> sa.types.TypeEngine[str]:
    return sa.String(collation="C" if op.get_bind().dialect.name == "postgresql" else None)


def upgrade() -> None:
    op.create_table(
        "product_terms",
        sa.Column("term", word(), nullable=False),
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_terms_product_id")),
        sa.PrimaryKeyConstraint("term", "product_id", name=op.f("pk_product_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_product_terms_product_id", "product_terms", ["product_id"])
    op.create_table(
        "known_words",
        sa.Column("word", word(), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_known_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "word_remains",
        sa.Column("remains", word(), nullable=False),
        sa.Column("word", word(), nullable=False),
        sa.PrimaryKeyConstraint("remains", "word", name=op.f("pk_word_remains")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_word_remains_word", "word_remains", ["word"])
    op.execute("DELETE FROM product_words")


def downgrade() -> None:
    op.drop_table("word_remains")
    op.drop_table("known_words")
    op.drop_table("product_terms")
