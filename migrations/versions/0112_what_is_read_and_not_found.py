"""Which articles are read, and what follows; which texts find none.

Revision ID: 0112
Revises: 0108
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0112"
down_revision = "0108"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_reads",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("account_id", base.BigId, nullable=True),
        sa.Column("order_id", base.BigId, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("read_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_article_reads_account_id")),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_reads_article_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_article_reads_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_reads")),
    )
    for columns in (["account_id"], ["order_id"], ["reader", "day"], ["read_at"]):
        op.create_index(f"ix_article_reads_{'_'.join(columns)}", "article_reads", columns, unique=False)
    for name, columns, condition in (
        ("about_order", ["article_id", "reader", "order_id", "day"], "order_id IS NOT NULL"),
        ("about_nothing", ["article_id", "reader", "day"], "order_id IS NULL"),
    ):
        op.create_index(
            f"ix_article_reads_{name}",
            "article_reads",
            columns,
            unique=True,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_table(
        "article_days",
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("order_reads", sa.Integer(), nullable=False),
        sa.Column("deflected", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_article_days_article_id")),
        sa.PrimaryKeyConstraint("article_id", "day", name=op.f("pk_article_days")),
    )
    op.create_index("ix_article_days_day", "article_days", ["day"], unique=False)
    op.create_table(
        "unanswered_searches",
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("query", "day", name=op.f("pk_unanswered_searches")),
    )
    op.create_index("ix_unanswered_searches_day", "unanswered_searches", ["day"], unique=False)


def downgrade() -> None:
    op.drop_table("unanswered_searches")
    op.drop_table("article_days")
    op.drop_table("article_reads")
