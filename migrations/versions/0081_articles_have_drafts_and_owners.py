"""Articles have readers, translations, drafts beside the published text, and owners.

Revision ID: 0081
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0081"
down_revision = "0062"
branch_labels = None
depends_on = None

BEFORE = "title, body, category, tags, language, status, archived_at"
AFTER = f"{BEFORE}, audience"
KEYS = (("original_id", "articles"), ("owner_id", "accounts"))
COLUMNS = ("audience", "original_id", "owner_id", "review_at", "draft_version", "published_version")


def upgrade() -> None:
    with op.batch_alter_table("articles") as table:
        table.add_column(sa.Column("audience", sa.String(32), server_default="PUBLIC", nullable=False))
        for column, target in KEYS:
            table.add_column(sa.Column(column, base.BigId, nullable=True))
            table.create_foreign_key(
                op.f(f"fk_articles_{column}"), target, [column], ["id"], postgresql_not_valid=True
            )
        table.add_column(sa.Column("review_at", base.UtcDateTime(timezone=True), nullable=True))
        for column in ("draft_version", "published_version"):
            table.add_column(sa.Column(column, sa.Integer(), nullable=True))
    op.create_index("ix_articles_original_id", "articles", ["original_id"])
    op.add_column("article_versions", sa.Column("category", sa.String(), nullable=True))
    op.add_column("article_versions", sa.Column("tags", base.Json, nullable=True))
    note_changes(AFTER)


def note_changes(columns: str) -> None:
    """Note the changes of articles again: SQLite drops triggers with the table it makes anew."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER note_index_articles_update ON articles")
        op.execute(
            f"CREATE TRIGGER note_index_articles_update AFTER UPDATE OF {columns} ON articles"
            " FOR EACH ROW EXECUTE FUNCTION note_index_articles()"
        )
        return
    for act, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        name = f"note_index_articles_{act.lower()}"
        of = f" OF {columns}" if act == "UPDATE" else ""
        note = f"INSERT INTO index_changes (subject, subject_id) VALUES ('ARTICLE', {row}.id);"
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
        op.execute(f"CREATE TRIGGER {name} AFTER {act}{of} ON articles FOR EACH ROW BEGIN {note} END")


def downgrade() -> None:
    """What is for agents only is a draft before: customers do not read it."""
    op.execute("UPDATE articles SET status = 'DRAFT' WHERE audience = 'AGENTS'")
    op.drop_index("ix_articles_original_id", "articles")
    if op.get_context().dialect.name == "postgresql":
        note_changes(BEFORE)
    with op.batch_alter_table("articles") as table:
        for column, _ in KEYS:
            table.drop_constraint(op.f(f"fk_articles_{column}"), type_="foreignkey")
        for column in COLUMNS:
            table.drop_column(column)
    with op.batch_alter_table("article_versions") as table:
        table.drop_column("category")
        table.drop_column("tags")
    if op.get_context().dialect.name != "postgresql":
        note_changes(BEFORE)
