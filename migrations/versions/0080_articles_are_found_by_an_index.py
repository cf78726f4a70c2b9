"""Search indexes follow the changes of articles.

What is found is not kept in a table any more. On PostgreSQL processes of the last release use it still: a
later migration drops it. It no longer refers to the articles, since what removes one does not know it.

Revision ID: 0080
Revises: 0060
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0080"
down_revision = "0060"
branch_labels = None
depends_on = None

TABLE, FTS = "article_search_texts", "article_search_texts_fts"
FOREIGN_KEY = "fk_article_search_texts_article_id"
COLUMNS = "title, body, category, tags, language, status, archived_at"
ACTS = ("INSERT", "UPDATE", "DELETE")
NAME = "note_index_articles"


def upgrade() -> None:
    note_changes()
    if is_postgresql():
        op.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {FOREIGN_KEY}")
        return
    for act in ("inserted", "deleted", "updated"):
        op.execute(f"DROP TRIGGER {TABLE}_{act}")
    op.execute(f"DROP TABLE {FTS}")
    op.drop_table(TABLE)


def note_changes() -> None:
    if is_postgresql():
        values = "('ARTICLE', COALESCE(NEW.id, OLD.id), pg_current_xact_id()::text::bigint)"
        note = f"INSERT INTO index_changes (subject, subject_id, transaction_id) VALUES {values};"
        op.execute(
            f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {note} RETURN NULL; END $$"
        )
    for act in ACTS:
        of = f" OF {COLUMNS}" if act == "UPDATE" else ""
        head = f"CREATE TRIGGER {NAME}_{act.lower()} AFTER {act}{of} ON articles FOR EACH ROW"
        if is_postgresql():
            op.execute(f"{head} EXECUTE FUNCTION {NAME}()")
        else:
            row = "OLD" if act == "DELETE" else "NEW"
            note = f"INSERT INTO index_changes (subject, subject_id) VALUES ('ARTICLE', {row}.id);"
            op.execute(f"{head} BEGIN {note} END")


def is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def downgrade() -> None:
    """The texts that are searched by the version before come back as titles and bodies."""
    for act in ACTS:
        name = f"{NAME}_{act.lower()}"
        op.execute(f"DROP TRIGGER {name} ON articles" if is_postgresql() else f"DROP TRIGGER {name}")
    if is_postgresql():
        op.execute(f"DROP FUNCTION {NAME}()")
        op.execute(f"DELETE FROM {TABLE} WHERE article_id NOT IN (SELECT id FROM articles)")
        op.execute(
            f"ALTER TABLE {TABLE} ADD CONSTRAINT {FOREIGN_KEY} FOREIGN KEY (article_id) REFERENCES articles (id)"
        )
    else:
        create_table()
    op.execute(
        f"INSERT INTO {TABLE} (article_id, text) SELECT id, lower(title || ' ' || body) FROM articles"
        f" WHERE id NOT IN (SELECT article_id FROM {TABLE})"
    )


def create_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f(FOREIGN_KEY)),
        sa.PrimaryKeyConstraint("article_id", name=op.f(f"pk_{TABLE}")),
    )
    remove = f"INSERT INTO {FTS}({FTS}, rowid, text) VALUES ('delete', old.article_id, old.text);"
    add = f"INSERT INTO {FTS}(rowid, text) VALUES (new.article_id, new.text);"
    op.execute(
        f"CREATE VIRTUAL TABLE {FTS} USING fts5(text, content='{TABLE}',"
        " content_rowid='article_id', tokenize='unicode61 remove_diacritics 2')"
    )
    for verb, act, steps in (
        ("INSERT", "inserted", add),
        ("DELETE", "deleted", remove),
        ("UPDATE", "updated", f"{remove} {add}"),
    ):
        op.execute(f"CREATE TRIGGER {TABLE}_{act} AFTER {verb} ON {TABLE} BEGIN {steps} END")
