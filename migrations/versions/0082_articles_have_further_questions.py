"""Articles have further questions, and the search knows synonyms.

Revision ID: 0082
Revises: 0065
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0082"
down_revision = "0065"
branch_labels = None
depends_on = None

BEFORE = "title, body, category, tags, language, status, archived_at, audience"
AFTER = f"{BEFORE}, questions"


def upgrade() -> None:
    op.add_column("articles", sa.Column("questions", base.Json, server_default="[]", nullable=False))
    op.create_table(
        "synonym_groups",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("terms", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym_groups")),
    )
    note_updates(AFTER)


def note_updates(columns: str) -> None:
    """Note updates of these columns of articles."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER note_index_articles_update ON articles")
        note = "EXECUTE FUNCTION note_index_articles()"
    else:
        op.execute("DROP TRIGGER note_index_articles_update")
        note = "BEGIN INSERT INTO index_changes (subject, subject_id) VALUES ('ARTICLE', NEW.id); END"
    op.execute(
        f"CREATE TRIGGER note_index_articles_update AFTER UPDATE OF {columns} ON articles FOR EACH ROW {note}"
    )


def downgrade() -> None:
    note_updates(BEFORE)
    op.drop_table("synonym_groups")
    op.drop_column("articles", "questions")
