"""Courses of articles with a quiz, written in versions.

Revision ID: 0095
Revises: 0064
"""

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0095"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "courses",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft_number", sa.Integer(), nullable=True),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column("renewal_since", base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
    )
    op.create_index(op.f("ix_courses_status"), "courses", ["status"], unique=False)
    op.create_table(
        "course_versions",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("course_id", base.BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.Column("pass_percent", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("period_days", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=True),
        sa.Column("renew_days", sa.Integer(), nullable=False),
        sa.Column("author_id", base.BigId, nullable=True),
        sa.Column("created_at", base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("pass_percent BETWEEN 1 AND 100", name=op.f("ck_course_versions_pass_percent")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_course_versions_author_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_versions_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_versions")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_versions_course_id_number")),
    )
    op.create_index(
        "ix_course_versions_draft",
        "course_versions",
        ["course_id"],
        unique=True,
        sqlite_where=sa.text("published_at IS NULL"),
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "course_articles",
        sa.Column("course_version_id", base.BigId, nullable=False),
        sa.Column("article_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_course_articles_article_id")),
        sa.ForeignKeyConstraint(
            ["course_version_id"], ["course_versions.id"], name=op.f("fk_course_articles_course_version_id")
        ),
        sa.PrimaryKeyConstraint("course_version_id", "article_id", name=op.f("pk_course_articles")),
    )
    op.create_index(op.f("ix_course_articles_article_id"), "course_articles", ["article_id"], unique=False)
    op.create_table(
        "quiz_questions",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("course_version_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("situation", sa.String(), nullable=True),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_version_id"], ["course_versions.id"], name=op.f("fk_quiz_questions_course_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_questions")),
        sa.UniqueConstraint(
            "course_version_id", "position", name=op.f("uq_quiz_questions_course_version_id_position")
        ),
    )
    op.create_table(
        "quiz_options",
        sa.Column("id", base.BigId, nullable=False),
        sa.Column("question_id", base.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_correct", sa.Boolean(), nullable=False),
        sa.Column("translations", base.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["quiz_questions.id"], name=op.f("fk_quiz_options_question_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_options")),
        sa.UniqueConstraint("question_id", "position", name=op.f("uq_quiz_options_question_id_position")),
    )
    op.add_column(
        "articles", sa.Column("substance_changed_at", base.UtcDateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("articles", "substance_changed_at")
    op.drop_table("quiz_options")
    op.drop_table("quiz_questions")
    op.drop_table("course_articles")
    op.drop_table("course_versions")
    op.drop_table("courses")
