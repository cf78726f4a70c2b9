"""The words of customers that make a ticket urgent are rows, in versions.

Revision ID: 0075
Revises: 0120
"""

import json

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0075"
down_revision = "0120"
branch_labels = None
depends_on = None

CHINESE = {
    24: "律师 起诉 法院 诈骗 骗子 欺诈 举报 曝光 投诉 消协 消费者协会 工商局 市场监管 12315 报警",
    12: "生气 愤怒 气死 气愤 太差 失望 差评 忍无可忍 恶心 垃圾",
    6: "着急 很急 紧急 加急 尽快 马上 立刻 急用 等不及",
}
ENGLISH = {
    24: "lawyer attorney lawsuit sue court police:polic fraud scam fraudulent:fraudul chargeback complaint",
    12: "angry:angri furious terrible:terribl awful:aw horrible:horribl disgusting:disgust"
    " unacceptable:unaccept ridiculous:ridicul disappointed:disappoint worst",
    6: "urgent asap immediately:immedi emergency:emergenc hurry:hurri",
}
"""By hours; after a colon the stem where it differs."""
EXCEPTIONS = {"报警": ["报警器"], "垃圾": ["垃圾桶", "垃圾袋", "垃圾箱", "垃圾篓", "垃圾车"]}
INDEX = "ix_tickets_terms_edition"


def upgrade() -> None:
    op.create_table(
        "urgent_terms",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("exceptions", base.Json, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("author_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hours BETWEEN 0 AND 48", name=op.f("ck_urgent_terms_hours")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_urgent_terms_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_terms")),
        sa.UniqueConstraint(
            "language", "term", "version", name=op.f("uq_urgent_terms_language_term_version")
        ),
    )
    op.create_index("ix_urgent_terms_edition", "urgent_terms", ["edition"])
    op.add_column("tickets", sa.Column("terms_edition", sa.Integer(), server_default="0", nullable=False))
    with op.get_context().autocommit_block():
        op.create_index(
            INDEX,
            "tickets",
            ["terms_edition"],
            postgresql_concurrently=True,
            if_not_exists=True,
            sqlite_where=sa.text("attend_by IS NOT NULL"),
            postgresql_where=sa.text("attend_by IS NOT NULL"),
        )
    zone = "" if op.get_context().dialect.name == "sqlite" else "+00"
    values = ", ".join(
        f"('{language}', '{term or word}', '{word}', 1, {hours},"
        f" '{json.dumps(EXCEPTIONS.get(word, []), ensure_ascii=False)}', 0,"
        f" '2000-01-01 00:00:00.000000{zone}')"
        for language, groups in (("zh", CHINESE), ("en", ENGLISH))
        for hours, words in groups.items()
        for word, _, term in (each.partition(":") for each in words.split())
    )
    op.execute(
        "INSERT INTO urgent_terms (language, term, word, version, hours, exceptions, edition, created_at)"
        f" VALUES {values}"
    )


def downgrade() -> None:
    op.drop_index(INDEX, "tickets")
    op.drop_column("tickets", "terms_edition")
    op.drop_table("urgent_terms")
